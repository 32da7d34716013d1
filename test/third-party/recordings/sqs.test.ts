import { SQS } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEngines } from '../../local/engines.ts';
import { differences } from './compare.ts';
import { describeWithRecordings, readAnswers, report } from './recorded.ts';
import { SQS_LEFT_ASIDE, SQS_SCENARIOS } from './sqs-scenarios.ts';
import type { Account } from './sqs-scenarios.ts';

/**
 * Goal: SQS answers a program here as AWS does.
 * Method: what a test did on AWS is done here, by the SDK; its answers are compared field by field with those recorded.
 */

describeWithRecordings('AWS answered these calls of SQS', () => {
  const recorded = readAnswers('test_sqs.snapshot.json');
  const answered = [...recorded].filter(([, answers]) => Object.keys(answers).length > 0);
  const reasonOf = (name: string): string | undefined =>
    name in SQS_SCENARIOS ? undefined : SQS_LEFT_ASIDE.find(([pattern]) => pattern.test(name))?.[1];
  const agreed = new Set<string>();
  let engines: Awaited<ReturnType<typeof startEngines>>;
  const clients: SQS[] = [];
  let queues = 0;

  beforeAll(async () => {
    engines = await startEngines();
  });

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

  const account = (): Account => ({
    sqs: clientOf(),
    clientOf,
    queue: (attributes = {}, name = `queue-${(queues += 1)}`) =>
      engines.createQueue(name, attributes).queueUrl,
    arnOf: (queueUrl) => `arn:aws:sqs:us-east-1:000000000000:${queueUrl.split('/').at(-1)}`,
  });

  test('each recorded test is re-enacted, or left aside for a reason', () => {
    const unaccounted = answered.filter(([name]) => !(name in SQS_SCENARIOS) && reasonOf(name) === undefined);
    expect(unaccounted.map(([name]) => name)).toEqual([]);
    expect(Object.keys(SQS_SCENARIOS).filter((name) => !recorded.has(name))).toEqual([]);
  });

  test.each(Object.entries(SQS_SCENARIOS))('%s', async (name, scenario) => {
    const here = asRecorded(await scenario(account()));
    const answers = Object.fromEntries(
      Object.entries(recorded.get(name) ?? {}).filter(([label]) => label in here),
    );
    expect(Object.keys(answers)).not.toEqual([]);
    expect(differences(answers, here)).toEqual([]);
    agreed.add(name);
  });

  afterAll(async () => {
    for (const client of clients) client.destroy();
    await engines.stop();
    report(
      `SQS: ${answered.length} scenarios, ${Object.keys(SQS_SCENARIOS).length} re-enacted, ${agreed.size} agree`,
    );
    for (const reason of new Set(answered.flatMap(([name]) => reasonOf(name) ?? []))) {
      const count = answered.filter(([name]) => reasonOf(name) === reason).length;
      report(`  ${count} left aside: ${reason}`);
    }
  });
});

/** Bytes as Python prints them; what is undefined is not there. */
function asRecorded(answers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const python = (bytes: Uint8Array): string =>
    `b'${Buffer.from(bytes)
      .toString('latin1')
      .replaceAll(
        /[^ -~]/g,
        (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
      )}'`;
  const text = JSON.stringify(answers, (_, value: unknown) =>
    value instanceof Uint8Array ? python(value) : value,
  );
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
