import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQS } from '@aws-sdk/client-sqs';
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startLocalHost } from '../../../local/host.ts';
import type { LocalHost } from '../../../local/host.ts';
import { eventually } from '../../eventually.ts';
import { differences } from './compare.ts';
import { synthesizeMappings } from './fixtures/mappings.ts';
import type { MappingSetup } from './fixtures/mappings.ts';
import { accountFor, describeRecorded, readAnswers } from './recorded.ts';
import type { LeftAside } from './recorded.ts';
import { answerOf } from './sqs-scenarios.ts';

/**
 * Goal: a function gets from its queue here what it gets on AWS, and its answers have the same effects.
 * Method: what a test did on AWS is done here, with templates, real functions and the SDK; what the functions were
 * invoked with, and what became of the messages, is compared field by field with what was recorded.
 */

interface Worker {
  readonly sqs: SQS;
  readonly sourceUrl: string;
  readonly destinationUrl: string;
  readonly send: (body: string, attributes?: Record<string, MessageAttributeValue>) => Promise<unknown>;
  readonly told: () => Promise<unknown>;
  readonly deadLetter: () => Promise<unknown>;
}

interface MappingScenario {
  readonly setup: MappingSetup;
  /** @returns what is compared, by the labels of the recording */
  readonly run: (worker: Worker) => Promise<Readonly<Record<string, unknown>>>;
}

const oneRecord = (receives?: number): MappingSetup => ({
  behaviour: 'one-record',
  batchSize: 1,
  visibilitySeconds: 3,
  ...(receives === undefined ? {} : { receives }),
});

const withResult = (result: string, receives: number): MappingSetup => ({
  behaviour: 'batch-item-failures',
  result,
  receives,
  batchSize: 10,
  windowSeconds: 0,
  visibilitySeconds: 3,
  reportsBatchItemFailures: true,
});

const MESSAGE = '{"message": 1, "fail_attempts": 0}';
const failing = (destinationUrl: string, attempts: number): string =>
  `{"destination": "${destinationUrl}", "fail_attempts": ${attempts}}`;

const text = (StringValue: string, DataType = 'String'): MessageAttributeValue => ({ DataType, StringValue });

/** The records that a function tells of, until they are so many, in order of their bodies. */
async function records({ sqs, destinationUrl }: Worker, count: number) {
  const batches: { readonly body: string }[][] = [];
  while (batches.flat().length < count) {
    const { Messages = [] } = await sqs.receiveMessage({
      QueueUrl: destinationUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 20,
    });
    batches.push(...Messages.map(({ Body = '' }) => JSON.parse(Body)));
  }
  return {
    batches: batches.length,
    // By code points, as Python sorts.
    Records: batches.flat().toSorted((one, other) => (one.body < other.body ? -1 : 1)),
  };
}

const batchSize = (size: number): MappingScenario => ({
  setup: { behaviour: 'records', batchSize: size, windowSeconds: 2 },
  run: async (worker) => {
    const { sqs, sourceUrl: QueueUrl } = worker;
    const sendBatch = (count: number, of: number) =>
      answerOf(
        sqs.sendMessageBatch({
          QueueUrl,
          Entries: Array.from({ length: count }, (_, index) => ({
            Id: `${index}-${of}`,
            MessageBody: `${index}-${of}-message-${index}`,
          })),
        }),
      );
    return {
      'send-message-batch-result-10': await sendBatch(10, 0),
      'send-message-batch-result-5': await sendBatch(5, 1),
      Records: (await records(worker, 15)).Records,
    };
  },
});

/** Of two messages, the second does not pass. */
const filter = (pattern: string, matching: string, other: string): MappingScenario => ({
  setup: { behaviour: 'event', windowSeconds: 1, pattern },
  run: async (worker) => {
    const { sqs, sourceUrl: QueueUrl } = worker;
    const bodies = [matching, other];
    await sqs.sendMessageBatch({
      QueueUrl,
      Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
    });
    const { Messages: [message] = [] } = await sqs.receiveMessage({
      QueueUrl: worker.destinationUrl,
      WaitTimeSeconds: 20,
    });
    // What does not pass is deleted, too.
    await eventually(async () => {
      const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] });
      const { ApproximateNumberOfMessages: there, ApproximateNumberOfMessagesNotVisible: inFlight } =
        Attributes ?? {};
      return there === '0' && inFlight === '0';
    });
    return { invocation_events: [JSON.parse(message?.Body ?? '')] };
  },
});

