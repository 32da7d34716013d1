import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import type { Interceptor } from '../../local/testing.ts';
import { startLocalHost, type HostEvent, type LocalHost } from '../../local/index.ts';
import { environmentNames as settlementNames } from '../../lambda/card-settlement/contract.ts';
import { environmentNames as chatNames } from '../../lambda/chat/contract.ts';
import { outputsOf, type Outputs } from '../../cli/shared/outputs.ts';
import { createTables, type Tables } from './tables.ts';

/** The app on a local host in this process, and what looks at it from outside. */
export interface OwnHost {
  readonly host: LocalHost;
  readonly outputs: Outputs;
  readonly sqs: SQSClient;
  readonly tables: Tables;
  /** The queues that must be empty when all is done. */
  readonly queueUrls: readonly string[];
  readonly stop: () => Promise<void>;
}

/**
 * More than the default: nearly all functions run at once here, and workers that they take from each other would spend
 * their time on starting.
 */
const MAXIMUM_WORKERS = 28;

export async function startOwnHost(options: {
  readonly assembly: string;
  readonly interceptor: Interceptor;
  readonly onEvent: (event: HostEvent) => void;
}): Promise<OwnHost> {
  const { assembly, interceptor, onEvent } = options;
  const host = await startLocalHost({
    assembly,
    port: 0,
    awsPort: 0,
    maxWorkers: MAXIMUM_WORKERS,
    interceptors: [interceptor],
    onEvent,
  });
  const named = (name: string): string => {
    const value = host.functions
      .map(({ environment }) => environment[name])
      .find((each) => each !== undefined);
    return v.parse(v.string(`no function has the variable ${name}`), value);
  };
  // No role's: nothing befalls these calls.
  const client = {
    region: 'us-east-1',
    endpoint: host.awsEndpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const dynamoDb = new DynamoDBClient(client);
  const sqs = new SQSClient(client);
  return {
    host,
    outputs: outputsOf(host),
    sqs,
    tables: createTables(dynamoDb, {
      staged: named(settlementNames.stagedTransactionsTable),
      ledger: named(settlementNames.ledgerTable),
      messages: named(chatNames.messagesTable),
      notifications: named(chatNames.notificationsTable),
      acknowledgements: named(chatNames.acknowledgementsTable),
    }),
    queueUrls: [
      settlementNames.settlementQueueUrl,
      chatNames.notificationQueueUrl,
      chatNames.drainQueueUrl,
    ].map(named),
    stop: async () => {
      dynamoDb.destroy();
      sqs.destroy();
      await host.stop();
    },
  };
}
