import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../eventually.ts';
import { balanced, reconcile, stageMany, totalsOf } from './card-settlement/day.ts';
import { daysAgo, startSystem, type System } from './system.ts';

/**
 * Goal: a business day balances by itself, with the same totals, whatever happens to its messages and workers.
 * Method: faults injected from outside into the running app, all at once: what one test kills or purges hits the others'
 * days too.
 */

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(async () => {
  await system.stop();
});

describe('a day among faults', () => {
  test.concurrent('balances after workers were killed in the middle of their batches', async () => {
    const date = daysAgo(system, 9);
    await stageMany(system, date, 80);
    await reconcile(system, date);
    const kills = await killOften('DuotempoCardSettlement-Settlement', 4);
    expect(kills).toBe(4);
    const day = await system.dayWith(date, balanced, 240);
    expect(day).toMatchObject({ totals: totalsOf(80) });
  }, 300_000);

  test.concurrent('balances after its messages were purged from the queue', async () => {
    const date = daysAgo(system, 10);
    await stageMany(system, date, 60);
    const QueueUrl = system.outputs.DuotempoCardSettlement['SettlementQueueUrl'];
    await reconcile(system, date);
    await system.dayWith(date, ({ asOf }) => asOf !== undefined);
    await system.sqs.purgeQueue({ QueueUrl });
    // The run that follows the seal's wait finds what the purge has lost, and what it left out has no message any more.
    await eventually(
      () => missingOf(date).length > 1 && (missingOf(date).at(-1) ?? 0) > 0,
      'a run finds what the purge has lost',
    );
    const day = await system.dayWith(date, balanced, 240);
    expect(day).toMatchObject({ totals: totalsOf(60) });
  }, 300_000);

  test.concurrent('balances, each effect once, when every message comes three times', async () => {
    const date = daysAgo(system, 11);
    const ids = await stageMany(system, date, 30);
    const send = async () => {
      for (let from = 0; from < ids.length; from += 10) {
        await system.sqs.sendMessageBatch({
          QueueUrl: system.outputs.DuotempoCardSettlement['SettlementQueueUrl'],
          Entries: ids.slice(from, from + 10).map((factId, index) => ({
            Id: String(index),
            MessageBody: JSON.stringify({ factId }),
          })),
        });
      }
    };
    await Promise.all([send(), reconcile(system, date), send()]);
    const day = await system.dayWith(date, balanced, 240);
    expect(day).toMatchObject({ totals: totalsOf(30) });
    const ledger = await system.scan(system.outputs.DuotempoCardSettlement['LedgerTable'] ?? '');
    expect(ledger.filter(({ businessDate }) => businessDate === date)).toHaveLength(30);
  }, 300_000);

  test.concurrent('balances after the reconcile function was killed, and after requests that met each other', async () => {
    const date = daysAgo(system, 12);
    await stageMany(system, date, 30);
    await Promise.all([reconcile(system, date), reconcile(system, date), reconcile(system, date)]);
    expect(await killOften('DuotempoCardSettlement-Reconcile', 1)).toBe(1);
    await reconcile(system, date);
    const day = await system.dayWith(date, balanced, 240);
    expect(day).toMatchObject({ totals: totalsOf(30) });
  }, 300_000);
});

/** Kills running workers of a function again and again, until it has hit some. */
async function killOften(functionName: string, wanted: number): Promise<number> {
  const deadline = Date.now() + 60_000;
  let kills = 0;
  while (kills < wanted && Date.now() < deadline) {
    kills += system.host.killFunction(functionName);
    await pause(3);
  }
  return kills;
}

/** How many transactions each run of a date found missing, as the runs log it. */
function missingOf(date: string): number[] {
  return system.events.flatMap((event) => {
    if (event.type !== 'log' || !event.line.includes('"day reconciled"') || !event.line.includes(date))
      return [];
    const line: unknown = JSON.parse(event.line);
    const missing: unknown =
      typeof line === 'object' && line !== null ? Reflect.get(line, 'missing') : undefined;
    return typeof missing === 'number' ? [missing] : [];
  });
}
