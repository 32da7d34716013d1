import type { LocalHost } from '../../local/index.ts';
import type { Random } from '../harness/random.ts';
import { everySoOften, pause } from './pace.ts';
import type { Tally } from './record.ts';

/** Milliseconds from one disturbance to the next. */
const PAUSES = {
  kill: [3000, 8000],
  lose: [7000, 15_000],
  stop: [6000, 14_000],
  double: [3000, 6000],
} as const;
const STOPPED = [1000, 2500] as const;
const DOUBLED = [3000, 6000] as const;
/** A kill waits this long for its function to run, then picks another. */
const AMBUSH_MILLISECONDS = 500;
const LOST_SHARE = 0.3;

export async function disturb(options: {
  readonly host: LocalHost;
  readonly random: Random;
  readonly tally: Tally;
  /** The pipe begins, or ends, to deliver everything twice. */
  readonly onTwice: (isOn: boolean) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { host, random, tally, onTwice, signal } = options;

  // Each function is as likely to be hit as any other, however seldom it runs.
  const kill = async (): Promise<void> => {
    for (let killed = 0; killed === 0 && !signal.aborted;) {
      const { functionName } = random.pick(host.functions);
      const waitsUntil = performance.now() + AMBUSH_MILLISECONDS;
      while (killed === 0 && !signal.aborted && performance.now() < waitsUntil) {
        killed = host.killFunction(functionName);
        tally.add('workers killed', killed);
        await pause(3, signal);
      }
    }
  };
  const lose = (): void => {
    const lost = host.loseConnections(() => random.chance(LOST_SHARE));
    tally.add('connections lost', lost);
  };
  const stop = async (): Promise<void> => {
    const pipe = random.pick(host.pipes);
    await pipe.stop();
    tally.add('pipe stopped');
    await pause(random.whole(...STOPPED), signal);
    pipe.start();
  };
  const double = async (): Promise<void> => {
    const pipe = random.pick(host.pipes);
    const deliverTwice = (isOn: boolean): void => {
      pipe.deliverTwice(isOn);
      onTwice(isOn);
    };
    deliverTwice(true);
    await pause(random.whole(...DOUBLED), signal);
    deliverTwice(false);
  };

  await Promise.all([
    everySoOften(PAUSES.kill, options, kill),
    everySoOften(PAUSES.lose, options, lose),
    everySoOften(PAUSES.stop, options, stop),
    everySoOften(PAUSES.double, options, double),
  ]);
}
