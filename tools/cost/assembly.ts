import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { loadAssembly, objectAt, parseScheduleExpression, textAt } from '../../local/index.ts';
import { parseJson } from '../../cli/shared/files.ts';
import { sum } from './prices.ts';

const templateSchema = v.looseObject({
  Resources: v.record(
    v.string(),
    v.looseObject({ Type: v.string(), Properties: v.optional(v.record(v.string(), v.unknown())) }),
  ),
});

/** What a copy of the app has instead of the template's. */
export interface SettlementMapping {
  readonly batchSize?: number;
  readonly windowSeconds?: number;
  /** `none`: as many as AWS's pollers invoke. */
  readonly maximumConcurrency?: 'none';
  /** False: nothing polls the queue. */
  readonly isEnabled?: boolean;
}

/** Schedules are off, so that no tick falls into the measurement by chance. */
export async function copyToMeasure(
  assembly: string,
  mapping: SettlementMapping = {},
): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'duotempo-cost-'));
  await cp(assembly, folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.template.json')) continue;
    const file = path.join(folder, name);
    const template = v.parse(templateSchema, parseJson(await readFile(file, 'utf8')));
    for (const [logicalId, resource] of Object.entries(template.Resources)) {
      const properties = (resource.Properties ??= {});
      if (resource.Type === 'AWS::Scheduler::Schedule') properties['State'] = 'DISABLED';
      if (resource.Type === 'AWS::Lambda::EventSourceMapping' && logicalId.startsWith('SettlementMapping'))
        edit(properties, mapping);
    }
    await writeFile(file, JSON.stringify(template));
  }
  return { folder, remove: async () => rm(folder, { recursive: true, force: true }) };
}

function edit(properties: Record<string, unknown>, mapping: SettlementMapping): void {
  const { batchSize, windowSeconds, maximumConcurrency, isEnabled } = mapping;
  if (batchSize !== undefined) properties['BatchSize'] = batchSize;
  if (windowSeconds !== undefined) properties['MaximumBatchingWindowInSeconds'] = windowSeconds;
  if (maximumConcurrency === 'none') delete properties['ScalingConfig'];
  if (isEnabled !== undefined) properties['Enabled'] = isEnabled;
}

/** By the month, whether anything happens or not. */
export interface StandingWork {
  /** Long polls that find nothing. */
  readonly emptyReceives: number;
  readonly scheduledRuns: number;
}

const MONTH_DAYS = 30;
const MONTH_SECONDS = MONTH_DAYS * 86_400;
export const MONTH_MINUTES = MONTH_SECONDS / 60;
/** A schedule that runs more often goes on at the same pace. */
const SAMPLE_RUNS = 96;
const LONG_POLL_SECONDS = 20;
const POLLERS = 5; // Lambda developer guide, "Configuring scaling behavior for SQS event source mappings"

export function standingWorkOf(assembly: string): StandingWork {
  const resources = loadAssembly(assembly).flatMap(({ template }) => template.resources);
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const pollers = ofType('AWS::Lambda::EventSourceMapping').map(({ properties }) =>
    Math.min(POLLERS, Number(objectAt(properties, 'ScalingConfig')['MaximumConcurrency'] ?? POLLERS)),
  );
  const runs = ofType('AWS::Scheduler::Schedule').map(({ properties }) => {
    const start = new Date('2026-01-01T00:00:00Z');
    const timeZone = textAt(properties, 'ScheduleExpressionTimezone');
    const { next } = parseScheduleExpression({
      expression: textAt(properties, 'ScheduleExpression') ?? '',
      createdAt: start,
      ...(timeZone === undefined ? {} : { timeZone }),
    });
    const monthMilliseconds = MONTH_SECONDS * 1000;
    let [count, last] = [0, start];
    for (;;) {
      const at = next(last);
      if (at === undefined || at.getTime() > start.getTime() + monthMilliseconds) return count;
      count += 1;
      last = at;
      if (count === SAMPLE_RUNS) return (count * monthMilliseconds) / (last.getTime() - start.getTime());
    }
  });
  return {
    emptyReceives: (sum(pollers) * MONTH_SECONDS) / LONG_POLL_SECONDS,
    scheduledRuns: sum(runs),
  };
}
