import { readFileSync } from 'node:fs';
import { setMaxListeners } from 'node:events';
import type { LocalHost } from '../../local/host.ts';
import type { CallApi } from '../api.ts';
import type { ChatLoad } from './chat-load.ts';
import { disturb } from './disturbances.ts';
import { runIntake } from './intake.ts';
import type { Minute } from './measure.ts';
import { operate } from './operating.ts';
import { everySoOften } from './pace.ts';
import { seededRandom } from './random.ts';
import type { SoakRecord } from './record.ts';
import { createSales } from './sales.ts';

let dbg = 0;
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
    dbg += 1;
    if (dbg % 20 === 0) { (globalThis as any).gc?.(); const m = process.memoryUsage();
      const text = readFileSync('/proc/self/smaps', 'utf8'); const sums: Record<string, number> = {}; let kind = '';
      for (const line of text.split('\n')) { const h = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+)\s*(.*)$/.exec(line); if (h) { const start = BigInt('0x' + h[1]); const size = Number(BigInt('0x' + h[2]) - start) / 1024; kind = h[5] ? (h[5].startsWith('[') ? h[5] : 'file') : start % 0x4000000n === 0n && size < 65536 ? 'arena' : size === 256 || h[3] === '---p' ? 'v8page256' : size > 4096 ? 'big' : 'small'; } const r = /^Rss:\s+(\d+)/.exec(line); if (r) sums[kind] = (sums[kind] ?? 0) + Number(r[1]) / 1024; }
      const threads = /Threads:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
      process.stderr.write(`DBG t=${dbg} rss ${m.rss >> 20} heapUsed ${m.heapUsed >> 20} total ${m.heapTotal >> 20} ab ${m.arrayBuffers >> 20} tx ${transactions.facts.size} msg ${record.chat.accepted.size} threads ${threads} ${JSON.stringify(Object.fromEntries(Object.entries(sums).map(([k, n]) => [k, Math.round(n)])))}\n`); }
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
