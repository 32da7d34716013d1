import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { DynamoDB, paginateScan } from '@aws-sdk/client-dynamodb';
import { SQS } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { accessTokensOf } from '../../cli/shared/tokens.ts';
import { createHttpClient, type HttpResponse } from '../../cli/shared/http.ts';
import { outputsOf, type Outputs } from '../../cli/shared/outputs.ts';
import { addDays, businessDateOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { stageConfig, type Stage } from '../../lib/config.ts';
import { startLocalHost, type HostEvent, type LocalHost, type LocalHostOptions } from '../../local/index.ts';
import { eventually } from '../eventually.ts';
import { synthesized } from '../stack/templates.ts';
import { editedAssembly, type TemplateEdit } from './edited-assembly.ts';

/** The synthesized app, running whole on the local host: what the end-to-end tests talk to over HTTP and the AWS SDK. */
export interface System {
  readonly host: LocalHost;
  readonly outputs: Outputs;
  readonly events: readonly HostEvent[];
  readonly dynamodb: DynamoDB;
  readonly sqs: SQS;
  readonly today: string;
  readonly token: (client: 'gateway' | 'operator') => Promise<string>;
  /** A request to the card API, with a token of the client unless `headers` says otherwise. */
  readonly call: (
    client: 'gateway' | 'operator',
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    options?: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> },
  ) => Promise<HttpResponse>;
  readonly stage: (fields?: Readonly<Record<string, unknown>>, key?: string) => Promise<string>;
  readonly scan: (tableName: string) => Promise<Record<string, unknown>[]>;
  /** The name of one of the app's tables or the url of a queue that is no output: what its physical name contains. */
  readonly environment: (name: string) => string;
  readonly dayWith: (
    businessDate: string,
    wanted: (day: Record<string, unknown>) => boolean,
    timeoutSeconds?: number,
  ) => Promise<Record<string, unknown>>;
  readonly stop: () => Promise<void>;
}

export interface SystemOptions extends Pick<
  LocalHostOptions,
  'interceptors' | 'onInvoke' | 'accountConcurrency' | 'startAt'
> {
  /** @default test, whose waits are short */
  readonly stage?: Stage;
  readonly edits?: readonly TemplateEdit[];
}

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const { stage = 'test', edits = [], ...hostOptions } = options;
  const whole = await synthesized(stage);
  const assembly = edits.length === 0 ? whole : editedAssembly(whole, edits);
  const events: HostEvent[] = [];
  const host = await startLocalHost({
    assembly,
    port: 0,
    awsPort: 0,
    // So many that no function's worker makes room for another function's: starting one takes longer than most calls.
    maxWorkers: 24,
    onEvent: (event) => events.push(event),
    ...hostOptions,
  });
  const aws = {
    region: 'us-east-1',
    endpoint: host.awsEndpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const dynamodb = new DynamoDB(aws);
  const sqs = new SQS(aws);
  const outputs = outputsOf(host);
  const http = createHttpClient({ connections: 32 });
  const tokens = {
    gateway: accessTokensOf('gateway', outputs, http),
    operator: accessTokensOf('operator', outputs, http),
  };
  const today = businessDateOf(new Date(), stageConfig(stage).calendar);

  const call: System['call'] = async (client, method, path, { body, headers } = {}) =>
    http.send({
      method,
      url: `${outputs.DuotempoCardSettlement.ApiUrl}${path}`,
      headers: { authorization: `Bearer ${await tokens[client].get()}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });

  return {
    host,
    outputs,
    events,
    dynamodb,
    sqs,
    today,
    token: async (client) => tokens[client].get(),
    call,
    stage: async (fields = {}, key = randomUUID()) => {
      const { status, body } = await call('gateway', 'POST', '/transactions', {
        body: sale(fields),
        headers: { 'idempotency-key': key },
      });
      // 200: the write that intake tried again had gone through at the first attempt.
      if (status !== 201 && status !== 200)
        throw new Error(`A sale was answered ${status}: ${JSON.stringify(body)}`);
      return textOf(body, 'transactionId');
    },
    scan: async (tableName) => {
      const items: Record<string, unknown>[] = [];
      for await (const page of paginateScan(
        { client: dynamodb },
        { TableName: tableName, ConsistentRead: true },
      )) {
        for (const item of page.Items ?? []) items.push(unmarshall(item));
      }
      return items;
    },
    environment: (name) => {
      const value = host.functions
        .map(({ environment }) => environment[name])
        .find((found) => found !== undefined);
      if (value === undefined) throw new Error(`No function has the variable ${name}.`);
      return value;
    },
    dayWith: async (businessDate, wanted, timeoutSeconds) => {
      let day: Record<string, unknown> = {};
      const isWanted = async (): Promise<boolean> => {
        const { status, body } = await call('gateway', 'GET', `/business-days/${businessDate}`);
        day = typeof body === 'object' && body !== null ? { ...body } : {};
        return status === 200 && wanted(day);
      };
      await eventually(
        isWanted,
        () => `${businessDate} is as wanted, not ${JSON.stringify(day)}`,
        timeoutSeconds,
      );
      return day;
    },
    stop: async () => {
      http.close();
      dynamodb.destroy();
      sqs.destroy();
      await host.stop();
      if (assembly !== whole) rmSync(assembly, { recursive: true });
    },
  };
}

/** A sale of 4.97 USD, of this moment unless `fields` says otherwise. */
export function sale(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    merchantId: 'mer_corner_shop',
    terminalId: 'till-1',
    type: 'sale',
    cardToken: `tok_${randomUUID().slice(0, 8)}`,
    amount: 497,
    currency: 'USD',
    merchantCategoryCode: '5411',
    occurredAt: new Date().toISOString(),
    ...fields,
  };
}

/** Noon UTC of a date: by the business calendar of every stage it belongs to that date. */
export function noonOf(businessDate: string): string {
  return `${businessDate}T12:00:00Z`;
}

export function daysAgo(system: System, days: number): string {
  return addDays(system.today, -days);
}

export function textOf(body: unknown, name: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  if (typeof value !== 'string') throw new Error(`The answer has no text ${name}: ${JSON.stringify(body)}`);
  return value;
}
