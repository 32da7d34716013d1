import { setTimeout as sleep } from 'node:timers/promises';
import type { LeftAside } from './recorded.ts';
import { answerOf } from './sqs-scenarios.ts';
import type { Account, Scenario } from './sqs-scenarios.ts';

const taskHandle = (taskId: string, sourceArn: string): string =>
  Buffer.from(JSON.stringify({ taskId, sourceArn })).toString('base64');

/** A dead-letter queue with so many messages of each of its source queues. */
async function deadLetters({ sqs, queue, arnOf }: Account, count: number, sources = 1) {
  const deadLettersUrl = queue();
  const policy = { deadLetterTargetArn: arnOf(deadLettersUrl), maxReceiveCount: 1 };
  const sourceUrls = Array.from({ length: sources }, () => queue({ RedrivePolicy: JSON.stringify(policy) }));
  for (const QueueUrl of sourceUrls) {
    for (let index = 0; index < count; index += 1) {
      await sqs.sendMessage({ QueueUrl, MessageBody: `message-${index}` });
    }
    for (let turn = 0; turn < 2 * count; turn += 1)
      await sqs.receiveMessage({ QueueUrl, VisibilityTimeout: 0 });
  }
  return { SourceArn: arnOf(deadLettersUrl), sourceUrls };
}

/** Lists the tasks as soon as the newest is as told. */
async function listedOnce(
  { sqs }: Account,
  SourceArn: string,
  isSo: (moved: number, status?: string) => boolean,
) {
  for (;;) {
    const listed = await sqs.listMessageMoveTasks({ SourceArn });
    const [task] = listed.Results ?? [];
    if (isSo(task?.ApproximateNumberOfMessagesMoved ?? 0, task?.Status))
      return answerOf(Promise.resolve(listed));
    await sleep(50);
  }
}

const completed = (_: number, status?: string): boolean => status === 'COMPLETED';

const toWhereTheyCameFrom =
  (sources: number): Scenario =>
  async (account) => {
    const { SourceArn, sourceUrls } = await deadLetters(account, 2, sources);
    const origins = sourceUrls.map((url, index) => [
      sources === 1 ? 'original-source' : `original-source-${index + 1}`,
      account.arnOf(url),
    ]);
    return {
      'source-arn': SourceArn,
      ...Object.fromEntries(origins),
      'start-message-move-task-response': await answerOf(account.sqs.startMessageMoveTask({ SourceArn })),
      'list-message-move-task-response': await listedOnce(account, SourceArn, completed),
    };
  };

const cancelled =
  (handleOf: (account: Account) => string): Scenario =>
  async (account) => ({
    error: await answerOf(account.sqs.cancelMessageMoveTask({ TaskHandle: handleOf(account) })),
  });

export const MOVE_TASK_SCENARIOS: Readonly<Record<string, Scenario>> = {
  test_cancel_with_invalid_task_handle: cancelled(() => 'foobared'),
  test_cancel_with_invalid_source_arn_in_task_handle: cancelled(({ queue, arnOf }) =>
    taskHandle('10f57157-fc38-4da9-a113-4de7e12d05dd', `${arnOf(queue())}-not`),
  ),
  test_cancel_with_invalid_task_id_in_task_handle: cancelled(({ queue, arnOf }) =>
    taskHandle('10f57157-fc38-4da9-a113-4de7e12d05aa', arnOf(queue())),
  ),
  test_source_needs_redrive_policy: async ({ sqs, queue, arnOf }) => ({
    error: await answerOf(
      sqs.startMessageMoveTask({ SourceArn: arnOf(queue()), DestinationArn: arnOf(queue()) }),
    ),
  }),
  test_destination_needs_to_exist: async (account) => {
    const { SourceArn } = await deadLetters(account, 0);
    const DestinationArn = `${account.arnOf(account.queue())}doesntexist`;
    return { error: await answerOf(account.sqs.startMessageMoveTask({ SourceArn, DestinationArn })) };
  },
  test_basic_move_task_workflow: async (account) => {
    const { SourceArn } = await deadLetters(account, 2);
    const DestinationArn = account.arnOf(account.queue());
    return {
      'start-message-move-task-response': await answerOf(
        account.sqs.startMessageMoveTask({ SourceArn, DestinationArn }),
      ),
      'list-message-move-task-response': await listedOnce(account, SourceArn, completed),
    };
  },
  test_move_task_workflow_with_default_destination: toWhereTheyCameFrom(1),
  test_move_task_workflow_with_multiple_sources_as_default_destination: toWhereTheyCameFrom(2),
  test_move_task_with_throughput_limit: async (account) => {
    const { SourceArn } = await deadLetters(account, 4);
    const DestinationArn = account.arnOf(account.queue());
    const startedAt = Date.now();
    const answer = await answerOf(
      account.sqs.startMessageMoveTask({ SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond: 1 }),
    );
    await listedOnce(account, SourceArn, completed);
    if (Date.now() - startedAt < 3000) throw new Error('Four messages went in less than 3 s.');
    return { 'start-message-move-task-response': answer };
  },
  test_move_task_cancel: async (account) => {
    const { SourceArn } = await deadLetters(account, 10);
    const DestinationArn = account.arnOf(account.queue());
    const { TaskHandle } = await account.sqs.startMessageMoveTask({
      SourceArn,
      DestinationArn,
      MaxNumberOfMessagesPerSecond: 1,
    });
    return {
      'list-while': await listedOnce(account, SourceArn, (moved) => moved === 2),
      cancel: await answerOf(account.sqs.cancelMessageMoveTask({ TaskHandle })),
      'list-after': await listedOnce(account, SourceArn, (_, status) => status === 'CANCELLED'),
    };
  },
  test_start_multiple_move_tasks: async (account) => {
    const { SourceArn } = await deadLetters(account, 10);
    const task = {
      SourceArn,
      DestinationArn: account.arnOf(account.queue()),
      MaxNumberOfMessagesPerSecond: 1,
    };
    await account.sqs.startMessageMoveTask(task);
    return { error: await answerOf(account.sqs.startMessageMoveTask(task)) };
  },
};

export const MOVE_TASKS_LEFT_ASIDE: LeftAside = [
  [/delete_destination_queue/, 'DeleteQueue: queues stay as long as their template'],
];

export const MOVE_TASK_DIFFERENCES: Readonly<Record<string, string>> = {
  'list-after.Results[0].ApproximateNumberOfMessagesMoved':
    'AWS cancels some seconds later and moves on until then; here a cancelled task moves nothing more',
};
