import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { responses } from '../../lambda/card-settlement/api.ts';
import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { environmentNames as settlementNames } from '../../lambda/card-settlement/contract.ts';
import { environmentNames as chatNames } from '../../lambda/chat/contract.ts';
import { accessTokensOf, type ApiClient } from '../../cli/shared/tokens.ts';
import { bodyOf, type CallApi, createCallApi, describeRefusal } from '../../cli/shared/api.ts';
import { awsClientOptions } from '../../cli/shared/outputs.ts';
import { businessCalendar, type BusinessDay } from '../../cli/shared/business-day.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { createHttpClient } from '../../cli/shared/http.ts';
import { datesForRates, loadFxRates, readShippedFxRates } from '../../cli/shared/fx-rates.ts';
import { depthsOf } from '../../cli/smoke/alarms.ts';
import { type OwnHost, startOwnHost } from '../harness/own-host.ts';
import { type Random, seededRandom } from '../harness/random.ts';
import { type ChatLoad, createChatLoad } from './chat-load.ts';
import { checkChat } from './check-chat.ts';
import { checkSettlement, type SettlementResult } from './check-settlement.ts';
import { disturb } from './disturbances.ts';
import { drainMessages, drainSettlement, redriveAll } from './drain.ts';
import { createFaults, lossyHttpClient } from './faults.ts';
import { everySoOften } from './pace.ts';
import {
  createRecord,
  type Findings,
  type MemoryThirds,
  noteEvent,
  RETRIES,
  type SoakRecord,
} from './record.ts';
import { MEMORY_GROWTH_LIMIT, minuteText, type SoakReport } from './report.ts';
import { merchantProfiles } from './sales.ts';
import { operate, runIntake } from './settlement-load.ts';
import { createTables } from './tables.ts';

export interface SoakOptions {
  readonly assembly: string;
  /** How long the load lasts. */
  readonly seconds: number;
  readonly salesPerSecond: number;
  readonly messagesPerSecond: number;
  readonly seed: number;
  /** Ends the load early. What was accepted is still drained and checked. */
  readonly signal: AbortSignal;
  readonly say?: (text: string) => void;
}

const PAST_DATES = 3;
/** Nearly all functions run at once: with the default they would keep taking workers from each other. */
const MAXIMUM_WORKERS = 28;
const ASKED_STATUSES = 100;
/** A shorter run is still loading code in its middle third. */
const MEMORY_CHECK_SECONDS = 120;

interface Soak extends SoakOptions {
  readonly say: (text: string) => void;
  readonly host: OwnHost;
  readonly gateway: CallApi;
  readonly operator: CallApi;
  readonly chat: ChatLoad;
  /** Begins every key, so that runs share none. */
  readonly prefix: string;
  readonly record: SoakRecord;
  readonly random: (purpose: string) => Random;
  readonly now: { isFaulty: boolean; isTwice: boolean };
}