const MAPPINGS = 'TestSQSEventSourceMapping::';
const BATCH_SIZES = [15, 100, 1000, 10_000].map(
  (size) => [`${MAPPINGS}test_sqs_event_source_mapping_batch_size[${size}]`, batchSize(size)] as const,
);
const FILTERS = (
  [
    ['single', '{"body":{"my-key":["my-value"]}}', '{"my-key": "my-value"}', '{"my-key": "other-value"}'],
    [
      'or',
      '{"body":{"my-key":["my-value-one","my-value-two"]}}',
      '{"my-key": "my-value-two"}',
      '{"my-key": "x"}',
    ],
    [
      'and',
      '{"body":{"my-key-one":["other-filter","my-value-one"],"my-key-two":["my-value-two"]}}',
      '{"my-key-one": "my-value-one", "my-key-two": "my-value-two"}',
      '{"my-key-one": "other-value-", "my-key-two": "my-value-two"}',
    ],
    ['exists', '{"body":{"my-key":[{"exists":true}]}}', '{"my-key": "any-value-one"}', '{"other-key": "x"}'],
    [
      'numeric-bigger',
      '{"body":{"my-number":[{"numeric":[">",100]}]}}',
      '{"my-number": 101}',
      '{"my-number": 100}',
    ],
    [
      'numeric-smaller',
      '{"body":{"my-number":[{"numeric":["<",100]}]}}',
      '{"my-number": 99}',
      '{"my-number": 100}',
    ],
    [
      'numeric-range',
      '{"body":{"my-number":[{"numeric":[">=",100,"<",200]}]}}',
      '{"my-number": 100}',
      '{"my-number": 200}',
    ],
    ['prefix', '{"body":{"my-key":[{"prefix":"yes"}]}}', '{"my-key": "yes-value"}', '{"my-key": "no-value"}'],
    ['valid-json-filter', '{"body":{"my-key":["my-value"]}}', '{"my-key": "my-value"}', 'plain-string'],
  ] as const
).map(
  ([id, pattern, matching, other]) =>
    [`${MAPPINGS}test_sqs_event_filter[${id}]`, filter(pattern, matching, other)] as const,
);

const SCENARIOS: Readonly<Record<string, MappingScenario>> = {
  test_failing_lambda_retries_after_visibility_timeout: {
    setup: oneRecord(),
    run: async ({ send, told, destinationUrl }) => {
      await send(failing(destinationUrl, 1));
      return { first_attempt: await told(), second_attempt: await told() };
    },
  },
  test_message_body_and_attributes_passed_correctly: {
    setup: oneRecord(2),
    run: async ({ send, told, destinationUrl }) => {
      await send(failing(destinationUrl, 0), {
        Title: text('The Whistler'),
        Author: text('John Grisham'),
        WeeksOn: text('6', 'Number'),
      });
      return { first_attempt: await told() };
    },
  },
  test_redrive_policy_with_failing_lambda: {
    setup: oneRecord(2),
    run: async ({ send, told, deadLetter, destinationUrl }) => {
      await send(failing(destinationUrl, 2));
      return { first_attempt: await told(), second_attempt: await told(), dlq_response: await deadLetter() };
    },
  },
  test_report_batch_item_failures_on_lambda_error: {
    setup: {
      behaviour: 'batch-item-failures',
      receives: 2,
      visibilitySeconds: 2,
      reportsBatchItemFailures: true,
    },
    run: async ({ sqs, sourceUrl: QueueUrl, deadLetter }) => {
      const bodies = ['{not a json body', '{"message": 2, "fail_attempts": 0}'];
      await sqs.sendMessageBatch({
        QueueUrl,
        Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
      });
      const messages = [];
      while (messages.length < 2) {
        const { Messages } = (await deadLetter()) as {
          readonly Messages: readonly { readonly Body: string }[];
        };
        messages.push(...Messages);
      }
      return { dlq_messages: messages.toSorted(({ Body }) => (Body === bodies[0] ? -1 : 1)) };
    },
  },
  test_report_batch_item_failures_invalid_result_json_batch_fails: {
    setup: withResult('{"batchItemFailures": [{"foo":"notvalid"}]}', 2),
    run: async ({ send, told, deadLetter }) => {
      await send(MESSAGE);
      return {
        first_invocation: await told(),
        second_invocation: await told(),
        dlq_response: await deadLetter(),
      };
    },
  },
  test_report_batch_item_failures_empty_json_batch_succeeds: {
    setup: withResult('{}', 1),
    run: async ({ send, told }) => {
      await send(MESSAGE);
      return { first_invocation: await told() };
    },
  },
  [`${MAPPINGS}test_sqs_event_source_mapping`]: {
    setup: { behaviour: 'event', windowSeconds: 1 },
    run: async ({ sqs, send, destinationUrl }) => {
      await send('{"foo": "bar"}');
      const { Messages: [message] = [] } = await sqs.receiveMessage({
        QueueUrl: destinationUrl,
        WaitTimeSeconds: 20,
      });
      return { events: [JSON.parse(message?.Body ?? '')] };
    },
  },
  [`${MAPPINGS}test_sqs_event_source_mapping_batching_reserved_concurrency`]: {
    setup: { behaviour: 'records', batchSize: 20, windowSeconds: 1, maximumConcurrency: 2 },
    run: async (worker) => {
      await Promise.all(
        [0, 1, 2].map((of) =>
          worker.sqs.sendMessageBatch({
            QueueUrl: worker.sourceUrl,
            Entries: Array.from({ length: 10 }, (_, index) => ({
              Id: `${index}-${of}`,
              MessageBody: `${index}-${of}-message`,
            })),
          }),
        ),
      );
      const { batches, Records } = await records(worker, 30);
      return { batch_info: { total_batches_received: batches }, Records };
    },
  },
  ...Object.fromEntries([...BATCH_SIZES, ...FILTERS]),
};

