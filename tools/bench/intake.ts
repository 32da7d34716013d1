import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { stagedItem } from '../../lambda/card-settlement/store/staged-transactions.ts';
import { connectToApi, describeRefusal } from '../../cli/shared/api.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { percentiles, type Percentiles } from '../latency/percentiles.ts';
import { forEachConcurrently } from '../../cli/shared/concurrency.ts';
import { dynamoDbClient } from './aws-client.ts';
import type { RunningHost } from './running-host.ts';
import { benchFact, benchSale } from './sales.ts';

export interface IntakeResult {
  readonly connections: number;
  /** Requests a second, the median of the rounds. */
  readonly intakePerSecond: number;
  readonly rawPerSecond: number;
  /** The first to the second, within each round; the median. */
  readonly ratio: number;
  readonly milliseconds: Percentiles;
  readonly accepted: number;
}

/** On which the raw writes lie, so that no day of the app has them. */
const FOREIGN_DATE = '1999-12-31';

/**
 * Intake over HTTP against what the engine itself takes: conditional `PutItem`s of equal items into the same table,
 * through the SDK, from this very process, with as many connections. Rounds of both take turns, so that a machine that
 * gets busy slows down both.
 */
export async function measureIntake(
  host: RunningHost,
  options: { readonly connections: number; readonly requests: number; readonly rounds: number },
): Promise<IntakeResult> {
  const { connections, requests, rounds } = options;
  const client = dynamoDbClient(host.awsEndpoint, connections);
  const api = connectToApi(host.outputs, connections);
  const numbers = Array.from({ length: requests }, (_, number) => number);
  const milliseconds: number[] = [];

  const putRaw = async (number: number): Promise<void> => {
    const item = stagedItem(benchFact(number, new Date(), FOREIGN_DATE));
    await client.send(
      new PutItemCommand({
        TableName: host.stagedTransactionsTable,
        Item: item,
        ConditionExpression: 'attribute_not_exists(transactionId)',
      }),
    );
  };
  const accept = async (number: number): Promise<void> => {
    const startedAt = performance.now();
    const response = await api.as.gateway({
      method: 'POST',
      path: '/transactions',
      headers: { 'idempotency-key': randomUUID() },
      body: benchSale(number, new Date()),
    });
    milliseconds.push(performance.now() - startedAt);
    if (response.status !== 201) throw new CommandError(`A sale was refused: ${describeRefusal(response)}.`);
  };
  const perSecond = async (work: (number: number) => Promise<void>): Promise<number> => {
    const startedAt = performance.now();
    await forEachConcurrently(numbers, connections, work);
    return (1000 * requests) / (performance.now() - startedAt);
  };

  try {
    await perSecond(putRaw);
    await perSecond(accept);
    milliseconds.length = 0;
    const measured: { readonly raw: number; readonly intake: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      measured.push({ raw: await perSecond(putRaw), intake: await perSecond(accept) });
    }
    const latency = percentiles(milliseconds);
    if (latency === undefined) throw new RangeError('at least one round is needed');
    return {
      connections,
      intakePerSecond: median(measured.map(({ intake }) => intake)),
      rawPerSecond: median(measured.map(({ raw }) => raw)),
      ratio: median(measured.map(({ raw, intake }) => intake / raw)),
      milliseconds: latency,
      accepted: requests * (rounds + 1),
    };
  } finally {
    api.close();
    client.destroy();
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