/** After a steady load with faults, the app comes to rest, and its books must agree with everything it accepted. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seed, assembly, say = () => undefined } = options;
  const record = createRecord();
  const random = (purpose: string): Random => seededRandom(seed, purpose);
  const now = { isFaulty: false, isTwice: false };
  const faults = { isOn: () => now.isFaulty, tally: record.faults };
  say('Starting the host…');
  const host = await startOwnHost({
    assembly,
    maxWorkers: MAXIMUM_WORKERS,
    interceptors: [createFaults({ ...faults, random: random('calls') })],
    onEvent: (event) => noteEvent(event, record, now.isTwice),
  });
  const outputs = host.appOutputs;
  const plain = createHttpClient({ connections: 128, timeoutSeconds: 20 });
  const http = lossyHttpClient(plain, { ...faults, random: random('answers'), retried: record.consequences });
  const callAs = (client: ApiClient): CallApi =>
    createCallApi({
      http,
      apiUrl: outputs.DuotempoCardSettlement.ApiUrl,
      tokens: accessTokensOf(client, outputs, plain),
      retries: RETRIES,
      random: random('retries').next,
    });
  const prefix = `soak-${randomUUID().slice(0, 8)}`;
  const chat = createChatLoad({ outputs, http, prefix, random: random('chat'), record });
  const [gateway, operator] = [callAs('gateway'), callAs('operator')];
  try {
    return await play({ ...options, say, host, gateway, operator, chat, prefix, record, random, now });
  } finally {
    plain.close();
    await host.stop();
  }
}

async function play(soak: Soak): Promise<SoakReport> {
  const { seed, say, chat, record } = soak;
  await prepare(soak);
  const devicesEnd = new AbortController();
  setMaxListeners(0, devicesEnd.signal);
  const devices = chat.runDevices(devicesEnd.signal);
  let days: ReadonlyMap<string, BusinessDay>;
  let [seconds, drainedFrom] = [0, 0];
  try {
    seconds = await load(soak);
    drainedFrom = performance.now();
    say('The load is over: draining, reconciling, redriving…');
    days = await drain(soak);
  } finally {
    devicesEnd.abort();
    await devices;
  }
  const drainSeconds = (performance.now() - drainedFrom) / 1000;
  say('Checking the books…');
  const checked = await check(soak, days, seconds);
  let frames = 0;
  for (const { count } of record.chat.sightings.values()) frames += count;
  return {
    seed,
    seconds,
    drainSeconds,
    ...checked,
    pushedAgain: frames - record.chat.sightings.size,
    faults: record.faults.counts(),
    consequences: record.consequences.counts(),
    deadLetters: record.deadLetters.counts(),
    minutes: record.meter.minutes(),
    memoryThirds: record.meter.thirds(),
    findings: record.findings.all(),
  };
}

/** The load does not begin on a cold host. */
async function prepare({ host, operator }: Soak): Promise<void> {
  const open = businessDateOf(new Date(), businessCalendar);
  await Promise.all([
    host.warm(),
    loadFxRates(operator, await readShippedFxRates(), datesForRates(open)),
    ...merchantProfiles.map(async ({ merchantId, ...profile }) => {
      const body = { name: merchantId, country: 'US', ...profile };
      const response = await operator({ method: 'PUT', path: `/merchants/${merchantId}`, body });
      if (response.status !== 204)
        throw new CommandError(`A merchant was refused: ${describeRefusal(response)}.`);
    }),
  ]);
}

/** @returns how many seconds it lasted */
async function load(soak: Soak): Promise<number> {
  const { host, gateway, operator, chat, prefix, record, random, now, say } = soak;
  const { meter, findings, settlement: books } = record;
  // AbortSignal.any would do, but Node.js 20 loses a signal that nothing but another signal refers to.
  const ending = new AbortController();
  const { signal } = ending;
  setMaxListeners(0, signal);
  const end = (): void => {
    now.isFaulty = false;
    ending.abort();
  };
  now.isFaulty = true;
  const timer = setTimeout(end, soak.seconds * 1000);
  soak.signal.addEventListener('abort', end);
  if (soak.signal.aborted) end();
  const endMinute = (): void => {
    const minute = meter.endMinute();
    if (minute !== undefined) say(minuteText(minute));
  };
  const open = businessDateOf(new Date(), businessCalendar);
  const dates = Array.from({ length: 1 + PAST_DATES }, (_, age) => addDays(open, -age));
  const settlement = { gateway, operator, dates, books, findings, signal };
  const clock = { random: random('clock'), signal };
  const startedAt = performance.now();
  await Promise.all([
    runIntake(
      { ...settlement, random: random('intake') },
      { prefix, perSecond: soak.salesPerSecond, onAccepted: meter.intake },
    ),
    operate({ ...settlement, random: random('operating') }, soak.seconds),
    chat.write(soak.messagesPerSecond, signal),
    disturb({
      host,
      random: random('disturbances'),
      tally: record.faults,
      onTwice: (isTwice) => (now.isTwice = isTwice),
      signal,
    }),
    everySoOften([1000, 1000], clock, () => meter.memory(process.memoryUsage().rss)),
    everySoOften([60_000, 60_000], clock, endMinute),
  ]);
  clearTimeout(timer);
  endMinute();
  return (performance.now() - startedAt) / 1000;
}