/** Refused by `CreateEventSourceMapping` on AWS, and with the template here. */
const INVALID_PATTERNS = [
  ['None', 'null'],
  ['simple string', 'simple string'],
  ['invalid_filter2', '{"eventSource":"aws:sqs"}'],
  ['invalid_filter3', '{"eventSource":[]}'],
].map(([id, pattern = '']) => [`${MAPPINGS}test_sqs_invalid_event_filter[${id}]`, pattern] as const);

const LEFT_ASIDE: LeftAside = [
  [/fifo|test_report_batch_item_failures$/, 'FIFO queues: the host refuses a template that has one'],
  [/test_sqs_event_filter\[/, 'an older recording of a test that is re-enacted by its present name'],
  [
    /default_batch_size|mapping_update|duplicate|not_existing/,
    'calls of the Lambda API: mappings come from templates',
  ],
  [
    /as_lambda_dead_letter_queue/,
    'the dead-letter queue of a function: nothing invokes one asynchronously here',
  ],
];

describeRecorded('event source mappings', (tally) => {
  const recorded = readAnswers('test_lambda_integration_sqs.snapshot.json');
  let invalidAssemblies = 0;
  const folder = mkdtempSync(join(tmpdir(), 'recorded-mappings-'));
  const names = Object.keys(SCENARIOS);
  const idOf = (name: string): string => `Scenario${names.indexOf(name)}`;
  let host: LocalHost;
  let sqs: SQS;

  const synthesized = (id: string, setups: Readonly<Record<string, MappingSetup>>): string =>
    synthesizeMappings(join(folder, id), setups);

  beforeAll(async () => {
    const setups = Object.entries(SCENARIOS).map(([name, { setup }]) => [idOf(name), setup] as const);
    host = await startLocalHost({
      assembly: synthesized('all', Object.fromEntries(setups)),
      port: 0,
      awsPort: 0,
    });
    sqs = new SQS({
      region: 'us-east-1',
      endpoint: host.awsEndpoint,
      credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
    });
  });

  const workerOf = (name: string): Worker => {
    const urlOf = (queue: string): string => host.outputs['Mappings']?.[`${idOf(name)}${queue}Url`] ?? '';
    const next = (QueueUrl: string) =>
      answerOf(sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 1 }));
    const sourceUrl = urlOf('Source');
    return {
      sqs,
      sourceUrl,
      destinationUrl: urlOf('Destination'),
      send: (MessageBody, MessageAttributes = {}) =>
        sqs.sendMessage({ QueueUrl: sourceUrl, MessageBody, MessageAttributes }),
      told: () => next(urlOf('Destination')),
      deadLetter: () => next(urlOf('DeadLetters')),
    };
  };

  test('each recorded test is re-enacted, or left aside for a reason', () => {
    const asked = [...names, ...INVALID_PATTERNS.map(([name]) => name)];
    accountFor(recorded, { asked, leftAside: LEFT_ASIDE, tally });
  });

  test.each(Object.entries(SCENARIOS))('%s', async (name, { run }) => {
    const here = JSON.parse(JSON.stringify(await run(workerOf(name)))) as object;
    const answers = Object.entries(recorded.get(name) ?? {}).filter(([label]) => label in here);
    expect(answers).not.toEqual([]);
    expect(differences(Object.fromEntries(answers), here)).toEqual([]);
    tally.agree();
  });

  test.each(INVALID_PATTERNS)('%s', async (name, pattern) => {
    expect(JSON.stringify(recorded.get(name))).toContain('Invalid filter pattern definition.');
    const assembly = synthesized(`invalid-${(invalidAssemblies += 1)}`, {
      Invalid: { behaviour: 'event', pattern },
    });
    await expect(startLocalHost({ assembly, port: 0, awsPort: 0 })).rejects.toThrow(
      'FilterCriteria.Filters[0].Pattern',
    );
    tally.agree();
  });

  afterAll(async () => {
    sqs.destroy();
    await host.stop();
    rmSync(folder, { recursive: true });
  });
});
