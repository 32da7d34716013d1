import type { HostEvent, UsageRecord } from '../../local/index.ts';
import { percentiles } from '../harness/percentiles.ts';

export interface FunctionTimes {
  readonly onEvent: (event: HostEvent) => void;
  /** Keeps what else this machine does off the bill. Functions that were hardly invoked keep their own times. */
  readonly atMedian: (records: readonly UsageRecord[]) => readonly UsageRecord[];
}

const LEAST_INVOCATIONS = 20;

export function createFunctionTimes(): FunctionTimes {
  const times = new Map<string, number[]>();
  return {
    onEvent: (event) => {
      if (event.type !== 'invocation') return;
      const known = times.get(event.functionName) ?? [];
      known.push(event.milliseconds);
      times.set(event.functionName, known);
    },
    atMedian: (records) => {
      const countOf = (wanted: UsageRecord['unit'], functionName: string): number =>
        records.find(({ unit, resource }) => unit === wanted && resource === functionName)?.count ?? 0;
      return records.map((record) => {
        if (record.unit !== 'lambda-milliseconds' && record.unit !== 'lambda-gigabyte-seconds') return record;
        const found = percentiles(times.get(record.resource) ?? []);
        const measured = countOf('lambda-milliseconds', record.resource);
        if (found === undefined || found.count < LEAST_INVOCATIONS || measured === 0) return record;
        const typical = Math.ceil(found.p50) * countOf('lambda-requests', record.resource);
        return { ...record, count: (record.count * typical) / measured };
      });
    },
  };
}