/** Without faults, everything comes to rest. */
async function drain(soak: Soak): Promise<ReadonlyMap<string, BusinessDay>> {
  const { host, gateway, operator, chat, record } = soak;
  const { appOutputs: outputs } = host;
  const redrive = async (): Promise<void> => redriveAll(outputs, record.deadLetters);
  const options = { findings: record.findings, redrive };
  const openDate = businessDateOf(new Date(), businessCalendar);
  const [days] = await Promise.all([
    drainSettlement({ ...options, gateway, operator, books: record.settlement, openDate }),
    drainMessages(chat.outstanding, 'chat', 'were not delivered in time', options),
  ]);
  const queueUrls = [
    settlementNames.settlementQueueUrl,
    chatNames.notificationQueueUrl,
    chatNames.drainQueueUrl,
  ].map(host.variable);
  const left = async (): Promise<number> =>
    [...(await depthsOf(outputs, queueUrls)).values()].reduce((sum, depth) => sum + depth, 0);
  // Messages still on their way are doubles. The checks show that they change nothing.
  await drainMessages(left, 'queues', 'are left in the queues', options);
  return days;
}

async function check(
  { host, chat, operator, record, random }: Soak,
  days: ReadonlyMap<string, BusinessDay>,
  seconds: number,
): Promise<Pick<SoakReport, 'settlement' | 'recipients'>> {
  const { settlement, chat: books, findings, meter } = record;
  // Without anything accepted, a run shows nothing.
  if (settlement.facts.size === 0) findings.add('nothing was accepted', 'intake');
  if (books.accepted.size === 0) findings.add('nothing was accepted', 'chat');
  const lastHello = await chat.lastHello();
  const dynamoDb = new DynamoDBClient(awsClientOptions(host.appOutputs));
  const { staged, ledger, messages, notifications } = createTables(dynamoDb, host.variable);
  try {
    const { rows, statuses } = await checkSettlement(
      { accepted: settlement.facts, staged: staged(), ledger: ledger(), days },
      findings,
    );
    await checkStatuses(operator, statuses, random('statuses'), findings);
    const recipients = await checkChat(
      { ...books, messages: messages(), notifications: notifications(), lastHello },
      findings,
    );
    if (seconds >= MEMORY_CHECK_SECONDS) checkMemory(meter.thirds(), findings);
    return { settlement: rows, recipients };
  } finally {
    dynamoDb.destroy();
  }
}

async function checkStatuses(
  operator: CallApi,
  statuses: SettlementResult['statuses'],
  random: Random,
  findings: Findings,
): Promise<void> {
  const ids = [...statuses.keys()];
  for (let asked = 0; asked < Math.min(ASKED_STATUSES, ids.length); asked += 1) {
    const id = random.pick(ids);
    const ask = async (): Promise<void> => {
      const response = await operator({ method: 'GET', path: `/transactions/${id}` });
      const { status } = bodyOf(response, responses.TransactionView, `the transaction ${id}`);
      if (status !== statuses.get(id))
        findings.add(`${statuses.get(id)} in the ledger, but ${status} in the API`, 'the API', id);
    };
    await findings.during('reading a status', 'the API', ask, id);
  }
}

export function checkMemory([, middle, last]: MemoryThirds, findings: Findings): void {
  if (last <= MEMORY_GROWTH_LIMIT * middle) return;
  const [from, to] = [Math.round(middle), Math.round(last)];
  findings.add(`memory grew from ${from} MB in the middle third to ${to} MB in the last`, 'this process');
}
