import { setTimeout as sleep } from 'node:timers/promises';
import { SQSServiceException } from '@aws-sdk/client-sqs';
import type {
  SQS,
  MessageAttributeValue,
  QueueAttributeName,
  ReceiveMessageCommandInput,
} from '@aws-sdk/client-sqs';
import type { Scenario as ReEnactment } from './re-enact.ts';
import type { LeftAside } from './recorded.ts';

/** What a scenario has: a client, and queues of its own. */
export interface Account {
  readonly sqs: SQS;
  /** @returns another client, with another endpoint */
  readonly clientOf: (endpoint?: string) => SQS;
  /** Makes a queue. @returns its url */
  readonly queue: (attributes?: Readonly<Record<string, string>>, name?: string) => string;
  readonly arnOf: (queueUrl: string) => string;
}

export type Scenario = ReEnactment<Account>;

/** An answer, or a refusal, in the shape in which the recordings have them. */
export async function answerOf(call: Promise<{ readonly $metadata: { readonly httpStatusCode?: number } }>) {
  try {
    const { $metadata, ...output } = await call;
    return { ...output, ...metadata($metadata.httpStatusCode) };
  } catch (error) {
    if (!(error instanceof SQSServiceException)) throw error;
    const { Error: older, __type: type } = error as unknown as {
      readonly Error: { readonly Code: string; readonly Type: string };
      readonly __type: string;
    };
    return {
      Error: {
        Code: older.Code,
        Message: error.message,
        QueryErrorCode: type.replace(/^.*#/, ''),
        Type: older.Type,
      },
      ...metadata(error.$metadata.httpStatusCode),
    };
  }
}

function metadata(HTTPStatusCode: number | undefined) {
  return { ResponseMetadata: { HTTPHeaders: {}, HTTPStatusCode } };
}

const MAXIMUM_BYTES = 1_048_576;
const withK: Record<string, MessageAttributeValue> = { k: { DataType: 'String', StringValue: 'x' } };
const K_BYTES = 'kStringx'.length;
const foo: Record<string, MessageAttributeValue> = { Foo: { DataType: 'String', StringValue: 'Bar' } };

/** The SDK's types know system attributes by the newer parameter only. */
const older = (...names: string[]) => names as QueueAttributeName[];

const batch = (count: number, idOf = (index: number) => `message-${index}`) =>
  Array.from({ length: count }, (_, index) => ({ Id: idOf(index), MessageBody: `messageBody-${index}` }));

/** Sends one message with an attribute, and receives it again and again. */
const filtered =
  (asks: Readonly<Record<string, Partial<ReceiveMessageCommandInput>>>): Scenario =>
  async ({ sqs, queue }) => {
    const QueueUrl = queue({ VisibilityTimeout: '0' });
    await sqs.sendMessage({ QueueUrl, MessageBody: 'msg', MessageAttributes: foo });
    const answers: Record<string, unknown> = {};
    for (const [label, ask] of Object.entries(asks)) {
      answers[label] = await answerOf(sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5, ...ask }));
    }
    return answers;
  };

const systemFilters = (key: 'AttributeNames' | 'MessageSystemAttributeNames'): Scenario =>
  filtered({
    all_attributes: { [key]: ['All'] },
    all_system_and_message_attributes: { [key]: ['All'], MessageAttributeNames: ['All'] },
    single_attribute: { [key]: ['SenderId'] },
    multiple_attributes: { [key]: ['SenderId', 'SequenceNumber'] },
  });

const invalidId =
  (Id: string): Scenario =>
  async ({ sqs, queue }) => ({
    error_response: await answerOf(
      sqs.deleteMessageBatch({ QueueUrl: queue(), Entries: [{ Id, ReceiptHandle: 'testHandle1' }] }),
    ),
  });

const invalidGroup =
  (MessageGroupId: string): Scenario =>
  async ({ sqs, queue }) => ({
    'error-response': await answerOf(
      sqs.sendMessage({ QueueUrl: queue(), MessageBody: 'message', MessageGroupId }),
    ),
  });

