import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { accessTokensOf, type ApiClient } from '../../cli/shared/tokens.ts';
import { createCallApi, describeRefusal, type CallApi } from '../../cli/shared/api.ts';
import { businessCalendar, type BusinessDay } from '../../cli/shared/business-day.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { createHttpClient } from '../../cli/shared/http.ts';
import { datesForRates, loadFxRates, readShippedFxRates } from '../../cli/shared/fx-rates.ts';
import { createChatLoad, type ChatLoad } from './chat-load.ts';
import { check } from './check.ts';
import type { RecipientRow } from './check-chat.ts';
import type { ConservationRow } from './conservation.ts';
import { findRedrives, redrive } from './dead-letters.ts';
import { drainChat, drainQueues, drainSettlement } from './drain.ts';
import { createFaults } from './faults.ts';
import type { Finding } from './findings.ts';
import { runLoad } from './load.ts';
import { lossyHttpClient } from './lossy-http.ts';
import type { MemoryThirds, Minute } from './measure.ts';
import { startOwnHost, type OwnHost } from './own-host.ts';
import { seededRandom } from './random.ts';
import { createRecord, noteEvent, type SoakRecord } from './record.ts';
import { retries } from './retries.ts';
import { merchantProfiles } from './sales.ts';

export interface SoakOptions {
  /** The folder of the cloud assembly. */
  readonly assembly: string;
  /** Of the load. */
  readonly seconds: number;
  readonly salesPerSecond: number;
  readonly messagesPerSecond: number;
  readonly seed: number;
  /** Ends the load early; what was accepted is still drained and checked. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: SoakProgress) => void;
  readonly onMinute?: (minute: Minute) => void;
}

export interface SoakProgress {
  readonly phase: 'start' | 'load' | 'drain' | 'check';
  readonly transactions: number;
  readonly messages: number;
  readonly faults: number;
}

export interface SoakReport {
  readonly seed: number;
  /** How long the load lasted. */
  readonly seconds: number;
  readonly drainSeconds: number;
  readonly settlement: readonly ConservationRow[];
  readonly recipients: readonly RecipientRow[];
  /** Frames that devices got of messages that they had already. */
  readonly pushedAgain: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly consequences: Readonly<Record<string, number>>;
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly minutes: readonly Minute[];
  readonly memoryThirds: MemoryThirds;
  /** What is lost, doubled or otherwise wrong; none, and the guarantees hold. */
  readonly findings: readonly Finding[];
}

/** Past dates into which transactions are reported. */
const PAST_DATES = 3;
const DRAIN_SECONDS = 240;

/** What the phases of a soak work with. */
interface Running {
  readonly own: OwnHost;
  readonly as: Readonly<Record<ApiClient, CallApi>>;
  readonly chat: ChatLoad;
  readonly record: SoakRecord;
}

