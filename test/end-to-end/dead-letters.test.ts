import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { resourcesOf } from '../stack/templates.ts';
import { eventually } from '../eventually.ts';
import { startChat, type People } from './chat/people.ts';
import { withProperty } from './edited-assembly.ts';
import { refusedSends } from './refused-sends.ts';
import type { System } from './system.ts';

/**
 * Goal: what no attempt can deliver ends in a dead-letter queue, whoever gives it up: a queue, a pipe, the scheduler.
 * Method: poison on every queue; a pipe and a schedule whose sends fail, with fewer attempts than the app gives them.
 */

let system: System;
let people: People;
const sends = refusedSends();

beforeAll(async () => {
  ({ system, people } = await startChat({
    interceptors: [sends.interceptor],
    edits: [
      withProperty('AWS::Pipes::Pipe', 'SourceParameters.DynamoDBStreamParameters.MaximumRetryAttempts', 1),
      withProperty('AWS::Scheduler::Schedule', 'Target.RetryPolicy.MaximumRetryAttempts', 0),
    ],
  }));
});

afterAll(async () => {
  await people?.stop();
  await system?.stop();
});

test('a message that no receive can work on goes from every queue to its dead-letter queue', async () => {
  const queues = (await resourcesOf('test')).filter(
    ({ Type, Properties }) => Type === 'AWS::SQS::Queue' && 'RedrivePolicy' in Properties,
  );
  expect(queues.length).toBeGreaterThanOrEqual(3);
  await Promise.all(
    queues.map(async ({ logicalId, Properties }) => {
      const queueUrl = await urlOf(logicalId);
      // Its receives follow each other at once: how long each would be invisible is not what this is about.
      await system.sqs.setQueueAttributes({ QueueUrl: queueUrl, Attributes: { VisibilityTimeout: '1' } });
      const poison = `poison for ${logicalId}`;
      await system.sqs.sendMessage({ QueueUrl: queueUrl, MessageBody: poison });
      const { deadLetterTargetArn } = Properties['RedrivePolicy'] as Record<
        string,
        { 'Fn::GetAtt': string[] }
      >;
      const deadLetters = await urlOf(deadLetterTargetArn?.['Fn::GetAtt'][0] ?? '');
      await received(deadLetters, (body) => body === poison);
    }),
  );
}, 300_000);

test('a record that a pipe can not deliver is told to its dead-letter queue, and holds up no later one', async () => {
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  await sends.during('MessagePipeRole', async () => {
    await ada.post(bob, 'lost');
    const deadLetters = await urlOf('MessagePipeDeadLetters');
    const told = await received(deadLetters, (body) => body.includes('DDBStreamBatchInfo'));
    expect(JSON.parse(told)).toMatchObject({
      context: { condition: 'RetryAttemptsExhausted' },
      DDBStreamBatchInfo: { batchSize: 1, startSequenceNumber: expect.stringMatching(/^\d+$/) },
    });
  });
  await ada.post(bob, 'found');
  await eventually(async () => (await bob.waiting()).includes('found'), 'the next message is delivered', 60);
  expect(await bob.waiting()).toEqual(['found']);
}, 300_000);

test('an event that the scheduler can not deliver is in a dead-letter queue, as it would have been sent', async () => {
  await sends.during('SchedulerRole', async () => {
    for (const { fire } of system.host.schedules) await fire();
  });
  const found = await received(await urlOf('ReconcileDeadLetters'), (body) => body.includes('due-days'));
  expect(JSON.parse(found)).toEqual({ kind: 'due-days' });
}, 300_000);

async function urlOf(logicalId: string): Promise<string> {
  const { QueueUrls: urls = [] } = await system.sqs.listQueues({});
  const found = urls.find((url) => url.split('/').at(-1)?.split('-')[1]?.startsWith(logicalId));
  if (found === undefined) throw new Error(`There is no queue ${logicalId}.`);
  return found;
}

/** Waits until a queue has a message, and gives its body. What else is there stays there. */
async function received(queueUrl: string, isWanted: (body: string) => boolean): Promise<string> {
  let found: string | undefined;
  const look = async (): Promise<boolean> => {
    const { Messages: messages = [] } = await system.sqs.receiveMessage({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 0,
    });
    found ??= messages.map(({ Body: body = '' }) => body).find(isWanted);
    return found !== undefined;
  };
  await eventually(look, `a message is in ${queueUrl}`, 90);
  return found ?? '';
}