/** Receives once. @returns the receipt handle */
async function receiptIn({ sqs }: Account, QueueUrl: string): Promise<string | undefined> {
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5 });
  return Messages[0]?.ReceiptHandle;
}

/** By the name of the test that AWS answered. */
export const SQS_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'TestSqsProvider::test_send_receive_max_number_of_messages[sqs]': async ({ sqs, queue }) => ({
    send_max_number_of_messages: await answerOf(
      sqs.receiveMessage({ QueueUrl: queue(), MaxNumberOfMessages: 11 }),
    ),
  }),

  'TestSqsProvider::test_send_oversized_message[sqs]': async ({ sqs, queue }) => ({
    send_oversized_message: await answerOf(
      sqs.sendMessage({
        QueueUrl: queue(),
        MessageBody: 'a'.repeat(MAXIMUM_BYTES - K_BYTES + 1),
        MessageAttributes: withK,
      }),
    ),
  }),

  'TestSqsProvider::test_send_message_with_updated_maximum_message_size[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue();
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { MaximumMessageSize: '1024' } });
    await sqs.sendMessage({ QueueUrl, MessageBody: 'a'.repeat(1024) });
    const MessageBody = 'a'.repeat(1024 - K_BYTES + 1);
    return {
      send_oversized_message: await answerOf(
        sqs.sendMessage({ QueueUrl, MessageBody, MessageAttributes: withK }),
      ),
    };
  },

  'TestSqsProvider::test_send_message_batch_with_oversized_contents[sqs]': async ({ sqs, queue }) => ({
    send_oversized_message_batch: await answerOf(
      sqs.sendMessageBatch({
        QueueUrl: queue(),
        Entries: [
          { Id: '1', MessageBody: 'a'.repeat(MAXIMUM_BYTES - K_BYTES), MessageAttributes: withK },
          { Id: '2', MessageBody: 'a' },
        ],
      }),
    ),
  }),

  'TestSqsProvider::test_send_message_batch_with_oversized_contents_with_updated_maximum_message_size[sqs]':
    async ({ sqs, queue }) => {
      const QueueUrl = queue();
      await sqs.setQueueAttributes({ QueueUrl, Attributes: { MaximumMessageSize: '2048' } });
      return {
        send_oversized_message_batch: await answerOf(
          sqs.sendMessageBatch({
            QueueUrl,
            Entries: [
              { Id: '1', MessageBody: 'a'.repeat(2048 - K_BYTES), MessageAttributes: withK },
              { Id: '2', MessageBody: 'a' },
            ],
          }),
        ),
      };
    },

  'TestSqsProvider::test_send_batch_message_size': async ({ sqs, queue }) => ({
    'send-message-batch-result': await answerOf(
      sqs.sendMessageBatch({
        QueueUrl: queue({ MaximumMessageSize: '1024' }),
        Entries: [
          { Id: 'fits', MessageBody: 'a'.repeat(1024) },
          { Id: 'does-not', MessageBody: 'a'.repeat(1025) },
        ],
      }),
    ),
  }),

  'TestSqsProvider::test_send_empty_message[sqs]': async ({ sqs, queue }) => ({
    send_empty_message: await answerOf(sqs.sendMessage({ QueueUrl: queue(), MessageBody: '' })),
  }),

  'TestSqsProvider::test_tag_untag_queue[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue();
    await sqs.tagQueue({ QueueUrl, Tags: { tag1: 'value1', tag2: 'value2', tag3: '' } });
    const first = await answerOf(sqs.listQueueTags({ QueueUrl }));
    await sqs.untagQueue({ QueueUrl, TagKeys: ['tag1', 'tag3'] });
    const second = await answerOf(sqs.listQueueTags({ QueueUrl }));
    await sqs.untagQueue({ QueueUrl, TagKeys: ['tag2'] });
    const third = await answerOf(sqs.listQueueTags({ QueueUrl }));
    return { 'get-tag-1': first, 'get-tag-2': second, 'get-tag-after-untag': third };
  },

  'TestSqsProvider::test_create_and_update_queue_attributes[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue({
      MessageRetentionPeriod: '604800',
      ReceiveMessageWaitTimeSeconds: '10',
      VisibilityTimeout: '20',
    });
    const before = await answerOf(sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] }));
    const Attributes = { MaximumMessageSize: '2048', VisibilityTimeout: '69', DelaySeconds: '420' };
    await sqs.setQueueAttributes({ QueueUrl, Attributes });
    const after = await answerOf(sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] }));
    return { get_queue_attributes: before, get_updated_queue_attributes: after };
  },

  'TestSqsProvider::test_set_queue_attributes_default_values[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue();
    const all = () => answerOf(sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] }));
    const set = (KmsMasterKeyId: string, KmsDataKeyReusePeriodSeconds: string) =>
      sqs.setQueueAttributes({ QueueUrl, Attributes: { KmsMasterKeyId, KmsDataKeyReusePeriodSeconds } });
    const initial = await all();
    await set('testKeyId', '6000');
    const updated = await all();
    await set('', '300');
    return {
      'get-queue-attributes-initial-values': initial,
      'get-queue-attributes-after-update': updated,
      'get-queue-attributes-after-set-to-defaults': await all(),
    };
  },

  'TestSqsProvider::test_sse_queue_attributes[sqs]': async ({ sqs, queue }) => {
    const set = async (Attributes: Record<string, string>) => {
      const QueueUrl = queue();
      await sqs.setQueueAttributes({ QueueUrl, Attributes });
      return answerOf(
        sqs.getQueueAttributes({
          QueueUrl,
          AttributeNames: ['KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled'],
        }),
      );
    };
    return {
      sse_kms_attributes: await set({
        KmsMasterKeyId: 'testKeyId',
        KmsDataKeyReusePeriodSeconds: '6000',
        SqsManagedSseEnabled: 'false',
      }),
      sse_sqs_attributes: await set({ SqsManagedSseEnabled: 'true' }),
    };
  },

  'TestSqsProvider::test_sse_kms_and_sqs_are_mutually_exclusive[sqs]': async ({ sqs, queue }) => {
    const Attributes = { KmsMasterKeyId: 'testKeyId', SqsManagedSseEnabled: 'true' };
    const answer = await answerOf(sqs.setQueueAttributes({ QueueUrl: queue(), Attributes }));
    const { Code, Message } = 'Error' in answer ? answer.Error : { Code: '', Message: '' };
    return { error: `An error occurred (${Code}) when calling the SetQueueAttributes operation: ${Message}` };
  },

  'TestSqsProvider::test_set_unsupported_attribute_standard[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue();
    const set = (FifoQueue: string) =>
      answerOf(sqs.setQueueAttributes({ QueueUrl, Attributes: { FifoQueue } }));
    return { 'invalid-attr-name-1': await set('true'), 'invalid-attr-name-2': await set('false') };
  },

  'TestSqsProvider::test_change_message_visibility_after_visibility_timeout_expiration[sqs]': async (
    account,
  ) => {
    const QueueUrl = account.queue({ VisibilityTimeout: '1' });
    await account.sqs.sendMessage({ QueueUrl, MessageBody: 'test' });
    const ReceiptHandle = await receiptIn(account, QueueUrl);
    await sleep(1100);
    return {
      visibility_timeout_expired: await answerOf(
        account.sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout: 2 }),
      ),
    };
  },

  'TestSqsProvider::test_delete_after_visibility_timeout[sqs]': async (account) => {
    const QueueUrl = account.queue({ VisibilityTimeout: '1' });
    await account.sqs.sendMessage({ QueueUrl, MessageBody: 'foobar' });
    const ReceiptHandle = await receiptIn(account, QueueUrl);
    await sleep(1100);
    await account.sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    return { delete_after_timeout_queue_empty: await answerOf(account.sqs.receiveMessage({ QueueUrl })) };
  },

  'TestSqsProvider::test_too_many_entries_in_batch_request[sqs]': async ({ sqs, queue }) => ({
    test_too_many_entries_in_batch_request: await answerOf(
      sqs.sendMessageBatch({ QueueUrl: queue(), Entries: batch(20) }),
    ),
  }),

  'TestSqsProvider::test_invalid_batch_id[sqs]': async ({ sqs, queue }) => ({
    test_invalid_batch_id: await answerOf(
      sqs.sendMessageBatch({ QueueUrl: queue(), Entries: batch(1, (index) => `message:${index}`) }),
    ),
  }),

  'TestSqsProvider::test_delete_message_batch_invalid_msg_id[sqs-]': invalidId(''),
  [`TestSqsProvider::test_delete_message_batch_invalid_msg_id[sqs-${'testLongId'.repeat(10)}]`]: invalidId(
    'testLongId'.repeat(10),
  ),
  'TestSqsProvider::test_delete_message_batch_invalid_msg_id[sqs-invalid:id]': invalidId('invalid:id'),

  'TestSqsProvider::test_delete_message_batch_with_too_large_batch[sqs]': async ({ sqs, queue }) => ({
    error_response: await answerOf(
      sqs.deleteMessageBatch({
        QueueUrl: queue(),
        Entries: batch(20).map(({ Id }) => ({ Id, ReceiptHandle: Id })),
      }),
    ),
  }),

  'TestSqsProvider::test_change_message_visibility_batch_with_too_large_batch[sqs]': async ({
    sqs,
    queue,
  }) => ({
    error_response: await answerOf(
      sqs.changeMessageVisibilityBatch({
        QueueUrl: queue(),
        Entries: batch(20).map(({ Id }) => ({ Id, ReceiptHandle: Id, VisibilityTimeout: 123 })),
      }),
    ),
  }),

  'TestSqsProvider::test_send_message_with_binary_attributes[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue();
    const value = 'traceparent\u001e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01';
    const MessageAttributes = { attr1: { BinaryValue: Buffer.from(value), DataType: 'Binary' } };
    await sqs.sendMessage({ QueueUrl, MessageBody: 'test', MessageAttributes });
    return {
      'binary-attrs-msg': await answerOf(sqs.receiveMessage({ QueueUrl, MessageAttributeNames: ['All'] })),
    };
  },

  'TestSqsProvider::test_send_message_with_empty_string_attribute[sqs]': async ({ sqs, queue }) => ({
    'empty-string-attr': await answerOf(
      sqs.sendMessage({
        QueueUrl: queue(),
        MessageBody: 'test',
        MessageAttributes: { ErrorDetails: { DataType: 'String', StringValue: '' } },
      }),
    ),
  }),

  'TestSqsProvider::test_dead_letter_queue_message_attributes': async ({ sqs, queue, arnOf }) => {
    const deadLetters = queue();
    const policy = { deadLetterTargetArn: arnOf(deadLetters), maxReceiveCount: 1 };
    const QueueUrl = queue({ RedrivePolicy: JSON.stringify(policy) });
    const traceHeader = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
    await sqs.sendMessage({
      QueueUrl,
      MessageBody: 'message-1',
      MessageAttributes: { MyAttribute: { DataType: 'String', StringValue: 'foobar' } },
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } },
    });
    await sqs.sendMessage({ QueueUrl, MessageBody: 'message-2' });
    const receive = async (from: string) => {
      const { Messages = [] } = await sqs.receiveMessage({
        QueueUrl: from,
        VisibilityTimeout: from === QueueUrl ? 0 : 30,
        AttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      });
      for (const { Attributes } of Messages) delete Attributes?.SenderId;
      return Messages;
    };
    const received = [];
    for (let turn = 0; turn < 4; turn += 1) received.push(...(await receive(QueueUrl)));
    const dead = [...(await receive(deadLetters)), ...(await receive(deadLetters))];
    return {
      'dlq-arn': arnOf(deadLetters),
      'sourcen-arn': arnOf(QueueUrl),
      'rec-pre-dlq': received.toSorted((a, b) => (a.Body ?? '').localeCompare(b.Body ?? '')),
      'dlq-messages': dead.toSorted((a, b) => (a.Body ?? '').localeCompare(b.Body ?? '')),
    };
  },

  'TestSqsProvider::test_successive_purge_calls_fail[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue();
    await sqs.purgeQueue({ QueueUrl });
    return { purge_queue_error: await answerOf(sqs.purgeQueue({ QueueUrl })) };
  },

  'TestSqsProvider::test_receive_message_message_attribute_names_filters[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue({ VisibilityTimeout: '0' });
    const sent = await answerOf(
      sqs.sendMessage({
        QueueUrl,
        MessageBody: 'msg',
        MessageAttributes: {
          'Help.Me': { DataType: 'String', StringValue: 'Me' },
          Hello: { DataType: 'String', StringValue: 'There' },
          General: { DataType: 'String', StringValue: 'Kenobi' },
        },
      }),
    );
    const whole = (...MessageAttributeNames: string[]) =>
      answerOf(sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames }));
    const message = async (...MessageAttributeNames: string[]) =>
      (await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames })).Messages?.[0];
    return {
      send_message_response: sent,
      empty_filter: await whole(),
      all_name: await whole('All'),
      all_wildcard_asterisk: await message('*'),
      all_wildcard: await message('.*'),
      only_non_existing_names: await message('Foo', 'Help'),
      only_existing: await message('Hello', 'General'),
      existing_and_non_existing: await message('Foo', 'Hello'),
      prefix_filter: await message('Hel.*'),
      illegal_name_1: await whole('AWS.'),
      illegal_name_2: await whole('..foo'),
    };
  },

  'TestSqsProvider::test_receive_message_attribute_names_filters[sqs]': systemFilters('AttributeNames'),
  'TestSqsProvider::test_receive_message_message_system_attribute_names_filters[sqs]': systemFilters(
    'MessageSystemAttributeNames',
  ),
  'TestSqsProvider::test_message_system_attribute_names_with_attribute_names[sqs]': filtered({
    same_values: { MessageSystemAttributeNames: ['All'], AttributeNames: ['All'] },
    different_values: { MessageSystemAttributeNames: ['All'], AttributeNames: older('SenderId') },
  }),

  'TestSqsProvider::test_non_existent_queue': async ({ sqs, queue }) => ({
    'queue-does-not-exist': await answerOf(sqs.getQueueAttributes({ QueueUrl: `${queue()}-not` })),
    'queue-does-not-exist-url': await answerOf(sqs.getQueueUrl({ QueueName: 'none-such' })),
  }),

  'TestSqsProvider::test_send_receive_wait_time_seconds[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue();
    await sqs.sendMessage({ QueueUrl, MessageBody: 'message' });
    await sqs.sendMessage({ QueueUrl, MessageBody: 'message' });
    const receive = (ask: Partial<ReceiveMessageCommandInput>) =>
      answerOf(sqs.receiveMessage({ QueueUrl, ...ask }));
    return {
      recieve_message_error_too_large: await receive({ WaitTimeSeconds: 21 }),
      recieve_message_error_too_small: await receive({ WaitTimeSeconds: -1 }),
      empty_short_poll_by_default_resp: await receive({ MaxNumberOfMessages: 1 }),
      empty_short_poll_explicit_resp: await receive({ MaxNumberOfMessages: 1, WaitTimeSeconds: 0 }),
    };
  },

  'TestSqsProvider::test_receive_empty_queue[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue();
    const receive = (ask: Partial<ReceiveMessageCommandInput>) =>
      answerOf(sqs.receiveMessage({ QueueUrl, ...ask }));
    return {
      empty_short_poll_resp_no_param: await receive({}),
      empty_short_poll_resp: await receive({ MaxNumberOfMessages: 1 }),
      empty_long_poll_resp: await receive({ MaxNumberOfMessages: 1, WaitTimeSeconds: 1 }),
    };
  },

  'TestSqsProvider::test_list_queues_pagination': async ({ sqs, queue }) => {
    const QueueNamePrefix = '7f7df0f5';
    for (let index = 0; index < 10; index += 1) queue({}, `${QueueNamePrefix}-test-queue-${index}`);
    const all = await sqs.listQueues({ QueueNamePrefix });
    const two = await sqs.listQueues({ QueueNamePrefix, MaxResults: 2 });
    const { NextToken } = two;
    const rest = await sqs.listQueues({ QueueNamePrefix, MaxResults: 10, NextToken });
    const pages = { list_all: all, list_two_max: two, list_remaining: rest };
    const entries = Object.entries(pages).map(async ([label, page]) => [
      label,
      await answerOf(Promise.resolve(page)),
    ]);
    return Object.fromEntries(await Promise.all(entries));
  },

  'TestSqsProvider::test_fair_queue_with_message_group_id[sqs]': async ({ sqs, queue }) => {
    const QueueUrl = queue();
    return {
      send_message: await answerOf(
        sqs.sendMessage({ QueueUrl, MessageBody: 'message', MessageGroupId: 'test' }),
      ),
      'get-message-with-deduplication-id': await answerOf(
        sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5, AttributeNames: ['All'] }),
      ),
    };
  },

  'TestSqsProvider::test_send_message_to_standard_queue_with_invalid_message_group_id[empty]':
    invalidGroup(''),
  'TestSqsProvider::test_send_message_to_standard_queue_with_invalid_message_group_id[too_long]':
    invalidGroup('a'.repeat(129)),
  'TestSqsProvider::test_send_message_to_standard_queue_with_invalid_message_group_id[spaces]':
    invalidGroup('group 123'),

  'TestSqsProvider::test_aws_trace_header_propagation[sqs]': async ({ sqs, queue, clientOf }) => {
    const traced = clientOf();
    traced.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { readonly headers: Record<string, string> };
        headers['x-amzn-trace-id'] =
          'Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1';
        return next(args);
      },
      { step: 'build' },
    );
    const QueueUrl = queue();
    const MessageAttributes = { timestamp: { DataType: 'Number', StringValue: '1493147359900' } };
    await traced.sendMessage({ QueueUrl, MessageBody: 'test', MessageAttributes });
    const { Messages = [] } = await sqs.receiveMessage({
      QueueUrl,
      AttributeNames: older('SentTimestamp', 'AWSTraceHeader'),
      MessageAttributeNames: ['All'],
    });
    // The recorder replaced what stands at the key `timestamp`.
    return {
      'xray-msg': Messages.map((message) => ({ ...message, MessageAttributes: { timestamp: '0' } }))[0],
    };
  },

  'TestSqsQueryApi::test_send_message_via_queue_url_with_json_protocol': async ({ queue, clientOf }) => {
    const QueueUrl = queue();
    const answer = await answerOf(clientOf(QueueUrl).receiveMessage({ QueueUrl, WaitTimeSeconds: 1 }));
    return { 'receive-json-on-queue-url': answer };
  },
};

export const SQS_LEFT_ASIDE: LeftAside = [
  [
    /\[sqs_query|TestSqsQueryApi/,
    'the older, form-encoded protocol: SDKs have left it, the host does not serve it',
  ],
  [/fifo|deduplication/, 'FIFO queues: the host refuses a template that has one'],
  [/test_create_|invalid_dead_letter_arn/, 'CreateQueue: queues come from templates'],
  [/permission_lifecycle/, 'AddPermission and RemovePermission: policies come from templates'],
];
