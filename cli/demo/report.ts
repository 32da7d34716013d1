import { breakFaults } from '../replay/breaks.ts';
import type { Detection } from '../replay/detection.ts';
import { breakLines, dateFaults, detectionTable, settlementTable } from '../replay/report.ts';
import type { DateResult } from '../replay/settle.ts';
import { countOf, type Colors } from '../shared/screen.ts';
import { kinds } from './event.ts';

export interface DemoResult {
  readonly dates: readonly DateResult[];
  readonly detection: Detection | undefined;
  readonly miscounts: string;
  readonly terminals: ReadonlySet<string>;
  readonly gifts: { readonly transactions: number; readonly held: number };
}

export function reportOf({ dates, detection, gifts }: DemoResult, colors: Colors): string[] {
  const breaks = breakLines(dates);
  const held = gifts.held === 0 ? 'none' : String(gifts.held);
  return [
    settlementTable(dates, colors),
    ...(detection === undefined ? [] : [detectionTable(detection)]),
    `${countOf(gifts.transactions, 'equal gift')}, bought an hour apart: ${held} held`,
    ...(breaks.length === 0 ? [] : [['breaks', ...breaks].join('\n')]),
  ];
}

export function faultsOf({ dates, detection, gifts, miscounts, terminals }: DemoResult): string[] {
  const missed = kinds.filter((kind) => (detection?.labels[kind]?.held ?? 0) === 0);
  const duplicates = detection?.labels['duplicate'];
  return [
    ...dateFaults(dates),
    ...breakFaults(dates, terminals, miscounts),
    ...missed.map((kind) => `No ${kind} was found.`),
    ...(duplicates !== undefined && duplicates.held < duplicates.transactions
      ? [`Of ${countOf(duplicates.transactions, 'duplicate')} only ${duplicates.held} are held.`]
      : []),
    ...(gifts.held > 0 ? [`Of the equal gifts, ${gifts.held} are held.`] : []),
  ];
}
