import {
  createCommand,
  parseArguments,
  wholeNumber,
  type CommandContext,
  jsonOption,
} from '../cli/shared/command.ts';
import { colorsFor, countOf, formatSeconds } from '../cli/shared/screen.ts';
import { synthesizeIfChanged } from '../cli/shared/assembly.ts';
import type { SoakProgress } from './soak/run.ts';

interface SoakCommandOptions {
  readonly minutes: number;
  readonly salesPerSecond: number;
  readonly messagesPerSecond: number;
  readonly seed: number;
  readonly json?: true;
}

const SAME_SIGNAL_MILLISECONDS = 1000;

/** `npm run soak`: the guarantees, held against a host on which everything fails now and then. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createCommand(
    'soak',
    'Runs the app under a steady load while its calls fail, its messages double and its workers are killed; then\nchecks that nothing was lost and nothing doubled. Exits with 1 if anything was.',
  )
    .option('--minutes <number>', 'how long the load lasts', wholeNumber(1, 1440), 3)
    .option('--sales-per-second <number>', 'transactions a second', wholeNumber(1, 500), 20)
    .option('--messages-per-second <number>', 'chat messages a second', wholeNumber(1, 200), 8)
    .option('--seed <number>', 'of load and faults', wholeNumber(0, 999_999_999), 1)
    .addOption(jsonOption());
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const { minutes, json, ...options } = command.opts<SoakCommandOptions>();

  const screen = createScreen(60 * minutes);
  const interrupted = new AbortController();
  let interruptedAt = -Infinity;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // npm passes on what the terminal has sent already: what follows at once means no more than the first.
      if (performance.now() - interruptedAt < SAME_SIGNAL_MILLISECONDS) return;
      if (interrupted.signal.aborted) process.exit(1);
      interruptedAt = performance.now();
      interrupted.abort();
      screen.say('Ends early: what was accepted is drained and checked. Once more ends at once.');
    });
  }
  screen.say('Synthesizing the app, if it has changed…');
  const assembly = await synthesizeIfChanged({
    projectFolder: context.projectFolder,
    stage: 'soak',
    signal: interrupted.signal,
    onSynthesize: () => undefined,
  });
  const [{ runSoak }, { minuteText, reportJson, reportText }] = await Promise.all([
    import('./soak/run.ts'),
    import('./soak/report.ts'),
  ]);
  const report = await runSoak({
    ...options,
    assembly,
    seconds: 60 * minutes,
    signal: interrupted.signal,
    onProgress: screen.show,
    onMinute: (minute) => screen.say(minuteText(minute)),
  });
  screen.clear();
  process.stdout.write(`${json ? reportJson(report) : reportText(report, colorsFor(process.stdout))}\n`);
  // Nothing that a library still holds open keeps the user waiting.
  setImmediate(() => process.exit());
  return report.findings.length === 0 ? 0 : 1;
}

const phases = {
  start: 'Starting the host…',
  drain: 'The load is over: draining, reconciling, redriving…',
  check: 'Checking the books…',
} as const;

/** A line that moves on a terminal; elsewhere a line per phase and per minute. */
function createScreen(seconds: number): {
  readonly say: (text: string) => void;
  readonly show: (progress: SoakProgress) => void;
  readonly clear: () => void;
} {
  const { stderr } = process;
  const colors = colorsFor(stderr);
  let startedAt: number | undefined;
  const clear = (): void => void (stderr.isTTY && stderr.write('\r\u001B[K'));
  const say = (text: string): void => {
    clear();
    stderr.write(`${text}\n`);
  };
  return {
    say,
    clear,
    show: ({ phase, transactions, messages, faults }) => {
      if (phase !== 'load') return say(phases[phase]);
      startedAt ??= performance.now();
      if (!stderr.isTTY) return;
      const left = Math.max(0, seconds - (performance.now() - startedAt) / 1000);
      clear();
      stderr.write(
        `${countOf(transactions, 'transaction')}, ${countOf(messages, 'message')}, ${countOf(faults, 'fault')}  ${colors.dim(`${formatSeconds(left)} left`)}`,
      );
    },
  };
}
