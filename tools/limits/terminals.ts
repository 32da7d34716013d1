import { measureReconcile, type ReconcileRun } from '../bench/reconcile.ts';
import { figure, type Figure } from '../harness/figures.ts';
import { assemblyOf } from '../harness/tool.ts';

const STAGED = 10_000;

/** All reports differ from the books. */
export async function measureTerminals(projectFolder: string): Promise<readonly Figure[]> {
  const assembly = await assemblyOf(projectFolder, 'sandbox');
  const options = { projectFolder, assembly, node: process.execPath, staged: STAGED };
  const run = async (reports: number, lines: number): Promise<ReconcileRun> =>
    measureReconcile({ ...options, terminals: { reports, lines } });
  const [none, many, long] = [await run(0, 0), await run(100_000, 2), await run(2000, 100)];
  return [
    figure('terminals, none: memory', none.megabytes, 'MB'),
    figure('terminals, 100,000: memory', many.megabytes, 'MB'),
    figure('terminals, 100,000 : none', many.megabytes / none.megabytes, '', { atMost: 1.2 }),
    figure('terminals, 2,000 of 100 lines: memory', long.megabytes, 'MB'),
    figure('terminals, 2,000 of 100 lines : none', long.megabytes / none.megabytes, '', { atMost: 1.2 }),
    figure('terminals, 100,000: time of the run', many.milliseconds / 1000, 's'),
  ];
}
