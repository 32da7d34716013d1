import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { bundlesOf } from '../bench/bundles.ts';
import { measureReconcile, UNSCHEDULED_DAYS, type ReconcileResult } from '../bench/reconcile.ts';
import { startHost } from '../bench/running-host.ts';
import { businessCalendar } from '../../cli/shared/business-day.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { synthesizeIfChanged } from '../../cli/shared/assembly.ts';
import type { Limit } from './limit.ts';

const STAGED = 10_000;

/** `npm run limits -- terminals`: all of them differ, so the cost of a difference is measured too. */
export const terminals: Limit = {
  name: 'terminals',
  load: `100,000 terminal reports of one date of ${STAGED.toLocaleString('en-US')} transactions, and 2,000 of 100 lines`,
  measure: async ({ projectFolder }) => {
    const assembly = await synthesizeIfChanged({
      projectFolder,
      stage: 'sandbox',
      signal: new AbortController().signal,
      onSynthesize: () => undefined,
    });
    const bundle = bundlesOf(assembly).find(({ name }) => name === 'ReconcileWorker')?.file;
    if (bundle === undefined) throw new CommandError('The app has no function that reconciles.');
    const businessDate = addDays(businessDateOf(new Date(), businessCalendar), UNSCHEDULED_DAYS);
    const day = { bundle, node: process.execPath, businessDate, staged: STAGED };
    const run = async (reports: number, lines: number): Promise<ReconcileResult> => {
      const host = await startHost(projectFolder);
      try {
        return await measureReconcile(host, { ...day, terminals: { reports, lines } });
      } finally {
        await host.stop();
      }
    };
    const [none, many, long] = [await run(0, 0), await run(100_000, 2), await run(2000, 100)];
    return [
      { name: 'terminals, none: memory', value: none.megabytes, unit: 'MB' },
      { name: 'terminals, 100,000: memory', value: many.megabytes, unit: 'MB' },
      { name: 'terminals, 100,000 : none', value: many.megabytes / none.megabytes, unit: '', atMost: 1.2 },
      { name: 'terminals, 2,000 of 100 lines: memory', value: long.megabytes, unit: 'MB' },
      {
        name: 'terminals, 2,000 of 100 lines : none',
        value: long.megabytes / none.megabytes,
        unit: '',
        atMost: 1.2,
      },
      { name: 'terminals, 100,000: time of the run', value: many.milliseconds / 1000, unit: 's' },
    ];
  },
};
