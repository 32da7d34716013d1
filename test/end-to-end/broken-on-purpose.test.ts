import { createRequire } from 'node:module';
import { afterEach, describe, expect, test } from '@jest/globals';
import { environmentNames } from '../../lambda/card-settlement/contract.ts';
import { eventually } from '../eventually.ts';
import { balanced, reconcile } from './card-settlement/day.ts';
import { type TemplateEdit, withoutProjected } from './edited-assembly.ts';
import { daysAgo, noonOf, startSystem, type System, type SystemOptions } from './system.ts';

/**
 * Goal: a mistake that shows on AWS alone, in so many projects, shows here.
 * Method: the app with one mistake, and without it.
 */

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function started(options: SystemOptions = {}): Promise<System> {
  const system = await startSystem(options);
  stops.push(system.stop);
  return system;
}

describe('a handler that reads an attribute which its index does not project', () => {
  /** The sale is small, so that the fraud rules read every index for it. */
  async function dayOfOneSale(system: System): Promise<string> {
    const date = daysAgo(system, 3);
    await system.stage({ occurredAt: noonOf(date), amount: 100 });
    await reconcile(system, date);
    return date;
  }

  test.each([
    ['byBusinessDate', 'terminalId'],
    ['byCard', 'location'],
    ['bySmallAmount', 'cardToken'],
  ])('settles nothing, and says why: %s without %s', async (index, attribute) => {
    const system = await started({ edits: [withoutProjected(index, attribute)] });
    await dayOfOneSale(system);
    const refusal = `One or more parameter values were invalid: Global secondary index ${index} does not project [${attribute}]`;
    await eventually(() => logOf(system).includes(refusal), 'a worker logs the refusal');
    expect(logOf(system)).toContain('"ValidationException"');
    expect(await system.scan(system.environment(environmentNames.ledgerTable))).toEqual([]);
  });

  test('settles with the templates as they are', async () => {
    const system = await started();
    await system.dayWith(await dayOfOneSale(system), balanced);
    expect(await system.scan(system.environment(environmentNames.ledgerTable))).toHaveLength(1);
    expect(logOf(system)).not.toContain('ValidationException');
  });
});

test('a handler that counts on `Messages` being there throws where the queue is empty', async () => {
  const system = await started({ edits: [withPollingHandler] });
  const poll = async () => system.call('gateway', 'GET', '/no-route');

  expect((await poll()).status).toBe(500);
  expect(logOf(system)).toContain('TypeError: answer.Messages is not iterable');

  const queueUrl = system.environment('POLLED_QUEUE_URL');
  await system.sqs.sendMessage({ QueueUrl: queueUrl, MessageBody: 'first' });
  expect(await poll()).toMatchObject({ status: 200, body: ['first'] });
});

/** Puts a handler in the place of the one for unknown paths, as somebody writes it who never saw an empty queue. */
const withPollingHandler: TemplateEdit = (resources) => {
  const idOf = (type: string, start: string): string =>
    Object.keys(resources).find((id) => id.startsWith(start) && resources[id]?.Type === type) ?? '';
  const queue = idOf('AWS::SQS::Queue', 'SettlementDeadLetters');
  const handler = resources[idOf('AWS::Lambda::Function', 'NotFoundFunction')];
  const role = resources[idOf('AWS::IAM::Role', 'NotFoundRole')];
  if (handler === undefined || role === undefined) return false;
  const sdk = createRequire(import.meta.url).resolve('@aws-sdk/client-sqs');
  const code = `
    const { SQS } = require(${JSON.stringify(sdk)});
    exports.handler = async () => {
      const answer = await new SQS({}).receiveMessage({ QueueUrl: process.env.POLLED_QUEUE_URL });
      const bodies = [];
      for (const { Body } of answer.Messages) bodies.push(Body);
      return bodies;
    };`;
  handler.Properties['Code'] = { ZipFile: code };
  handler.Properties['Environment'] = { Variables: { POLLED_QUEUE_URL: { Ref: queue } } };
  const statement = {
    Effect: 'Allow',
    Action: 'sqs:ReceiveMessage',
    Resource: { 'Fn::GetAtt': [queue, 'Arn'] },
  };
  role.Properties['Policies'] = [
    { PolicyName: 'Poll', PolicyDocument: { Version: '2012-10-17', Statement: [statement] } },
  ];
  return true;
};

function logOf({ events }: System): string {
  return events.flatMap((event) => (event.type === 'log' ? [event.line] : [])).join('\n');
}