/**
 * Runs the app under a steady load while calls fail, messages double, workers die and connections are lost; then lets it
 * come to rest, and holds everything that was accepted against its books.
 */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { assembly, seed } = options;
  const record = createRecord();
  let isFaulty = false;
  let isTwice = false;
  const isOn = (): boolean => isFaulty;
  const random = seededRandom(seed, 'clients');
  const own = await startOwnHost({
    assembly,
    interceptor: createFaults({
      random: seededRandom(seed, 'calls'),
      isOn,
      tally: record.faults,
      now: () => performance.now(),
    }),
    onEvent: (event) => noteEvent(event, record, isTwice),
  });
  const plain = createHttpClient({ connections: 128, timeoutSeconds: 20 });
  const http = lossyHttpClient(plain, {
    random,
    isOn,
    faults: record.faults,
    retried: record.consequences,
  });
  const { outputs } = own;
  const callAs = (client: ApiClient): CallApi =>
    createCallApi({
      http,
      apiUrl: outputs.DuotempoCardSettlement.ApiUrl,
      tokens: accessTokensOf(client, outputs, plain),
      retries,
      random: random.next,
    });
  // Keys of their own for every run, and tokens of cards, whatever the seed.
  const prefix = `soak-${randomUUID().slice(0, 8)}`;
  const chat = createChatLoad({
    outputs,
    http,
    prefix,
    random: seededRandom(seed, 'chat'),
    books: record.chat,
    findings: record.findings,
    onSeen: record.meter.chat,
  });
  const running = {
    own,
    as: { gateway: callAs('gateway'), operator: callAs('operator') },
    chat,
    record,
  };
  const devicesEnd = new AbortController();
  setMaxListeners(0, devicesEnd.signal);
  let devices = Promise.resolve();
  const progress = (phase: SoakProgress['phase']): void => options.onProgress?.(progressOf(phase, record));
  try {
    progress('start');
    await prepare(running);
    devices = chat.runDevices(devicesEnd.signal);
    const seconds = await runLoad({
      ...options,
      ...running.as,
      host: own.host,
      chat,
      record,
      prefix,
      dates: datesOf(new Date()),
      setFaulty: (now) => (isFaulty = now),
      onTwice: (now) => (isTwice = now),
      onSample: () => progress('load'),
      onMinute: (minute) => options.onMinute?.(minute),
    });
    const drainedFrom = performance.now();
    progress('drain');
    const days = await drain(running);
    devicesEnd.abort();
    await devices;
    const drainSeconds = (performance.now() - drainedFrom) / 1000;
    progress('check');
    const lastHello = await chat.lastHello();
    const { operator } = running.as;
    const checked = await check({ tables: own.tables, record, operator, random, days, lastHello, seconds });
    return report(record, { seed, seconds, drainSeconds, ...checked });
  } finally {
    devicesEnd.abort();
    await devices;
    plain.close();
    await own.stop();
  }
}

/** The open business date, and the past ones that are reported into. */
function datesOf(now: Date): string[] {
  const open = businessDateOf(now, businessCalendar);
  return Array.from({ length: 1 + PAST_DATES }, (_, age) => addDays(open, -age));
}

/** Merchants' profiles and rates, and every function started once: a load on a cold host is another measurement. */
async function prepare({ own, as }: Running): Promise<void> {
  const open = businessDateOf(new Date(), businessCalendar);
  await Promise.all([
    own.host.warm(),
    loadFxRates(as.operator, await readShippedFxRates(), datesForRates(open)),
    ...merchantProfiles.map(async ({ merchantId, ...profile }) => {
      const response = await as.operator({
        method: 'PUT',
        path: `/merchants/${merchantId}`,
        body: { name: merchantId, country: 'US', ...profile },
      });
      if (response.status !== 204)
        throw new CommandError(`A merchant was refused: ${describeRefusal(response)}.`);
    }),
  ]);
}

/** Faults are over: everything comes to rest. @returns the days as they end */
async function drain({ own, as, chat, record }: Running): Promise<ReadonlyMap<string, BusinessDay>> {
  const { findings, deadLetters } = record;
  const redrives = await findRedrives(own.sqs);
  const options = {
    timeoutSeconds: DRAIN_SECONDS,
    findings,
    redrive: async () => redrive(own.sqs, redrives, deadLetters.add),
  };
  const openDate = businessDateOf(new Date(), businessCalendar);
  const [days] = await Promise.all([
    drainSettlement({ ...options, ...as, books: record.transactions, openDate }),
    drainChat({ ...options, outstanding: chat.outstanding }),
  ]);
  // What is still on its way has been done by others; that it does nothing more is part of what is checked.
  await drainQueues({ ...options, sqs: own.sqs, queueUrls: own.queueUrls });
  return days;
}

function progressOf(phase: SoakProgress['phase'], { transactions, chat, faults }: SoakRecord): SoakProgress {
  return {
    phase,
    transactions: transactions.facts.size,
    messages: chat.accepted.size,
    faults: Object.values(faults.counts()).reduce((sum, count) => sum + count, 0),
  };
}

function report(
  { chat, findings, meter, faults, consequences, deadLetters }: SoakRecord,
  rest: Pick<SoakReport, 'seed' | 'seconds' | 'drainSeconds' | 'settlement' | 'recipients'>,
): SoakReport {
  let frames = 0;
  for (const { count } of chat.sightings.values()) frames += count;
  return {
    ...rest,
    pushedAgain: frames - chat.sightings.size,
    faults: faults.counts(),
    consequences: consequences.counts(),
    deadLetters: deadLetters.counts(),
    minutes: meter.minutes(),
    memoryThirds: meter.thirds(),
    findings: findings.all(),
  };
}
