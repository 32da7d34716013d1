import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { assert, date, property } from 'fast-check';
import { daysToShift, idempotencyKey } from '../../../cli/replay/shift.ts';
import { recallShift, stateFile } from '../../../cli/replay/shift.ts';
import { addDays, businessDateOf } from '../../../lambda/card-settlement/domain/business-date.ts';

const newYork = { timeZone: 'America/New_York', cutOff: '17:00' };
const dayMilliseconds = 86_400_000;

describe('the shift to today', () => {
  it('makes the last business date of the file the newest one past its cut-off', () => {
    const last = new Date('2019-01-04T21:59:59Z'); // business date 2019-01-04
    // 16:59 in New York: the 22nd is still open, the 21st is the newest past its cut-off.
    expect(daysToShift(last, new Date('2026-11-22T21:59:00Z'), newYork)).toBe(2878);
    // 17:00: the 22nd has just been cut off.
    expect(daysToShift(last, new Date('2026-11-22T22:00:00Z'), newYork)).toBe(2879);
  });

  it('is right for an instant that a change of the clock puts on the other side of the cut-off', () => {
    // 21:30 UTC is 16:30 in winter, before the cut-off, and 17:30 in summer, after it.
    const last = new Date('2019-01-04T21:30:00Z');
    const now = new Date('2026-07-10T23:00:00Z');
    const days = daysToShift(last, now, newYork);
    expect(businessDateOf(new Date(last.getTime() + days * dayMilliseconds), newYork)).toBe('2026-07-10');
  });

  it('never moves a file into the open day, and never further back than it must', () => {
    const instants = date({
      min: new Date('2015-01-01T00:00:00Z'),
      max: new Date('2035-01-01T00:00:00Z'),
      noInvalidDate: true,
    });
    assert(
      property(instants, instants, (last, now) => {
        const days = daysToShift(last, now, newYork);
        const newest = addDays(businessDateOf(now, newYork), -1);
        const dateAfter = (by: number): string =>
          businessDateOf(new Date(last.getTime() + by * dayMilliseconds), newYork);
        expect(dateAfter(days) <= newest).toBe(true);
        expect(dateAfter(days + 1) > newest).toBe(true);
      }),
      { seed: 20_260_102, numRuns: 500 },
    );
  });
});

describe('the idempotency key of a row', () => {
  it('is its transaction_id and the days moved', () => {
    expect(idempotencyKey('0b242abb', 2879)).toBe('0b242abb-2879');
    expect(idempotencyKey('0b242abb', 0)).toBe('0b242abb-0');
  });

  it.each(['t'.repeat(64), 'with space', 'é', 'a/b'])('is an identifier for %s, too', (transactionId) => {
    for (const days of [0, 2879, -3]) {
      expect(idempotencyKey(transactionId, days)).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      expect(idempotencyKey(transactionId, days)).not.toBe(idempotencyKey(transactionId, days + 1));
    }
  });
});

describe('what is remembered of a replay', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'duotempo-state-'));
  });
  afterEach(async () => rm(folder, { recursive: true }));

  const outputs = {
    DuotempoIdentity: {
      TokenUrl: 'http://localhost:1/token',
      UserPoolId: 'us-east-1_A',
      GatewayClientId: 'g',
      OperatorClientId: 'o',
      ChatClientId: 'c',
    },
    DuotempoCardSettlement: { ApiUrl: 'http://localhost:1/card-settlement' },
    DuotempoChat: { ApiUrl: 'http://localhost:1/chat', WebSocketUrl: 'ws://localhost:1/chat-live' },
    DuotempoLocal: undefined,
  };

  async function recall(days: number, change: { file?: string; userPoolId?: string } = {}): Promise<number> {
    return recallShift({
      state: stateFile(path.join(folder, 'outputs.json')),
      outputs: {
        ...outputs,
        DuotempoIdentity: { ...outputs.DuotempoIdentity, UserPoolId: change.userPoolId ?? 'us-east-1_A' },
      },
      file: change.file ?? 'f00d',
      now: new Date('2026-11-22T20:00:00Z'),
      choose: () => days,
    });
  }

  it('is beside the outputs', () => {
    expect(stateFile('/x/sandbox.json')).toBe('/x/sandbox.replays.json');
  });

  it('gives the same file the same shift for the same deployment, on later days, too', async () => {
    expect(await recall(2879)).toBe(2879);
    expect(await recall(2880)).toBe(2879);
  });

  it('gives another file or another deployment its own', async () => {
    await recall(2879);
    expect(await recall(5, { file: 'beef' })).toBe(5);
    expect(await recall(6, { userPoolId: 'us-east-1_B' })).toBe(6);
    expect(await recall(7)).toBe(2879);
  });

  it('is never guessed where the file is damaged', async () => {
    const state = stateFile(path.join(folder, 'outputs.json'));
    await writeFile(state, '{"replays":[{"days":');
    await expect(recall(1)).rejects.toThrow('is damaged');
    expect(await readFile(state, 'utf8')).toBe('{"replays":[{"days":');
  });
});
