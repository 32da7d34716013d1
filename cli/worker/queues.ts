import type { WorkerName } from '../shared/workers.ts';
import type { QueueHandler } from './invoke.ts';

interface Queue {
  /** What `StageConfig` calls it, and the command line. */
  readonly name: Lowercase<WorkerName>;
  readonly worker: WorkerName;
  readonly stack: 'DuotempoCardSettlement' | 'DuotempoChat';
  /** A handler reads the environment when it is loaded, or first called. */
  readonly load: () => Promise<{ readonly handler: QueueHandler }>;
}

export const queues: readonly Queue[] = [
  {
    name: 'settlement',
    worker: 'Settlement',
    stack: 'DuotempoCardSettlement',
    load: async () => import('../../lambda/card-settlement/settle/handler.ts'),
  },
  {
    name: 'reconcile',
    worker: 'Reconcile',
    stack: 'DuotempoCardSettlement',
    load: async () => import('../../lambda/card-settlement/reconcile/handler.ts'),
  },
  {
    name: 'notification',
    worker: 'Notification',
    stack: 'DuotempoChat',
    load: async () => import('../../lambda/chat/deliver/handler.ts'),
  },
  {
    name: 'drain',
    worker: 'Drain',
    stack: 'DuotempoChat',
    load: async () => import('../../lambda/chat/drain/handler.ts'),
  },
];
