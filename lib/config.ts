import type { BusinessCalendar, FraudSettings } from '../lambda/card-settlement/contract.ts';

/** How a queue is worked on: the tempo. */
export interface WorkerConfig {
  /** More than 10 need a window. */
  readonly batchSize: number;
  /** With little traffic, Lambda may wait up to 20 s (Lambda developer guide, "Using Lambda with Amazon SQS"). */
  readonly windowSeconds: number;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  /** AWS recommends at least 5. */
  readonly maxReceiveCount: number;
  /** At least 2. */
  readonly maximumConcurrency: number;
  /** An older message raises an alarm. SQS drops messages after 4 days, not as dead letters. */
  readonly alarmAgeMinutes: number;
}

export interface StageConfig {
  readonly stage: Stage;
  /** True: tables survive the stack, and any second of 35 days can be restored. False: `cdk destroy` leaves nothing. */
  readonly keepsData: boolean;
  readonly logRetentionDays: 7 | 90;
  readonly calendar: BusinessCalendar;
  /** From the seal to the first run that may balance the day: more than the 15 s by which a write can be late. */
  readonly sealWaitSeconds: number;
  /** Sources: docs/fraud-rules.md */
  readonly fraud: FraudSettings;
  readonly settlement: WorkerConfig;
  readonly reconcile: WorkerConfig;
  readonly notification: WorkerConfig;
  readonly drain: WorkerConfig;
  readonly messageRate: { readonly messages: number; readonly windowSeconds: number };
  /** Requests per second and at once, for each API. */
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
}

export type Stage = 'sandbox' | 'production' | 'test' | 'soak';

/** The same in every stage, so that tests of the rules hold for production. */
const fraud: FraudSettings = {
  holdScore: 70,
  cardTesting: { score: 70, cards: 10, windowMinutes: 10 },
  impossibleTravel: { score: 70, kilometres: 500, kilometresPerHour: 1000, windowHours: 48 },
  burst: { score: 70, earlierUses: 10, windowMinutes: 10 },
  duplicate: { score: 70, windowMinutes: 5 },
  nightLarge: { score: 70, fromHour: 22, untilHour: 4, amountUsd: 250 },
  amountSpike: { score: 40, timesMean: 5, earlierUses: 5, windowDays: 30 },
  velocity: { score: 40, earlierUses: 5, windowHours: 12 },
  highRiskCategory: {
    score: 20,
    categories: [
      '4829', // money transfer
      '5122', // drugs, wholesale
      '5912', // drug stores and pharmacies
      '5962', // direct marketing: travel
      '5966', // direct marketing: outbound telemarketing
      '5967', // direct marketing: inbound telemarketing
      '5993', // cigar stores
      '6051', // quasi cash, money orders, cryptocurrency
      '6211', // securities
      '7273', // dating services
      '7995', // betting
      '9406', // government-owned lotteries
    ],
  },
};

const worker: WorkerConfig = {
  batchSize: 1,
  windowSeconds: 0,
  timeoutSeconds: 30,
  memoryMegabytes: 512,
  maxReceiveCount: 5,
  // A new account runs 10 functions at once, so each queue takes the least that Lambda allows.
  maximumConcurrency: 2,
  alarmAgeMinutes: 5,
};

const sandbox: StageConfig = {
  stage: 'sandbox',
  keepsData: false,
  logRetentionDays: 7,
  calendar: { timeZone: 'America/New_York', cutOff: '17:00' },
  sealWaitSeconds: 30,
  fraud,
  settlement: {
    ...worker,
    batchSize: 10,
    windowSeconds: 10,
    // A whole day is settled after the cut-off: hours of backlog are normal.
    alarmAgeMinutes: 6 * 60,
  },
  reconcile: {
    ...worker,
    timeoutSeconds: 300,
    memoryMegabytes: 1024,
    // Twice the longest delay of a run.
    alarmAgeMinutes: 30,
  },
  notification: worker,
  drain: { ...worker, batchSize: 10 },
  messageRate: { messages: 50, windowSeconds: 10 },
  throttle: { rateLimit: 1000, burstLimit: 2000 },
};

const stages: Readonly<Record<Stage, StageConfig>> = {
  sandbox,
  production: {
    ...sandbox,
    stage: 'production',
    keepsData: true,
    logRetentionDays: 90,
    // docs/decisions/0022
    settlement: { ...sandbox.settlement, maximumConcurrency: 100 },
    reconcile: { ...sandbox.reconcile, maximumConcurrency: 16 },
    notification: { ...sandbox.notification, maximumConcurrency: 200 },
    drain: { ...sandbox.drain, maximumConcurrency: 50 },
    throttle: { rateLimit: 5000, burstLimit: 5000 },
  },
  // Short enough for a test to see a message fail all its receives.
  test: {
    ...sandbox,
    stage: 'test',
    sealWaitSeconds: 1,
    settlement: { ...sandbox.settlement, windowSeconds: 1, timeoutSeconds: 2, maxReceiveCount: 2 },
    reconcile: { ...sandbox.reconcile, timeoutSeconds: 3 },
    notification: { ...sandbox.notification, timeoutSeconds: 2, maxReceiveCount: 3 },
    drain: { ...sandbox.drain, timeoutSeconds: 2, maxReceiveCount: 3 },
    messageRate: { messages: 500, windowSeconds: 10 },
  },
  // A killed worker's messages come again within half a minute. Waits and receive counts that guarantees rely on are not
  // shortened: what this stage loses, the others would lose. More workers meet each other more often.
  soak: {
    ...sandbox,
    stage: 'soak',
    sealWaitSeconds: 20,
    settlement: { ...sandbox.settlement, windowSeconds: 2, timeoutSeconds: 5 },
    reconcile: { ...sandbox.reconcile, timeoutSeconds: 20 },
    notification: { ...sandbox.notification, timeoutSeconds: 5, maximumConcurrency: 4 },
    drain: { ...sandbox.drain, timeoutSeconds: 5, maximumConcurrency: 4 },
    messageRate: { messages: 500, windowSeconds: 10 },
  },
};

/** @throws Error that names the stages */
export function stageConfig(stage: unknown): StageConfig {
  const found = Object.values(stages).find((config) => config.stage === stage);
  if (found === undefined) {
    throw new Error(
      `There is no stage '${String(stage)}'. The stages are ${Object.keys(stages).join(', ')}.`,
    );
  }
  return found;
}
