import { setMaxListeners } from 'node:events';
import type { LocalHost } from '../../local/index.ts';
import type { CallApi } from '../../cli/shared/api.ts';
import type { ChatLoad } from './chat-load.ts';
import { disturb } from './disturbances.ts';
import { runIntake } from './intake.ts';
import type { Minute } from './measure.ts';
import { operate } from './operating.ts';
import { everySoOften } from './pace.ts';
import { seededRandom } from './random.ts';
import type { SoakRecord } from './record.ts';
import { createSales } from './sales.ts';

const SAMPLE_MILLISECONDS = 1000;
const MINUTE_MILLISECONDS = 60_000;

export interface LoadOptions {
  readonly host: LocalHost;
  readonly operator: CallApi;
  readonly gateway: CallApi;
  readonly chat: ChatLoad;
  readonly record: SoakRecord;
  /** The open date first, then the past ones, from the latest on. */
  readonly dates: readonly string[];
  /** Begins every key. */
  readonly prefix: string;
  readonly seconds: number;
  readonly salesPerSecond: number;
  readonly messagesPerSecond: number;
  readonly seed: number;
  /** Faults befall the app while this holds. */
  readonly setFaulty: (isFaulty: boolean) => void;
  readonly onTwice: (isOn: boolean) => void;
  readonly onSample: () => void;
  readonly onMinute: (minute: Minute) => void;
  readonly signal: AbortSignal;
}

/** Lets everything go on at once, for so many seconds or until the signal. @returns how many seconds it was */
export async function runLoad(options: LoadOptions): Promise<number> {
  const { host, operator, gateway, chat, record, dates, prefix, seed, seconds, setFaulty } = options;
  const { transactions, findings, meter, faults } = record;
  const ending = new AbortController();
  const { signal } = ending;
  // All that goes on waits for this signal.
  setMaxListeners(0, signal);
  const end = (): void => {
    setFaulty(false);
    ending.abort();
  };
  const timer = setTimeout(end, seconds * 1000);
  options.signal.addEventListener('abort', end, { once: true });
  const startedAt = performance.now();
  if (options.signal.aborted) end();
  else setFaulty(true);

  const sample = (): void => {
    meter.memory(process.memoryUsage().rss);
    options.onSample();
  };
  const endMinute = (): void => {
    const minute = meter.endMinute();
    if (minute !== undefined) options.onMinute(minute);
  };
  const books = { findings, books: transactions, signal };
  const sales = createSales({
    random: seededRandom(seed, 'sales'),
    pastDates: dates.slice(1),
    prefix,
  });
  await Promise.all([
    runIntake({
      ...books,
      call: gateway,
      random: seededRandom(seed, 'intake'),
      next: sales.next,
      perSecond: options.salesPerSecond,
      onAccepted: meter.intake,
    }),
    operate({ ...books, operator, gateway, random: seededRandom(seed, 'operating'), dates, seconds }),
    chat.write(options.messagesPerSecond, signal),
    disturb({
      host,
      random: seededRandom(seed, 'disturbances'),
      tally: faults,
      onTwice: options.onTwice,
      signal,
    }),
    everySoOften(() => SAMPLE_MILLISECONDS, signal, sample),
    everySoOften(() => MINUTE_MILLISECONDS, signal, endMinute),
  ]);
  clearTimeout(timer);
  options.signal.removeEventListener('abort', end);
  endMinute();
  return (performance.now() - startedAt) / 1000;
}
