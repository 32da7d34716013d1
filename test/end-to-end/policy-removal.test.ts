import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startLocalHost } from '../../local/index.ts';
import { synthesized } from '../stack/templates.ts';
import { eventually } from '../eventually.ts';
import { createPeople, type People } from './chat/people.ts';
import { editedAssembly, withoutAction, withoutResource, withoutTrust } from './edited-assembly.ts';
import { sale, startSystem, type System } from './system.ts';

/**
 * Goal: a grant that the app lacks fails here as on AWS: when the resource is made, where AWS checks it then, else when
 * it is used, in AWS's words, and for whoever calls.
 * Method: the templates without some parts; a host of them. `least-privilege.test.ts` shows for every part that
 * something needs it.
 */

describe('an app that lacks grants', () => {
  let system: System;
  let people: People;

  beforeAll(async () => {
    system = await startSystem({
      edits: [
        withoutAction('AcceptTransactionRole', 'dynamodb:PutItem'),
        withoutAction('GetTransactionRole', 'logs:PutLogEvents'),
        withoutAction('SchedulerRole', 'sqs:SendMessage'),
        withoutAction('NotificationWorkerRole', 'dynamodb:PutItem'),
        withoutResource(/^HttpApiGETbusinessdaysGetBusinessDayIntegrationPermission/),
        withoutResource(/^WebSocketApi.*Tokens.*Permission/),
      ],
    });
    people = createPeople(system);
  });

  afterAll(async () => {
    await people?.stop();
    await system?.stop();
  });

  const denials = (): string[] =>
    system.events.flatMap((event) => (event.type === 'access-denied' ? [event.message] : []));
  const denialOf = (part: string): string | undefined => denials().find((message) => message.includes(part));

  test('a function that may not write answers 500, and its log has AWS’s own words', async () => {
    const { status, body } = await system.call('gateway', 'POST', '/transactions', {
      body: sale(),
      headers: { 'idempotency-key': 'denied' },
    });
    expect([status, body]).toEqual([500, expect.objectContaining({ status: 500 })]);
    const words = new RegExp(
      '^User: arn:aws:sts::000000000000:assumed-role/DuotempoCardSettlement-AcceptTransactionRole[\\w-]+/' +
        'DuotempoCardSettlement-AcceptTransactionFunction[\\w-]+ is not authorized to perform: dynamodb:PutItem ' +
        'on resource: arn:aws:dynamodb:us-east-1:000000000000:table/DuotempoCardSettlement-[\\w-]+ ' +
        'because no identity-based policy allows the dynamodb:PutItem action$',
    );
    const denial = denialOf('AcceptTransactionRole') ?? '';
    expect(denial).toMatch(words);
    const line = system.events.find((event) => event.type === 'log' && event.line.includes(denial));
    expect(line).toMatchObject({ line: expect.stringContaining('AccessDeniedException') });
  });

  test('a route whose function API Gateway may not invoke answers 500, in API Gateway’s form', async () => {
    const { status, body } = await system.call('gateway', 'GET', '/business-days');
    expect([status, body]).toEqual([500, { message: 'Internal Server Error' }]);
    expect(denialOf('lambda:InvokeFunction')).toMatch(
      /^Resource: arn:aws:execute-api:us-east-1:000000000000:\w+\/\$default\/GET\/business-days is not authorized/,
    );
    // The same function behind another route is allowed by that route's own permission.
    const day = await system.call('gateway', 'GET', `/business-days/${system.today}`);
    expect(day.status).not.toBe(500);
  });

  test('a function that may not write its log runs, and its lines are lost', async () => {
    for (let request = 0; request < 2; request++) {
      const { status } = await system.call('gateway', 'GET', `/transactions/${'0'.repeat(32)}`);
      expect(status).toBe(404);
    }
    const told = denials().filter((message) => message.includes('logs:PutLogEvents'));
    expect(told).toEqual([expect.stringContaining('GetTransactionFunction')]);
    const lines = system.events.filter(
      (event) => event.type === 'log' && event.functionName.includes('GetTransactionFunction'),
    );
    expect(lines).toEqual([]);
  });

  test('a WebSocket API that may not ask its authorizer opens no connection', async () => {
    await expect(people.person('ada').device()).rejects.toThrow('it answered 500');
    expect(denialOf('/authorizers/')).toContain('is not authorized to perform: lambda:InvokeFunction');
  });

  test('a schedule that may not send asks nobody', async () => {
    void system.host.schedules[0]?.fire().catch(() => undefined);
    await eventually(() => denialOf('SchedulerRole') !== undefined, 'the schedule is refused');
    expect(denialOf('SchedulerRole')).toContain('is not authorized to perform: sqs:sendmessage on resource:');
    expect(denialOf('SchedulerRole')).toContain(
      'because no identity-based policy allows the sqs:sendmessage action',
    );
  });

  test('a worker that may not write what it gets delivers nothing, and says so', async () => {
    const [ada, bob] = [people.person('ada'), people.person('bob')];
    expect(await ada.post(bob, 'hello')).toBe(1);
    const failed = (): boolean =>
      system.events.some((event) => event.type === 'log' && event.line.includes('"message failed"'));
    await eventually(failed, 'the worker fails', 60);
    expect(denialOf('NotificationWorkerRole')).toContain('dynamodb:PutItem');
    expect(await bob.waiting()).toEqual([]);
  });
});

describe('an app is refused as it is made, where AWS refuses it, without', () => {
  test.each([
    [
      'the trust of a function’s role in Lambda',
      withoutTrust('AcceptTransactionRole'),
      'The role defined for the function cannot be assumed by Lambda.',
    ],
    [
      'the trust of a schedule’s role in the scheduler',
      withoutTrust('SchedulerRole'),
      'The execution role you provide must allow AWS EventBridge Scheduler to assume the role.',
    ],
    [
      'the trust of a pipe’s role in Pipes',
      withoutTrust('MessagePipeRole'),
      'must allow pipes.amazonaws.com',
    ],
    ...['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map(
      (action) =>
        [
          `a worker’s sqs:${action}`,
          withoutAction('SettlementWorkerRole', `sqs:${action}`),
          `The provided execution role does not have permissions to call ${action} on SQS.`,
        ] as const,
    ),
    ...['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
      (action) =>
        [
          `a pipe’s dynamodb:${action}`,
          withoutAction('MessagePipeRole', `dynamodb:${action}`),
          'Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions',
        ] as const,
    ),
    [
      'a pipe’s sqs:SendMessage to its dead-letter queue',
      withoutAction('MessagePipeRole', 'sqs:SendMessage'),
      'Error occurred while sending message to SQS queue: arn:aws:sqs:us-east-1:000000000000:DuotempoChat-MessagePipeDeadLetters',
    ],
  ] as const)('%s', async (_, edit, words) => {
    const assembly = editedAssembly(await synthesized('test'), [edit]);
    const starting = startLocalHost({ assembly, port: 0, awsPort: 0 }).then((host) => host.stop());
    await expect(starting).rejects.toThrow(words);
    rmSync(assembly, { recursive: true });
  });
});
