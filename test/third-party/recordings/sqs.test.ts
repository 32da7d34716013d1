import { SQS } from '@aws-sdk/client-sqs';
import { startEngines } from '../../local/dynamodb/engines.ts';
import { reEnact } from './re-enact.ts';
import type { Place } from './re-enact.ts';
import {
  MOVE_TASK_DIFFERENCES,
  MOVE_TASK_SCENARIOS,
  MOVE_TASKS_LEFT_ASIDE,
} from './sqs-move-task-scenarios.ts';
import { SQS_LEFT_ASIDE, SQS_SCENARIOS } from './sqs-scenarios.ts';
import type { Account } from './sqs-scenarios.ts';

/**
 * Goal: SQS answers a program here as AWS does.
 * Method: what a test did on AWS is done here, by the SDK; its answers are compared field by field with those recorded.
 */

reEnact(
  {
    title: 'SQS',
    file: 'test_sqs.snapshot.json',
    scenarios: SQS_SCENARIOS,
    leftAside: SQS_LEFT_ASIDE,
    known: {},
  },
  startAccount,
);
reEnact(
  {
    title: 'message move tasks',
    file: 'test_sqs_move_task.snapshot.json',
    scenarios: MOVE_TASK_SCENARIOS,
    leftAside: MOVE_TASKS_LEFT_ASIDE,
    known: MOVE_TASK_DIFFERENCES,
  },
  startAccount,
);

async function startAccount(): Promise<Place<Account>> {
  const engines = await startEngines();
  const clients: SQS[] = [];
  let queues = 0;
  const clientOf = (endpoint = engines.endpoint.url): SQS => {
    const client = new SQS({
      region: 'us-east-1',
      endpoint,
      credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
      maxAttempts: 1,
    });
    clients.push(client);
    return client;
  };
  return {
    account: () => ({
      sqs: clientOf(),
      clientOf,
      queue: (attributes = {}, name = `queue-${(queues += 1)}`) =>
        engines.createQueue(name, attributes).queueUrl,
      arnOf: (queueUrl) => `arn:aws:sqs:us-east-1:000000000000:${queueUrl.split('/').at(-1)}`,
    }),
    stop: async () => {
      for (const client of clients) client.destroy();
      await engines.stop();
    },
  };
}
