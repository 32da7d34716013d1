import type { UsageRecord } from '../../local/index.ts';

/** The part of the work that one function does. */
export interface Step {
  readonly name: string;
  readonly includes: (record: UsageRecord) => boolean;
}

/** Empty receives come with time, not with work: the month's bill has them. */
function step(name: string, worker: string, also: (record: UsageRecord) => boolean = () => false): Step {
  return {
    name,
    includes: (record) =>
      record.unit !== 'sqs-empty-receives' && (record.by.includes(worker) || also(record)),
  };
}

/** Physical names contain those of the constructs. */
export const saleSteps = {
  intake: step('intake', 'AcceptTransaction', ({ part }) => part === 'POST /transactions'),
  reconcile: step('reconcile', 'ReconcileWorker'),
  settlement: step('settlement', 'SettlementWorker'),
} as const;

export const messageSteps: readonly Step[] = [
  step('post', 'PostMessage', ({ part }) => part === 'POST /messages'),
  step('pipe', 'MessagePipe', ({ unit }) => unit === 'pipe-requests'),
  step('push', 'NotificationWorker', isFrame('out')),
  step('acknowledge', 'AckFunction', isFrame('in')),
];

function isFrame(direction: 'in' | 'out'): (record: UsageRecord) => boolean {
  return ({ unit, part }) => unit === 'websocket-messages' && part === direction;
}
