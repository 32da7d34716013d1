import { createCommand, wholeNumber, type Call } from '../cli/shared/command.ts';
import { printError } from '../cli/shared/screen.ts';
import { assemblyOf, defineTool } from './harness/tool.ts';
import { reportText, type SoakReport } from './soak/report.ts';

interface SoakCommandOptions {
  readonly minutes: number;
  readonly salesPerSecond: number;
  readonly messagesPerSecond: number;
  readonly seed: number;
}

const SAME_SIGNAL_MILLISECONDS = 1000;

export const run = defineTool(
  () =>
    createCommand(
      'soak',
      'Runs the app under a steady load while its calls fail, its messages double and its workers are killed; then\nchecks that nothing was lost and nothing doubled. Exits with 1 if anything was.',
    )
      .option('--minutes <number>', 'how long the load lasts', wholeNumber(1, 1440), 3)
      .option('--sales-per-second <number>', 'transactions a second', wholeNumber(1, 500), 20)
      .option('--messages-per-second <number>', 'chat messages a second', wholeNumber(1, 200), 8)
      .option('--seed <number>', 'of load and faults', wholeNumber(0, 999_999_999), 1),
  { measure, report: reportText, isGood: ({ findings }) => findings.length === 0 },
);

async function measure({ options, context }: Call<SoakCommandOptions>): Promise<SoakReport> {
  const signal = interruption();
  printError('Synthesizing the app, if it has changed…');
  const assembly = await assemblyOf(context.projectFolder, 'soak', signal);
  const { runSoak } = await import('./soak/run.ts');
  return runSoak({ ...options, assembly, seconds: 60 * options.minutes, signal, say: printError });
}

/** The first Ctrl-C aborts the signal; the second one ends the process. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  let interruptedAt = -Infinity;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // npm repeats what the terminal has sent already: a second signal at once is still the first Ctrl-C.
      if (performance.now() - interruptedAt < SAME_SIGNAL_MILLISECONDS) return;
      if (interrupted.signal.aborted) process.exit(1);
      interruptedAt = performance.now();
      interrupted.abort();
      printError('Ends early: what was accepted is drained and checked. Once more ends at once.');
    });
  }
  return interrupted.signal;
}
