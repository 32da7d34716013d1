import { stageConfig } from '../../lib/config.ts';
import type { Prices } from '../cost/prices.ts';
import { noHop, sqsHop } from './arrivals.ts';
import { playCell, type Cell, type Worker } from './cell.ts';
import { isRefused, RATES, settings } from './grid.ts';
import { fitHandler, type HandlerModel, type MeasuredSize } from './handler-model.ts';
import { awsRules, type Setting } from './pollers.ts';
import { ruleOf, type Rule } from './rule.ts';

export interface Measured {
  readonly settlement: readonly MeasuredSize[];
  readonly chat: readonly MeasuredSize[];
}

export interface ComparisonOptions {
  readonly seed: number;
  readonly withHops: boolean;
  /** Whether long polls end with the window instead of lasting 20 s. */
  readonly exactWindow: boolean;
}

export interface Comparison extends ComparisonOptions {
  readonly prices: Pick<Prices, 'region' | 'asOf'>;
  readonly handlers: Readonly<Record<'settlement' | 'chat', Omit<HandlerModel, 'spread' | 'measured'>>>;
  /** What is larger is not measured, but on the line. */
  readonly largestMeasured: number;
  readonly settlement: readonly Cell[];
  readonly refused: readonly Setting[];
  readonly chat: readonly Cell[];
  /** What the app is deployed with. */
  readonly chosen: Readonly<Record<'settlement' | 'chat', Setting>>;
  readonly rule: Rule;
}

/** As it runs in production: other stages have fewer pollers for the sake of new accounts. */
const config = stageConfig('production');

/** Plays every setting at every rate. */
export function compare(measured: Measured, prices: Prices, options: ComparisonOptions): Comparison {
  const { seed, withHops, exactWindow } = options;
  const cellOptions = { hop: withHops ? sqsHop : noHop, prices, seed };
  const workerOf = (sizes: readonly MeasuredSize[], of: typeof config.settlement): Worker => ({
    handler: fitHandler(sizes),
    memoryMegabytes: of.memoryMegabytes,
    rules: { ...awsRules(of.maximumConcurrency), windowEndsPoll: exactWindow },
  });
  const settlement = workerOf(measured.settlement, config.settlement);
  const chat = workerOf(measured.chat, config.notification);
  const chosen = { settlement: settingOf(config.settlement), chat: settingOf(config.notification) };
  const cells = RATES.flatMap((perSecond) =>
    settings
      .filter((setting) => !isRefused(setting))
      .map((setting) => playCell(setting, settlement, { ...cellOptions, perSecond })),
  );
  return {
    ...options,
    prices: { region: prices.region, asOf: prices.asOf },
    handlers: { settlement: lineOf(settlement.handler), chat: lineOf(chat.handler) },
    largestMeasured: Math.max(...measured.settlement.map(({ size }) => size)),
    settlement: cells,
    refused: settings.filter(isRefused),
    chat: RATES.map((perSecond) => playCell(chosen.chat, chat, { ...cellOptions, perSecond })),
    chosen,
    rule: ruleOf(cells),
  };
}

function settingOf({ batchSize, windowSeconds }: Setting): Setting {
  return { batchSize, windowSeconds };
}

function lineOf({ millisecondsPerBatch, millisecondsPerItem }: HandlerModel) {
  return { millisecondsPerBatch, millisecondsPerItem };
}
