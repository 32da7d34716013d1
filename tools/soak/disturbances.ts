import type { LocalHost } from '../../local/index.ts';
import { everySoOften, pause } from './pace.ts';
import type { Random } from './random.ts';
import type { Tally } from './tally.ts';

const KILL_PAUSE_MILLISECONDS = { minimum: 3000, maximum: 8000 };
/** How long a kill lies in wait for its function to run, before it looks for another. */
const LYING_IN_WAIT_MILLISECONDS = 500;
const LOSE_PAUSE_MILLISECONDS = { minimum: 7000, maximum: 15_000 };
/** Of the connections that are open. */
const LOST_SHARE = 0.3;
const PIPE_PAUSE_MILLISECONDS = { minimum: 6000, maximum: 14_000 };
const PIPE_STOPPED_MILLISECONDS = { minimum: 1000, maximum: 2500 };
const TWICE_MILLISECONDS = { minimum: 3000, maximum: 6000 };

/** What befalls the running host from outside: killed workers, lost connections, a pipe that stops or says all twice. */
export async function disturb(options: {
  readonly host: LocalHost;
  readonly random: Random;
  readonly tally: Tally;
  /** Told when the pipe begins to say all twice, and when it ends. */
  readonly onTwice: (isOn: boolean) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { host, random, tally, onTwice, signal } = options;
  const within = ({ minimum, maximum }: { readonly minimum: number; readonly maximum: number }) =>
    random.whole(minimum, maximum);

  // Any function is as likely to be hit, however seldom it runs, as long as it runs at all.
  const kill = async (): Promise<void> => {
    for (let killed = 0; killed === 0 && !signal.aborted;) {
      const { functionName } = random.pick(host.functions);
      const waitsUntil = performance.now() + LYING_IN_WAIT_MILLISECONDS;
      while (killed === 0 && !signal.aborted && performance.now() < waitsUntil) {
        killed = host.killFunction(functionName);
        tally.add('workers killed', killed);
        await pause(3, signal);
      }
    }
  };
  const lose = (): void => {
    tally.add(
      'connections lost',
      host.loseConnections(() => random.chance(LOST_SHARE)),
    );
  };
  const stopPipe = async (): Promise<void> => {
    const pipe = random.pick(host.pipes);
    await pipe.stop();
    tally.add('pipe stopped');
    await pause(within(PIPE_STOPPED_MILLISECONDS), signal);
    pipe.start();
  };
  const sayAllTwice = async (): Promise<void> => {
    const pipe = random.pick(host.pipes);
    pipe.deliverTwice(true);
    onTwice(true);
    await pause(within(TWICE_MILLISECONDS), signal);
    pipe.deliverTwice(false);
    onTwice(false);
  };

  await Promise.all([
    everySoOften(() => within(KILL_PAUSE_MILLISECONDS), signal, kill),
    everySoOften(() => within(LOSE_PAUSE_MILLISECONDS), signal, lose),
    everySoOften(() => within(PIPE_PAUSE_MILLISECONDS), signal, stopPipe),
    everySoOften(() => within(TWICE_MILLISECONDS), signal, sayAllTwice),
  ]);
}
