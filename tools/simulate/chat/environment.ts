import { environmentNames as names } from '../../../lambda/chat/contract.ts';
import { stageConfig } from '../../../lib/config.ts';
import type { SimulatedQueue } from '../queues.ts';

/** The environment of chat's functions in a simulation. Import it before them: some of it they read at once. */

const { notification, drain, messageRate } = stageConfig('sandbox');

export { messageRate };

/** As `QueueWorker` makes it of a tempo. */
function queueOf(name: string, tempo: typeof drain, mayLose: boolean): SimulatedQueue {
  const visibilityTimeoutSeconds = 6 * tempo.timeoutSeconds + tempo.windowSeconds;
  return {
    ...tempo,
    // So short that a message meets what happens when it is sent.
    latencyMilliseconds: 5,
    queueUrl: `http://simulated.test/000000000000/${name}`,
    visibilityTimeoutSeconds,
    mayLose,
  };
}

export const queues = {
  notification: queueOf('notification', notification, false),
  /** A device that hears nothing says hello again. */
  drain: queueOf('drain', drain, true),
};

export const tableNames = {
  messages: 'Messages',
  inbox: 'Notifications',
  acknowledgements: 'Acknowledgements',
  connections: 'Connections',
  rateLimits: 'RateLimits',
  conversations: 'Conversations',
} as const;

Object.assign(process.env, {
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
  [names.messagesTable]: tableNames.messages,
  [names.notificationsTable]: tableNames.inbox,
  [names.acknowledgementsTable]: tableNames.acknowledgements,
  [names.connectionsTable]: tableNames.connections,
  [names.rateLimitsTable]: tableNames.rateLimits,
  [names.conversationsTable]: tableNames.conversations,
});
