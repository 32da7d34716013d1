import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { arrivalsOf, noHop, poissonArrivals, sqsHop } from '../../../tools/compare/arrivals.ts';
import { playCell, type Cell, type Worker } from '../../../tools/compare/cell.ts';
import { chooseCells } from '../../../tools/compare/check.ts';
import { frontierOf } from '../../../tools/compare/frontier.ts';
import { isRefused, settings } from '../../../tools/compare/grid.ts';
import { fitHandler, unitsOf, type MeasuredSize } from '../../../tools/compare/handler-model.ts';
import {
  awsRules,
  playPollers,
  type Played,
  type PollerRules,
  type Setting,
} from '../../../tools/compare/pollers.ts';
import { expectedBatch, ruleOf } from '../../../tools/compare/rule.ts';
import { readPrices } from '../../../tools/cost/prices.ts';
import { percentiles } from '../../../tools/harness/percentiles.ts';
import { seededRandom } from '../../../tools/harness/random.ts';

interface Play {
  readonly setting: Setting;
  readonly rules: PollerRules;
  readonly perSecond: number;
  readonly seconds: number;
  readonly seed: number;
}

const secondsOf = (size: number): number => 0.03 + 0.022 * size;

function play({ setting, rules, perSecond, seconds, seed }: Play) {
  const random = seededRandom(seed, 'test');
  const arrivals = poissonArrivals({ perSecond, seconds }, random, noHop);
  const played = playPollers(setting, rules, { arrivals, secondsOf, random });
  return { arrivals, played, waits: waitsOf(arrivals, played) };
}

function waitsOf(arrivals: readonly { readonly sentAt: number }[], { doneAt }: Played): number[] {
  return arrivals.map(({ sentAt }, index) => (doneAt[index] ?? Number.NaN) - sentAt);
}

const setting = fc.constantFrom(...settings.filter((each) => !isRefused(each)));
const plays = fc.record({
  setting,
  rules: fc.record({
    initial: fc.integer({ min: 1, max: 5 }),
    most: fc.integer({ min: 5, max: 20 }),
    addedPerSecond: fc.integer({ min: 0, max: 5 }),
    windowEndsPoll: fc.boolean(),
    serves: fc.constantFrom('any' as const, 'longest-waiting' as const),
    secondsBetweenBatches: fc.constantFrom(0, 0.01),
  }),
  perSecond: fc.constantFrom(0.1, 1, 10, 40),
  seconds: fc.constant(30),
  seed: fc.integer(),
});

describe('the pollers', () => {
  it('deliver every message exactly once, after it was sent, in batches that are never too large', () => {
    fc.assert(
      fc.property(plays, (each) => {
        const { arrivals, played, waits } = play(each);
        const delivered = played.batches.flatMap(({ messages }) => messages);
        expect(delivered.toSorted((one, other) => one - other)).toEqual(arrivals.map((_, index) => index));
        for (const { messages } of played.batches) {
          expect(messages.length).toBeGreaterThan(0);
          expect(messages.length).toBeLessThanOrEqual(each.setting.batchSize);
        }
        expect(waits.every((wait) => wait >= secondsOf(1) - 1e-9)).toBe(true);
        expect(played.mostPollers).toBeLessThanOrEqual(each.rules.most);
      }),
      { numRuns: 100 },
    );
  });

  it('let no message wait longer than the window, a long poll and the function, where they are not busy', () => {
    fc.assert(
      fc.property(plays, (each) => {
        const { waits } = play({ ...each, perSecond: 0.5 });
        const poll = each.rules.windowEndsPoll || each.setting.windowSeconds === 0 ? 0 : 20;
        // At half a message a second, no poller that invokes keeps another message from being received.
        const busy = each.rules.initial === 1 ? secondsOf(100) + each.setting.windowSeconds + poll : 0;
        const longest = each.setting.windowSeconds + poll + secondsOf(100) + busy;
        expect(Math.max(0, ...waits)).toBeLessThanOrEqual(longest);
      }),
      { numRuns: 100 },
    );
  });

  it('do the same for the same seed, and not for another', () => {
    fc.assert(
      fc.property(plays, (each) => expect(play(each)).toEqual(play(each))),
      { numRuns: 20 },
    );
    const one = { setting: settings[0], rules: awsRules(), perSecond: 10, seconds: 60 } as const;
    const [first, second] = [1, 2].map((seed) =>
      play({ ...one, setting: { batchSize: 10, windowSeconds: 1 }, seed }),
    );
    expect(first?.waits).not.toEqual(second?.waits);
  });

  it('batch alone, each: a window of ten seconds fills to 1 + rate × window / pollers', () => {
    const rules = { ...awsRules(), windowEndsPoll: true };
    const { arrivals, played, waits } = play({
      setting: { batchSize: 10, windowSeconds: 10 },
      rules,
      perSecond: 1,
      seconds: 4000,
      seed: 1,
    });
    const expected = expectedBatch({ batchSize: 10, windowSeconds: 10, perSecond: 1 });
    expect(expected).toBe(3);
    expect(arrivals.length / played.batches.length).toBeCloseTo(expected, 0);
    expect(percentiles(waits)?.p50).toBeCloseTo(7.5, 0);
  });

  it('wait for up to 20 s with low traffic, even with a shorter window, but not without one', () => {
    const low = { rules: awsRules(), perSecond: 0.1, seconds: 4000, seed: 1 };
    const wait = (windowSeconds: number): number =>
      percentiles(play({ ...low, setting: { batchSize: 10, windowSeconds } }).waits)?.p50 ?? 0;
    expect(wait(0)).toBeCloseTo(secondsOf(1));
    expect(wait(1)).toBeCloseTo(20 + secondsOf(1));
  });

  it('grow by five a second while messages wait, to the maximum concurrency', () => {
    const busy = { setting: { batchSize: 1, windowSeconds: 0 }, perSecond: 1000, seconds: 20, seed: 1 };
    const most = (rules: PollerRules): number => play({ ...busy, rules }).played.mostPollers;
    expect(most(awsRules(2))).toBe(2);
    expect(most(awsRules(30))).toBe(30);
    // 52 are needed; the backlog of the first seconds takes more.
    expect(most(awsRules())).toBeGreaterThan(52);
    expect(most(awsRules())).toBeLessThanOrEqual(5 + 5 * 30);
  });

  it('give what Capital One measured: a burst of 200 makes 200 batches of one, or 21 to 24 of ten', () => {
    // www.capitalone.com/tech/cloud/lambda-sqs-batch-size
    for (let seed = 0; seed < 50; seed += 1) {
      const invocations = (batchSize: number): number => {
        const random = seededRandom(seed, 'burst');
        const arrivals = arrivalsOf(
          Array.from({ length: 200 }, () => 0),
          random,
          sqsHop,
        );
        const seconds = 0.05 + random.next();
        const load = { arrivals, secondsOf: () => seconds, random };
        return playPollers({ batchSize, windowSeconds: 0 }, awsRules(), load).batches.length;
      };
      expect(invocations(1)).toBe(200);
      expect(invocations(10)).toBeGreaterThanOrEqual(21);
      expect(invocations(10)).toBeLessThanOrEqual(24);
    }
  });

  it('poll 15 times a minute for nothing', () => {
    const random = seededRandom(1, 'test');
    const arrivals = arrivalsOf([60.5], random, noHop);
    const setting = { batchSize: 10, windowSeconds: 0 };
    const { receives, emptyReceives } = playPollers(setting, awsRules(), { arrivals, secondsOf, random });
    expect({ receives, emptyReceives }).toEqual({ receives: 0, emptyReceives: 15 });
  });
});

it('the hop has the percentiles that were published', () => {
  const random = seededRandom(1, 'hop');
  const drawn = Array.from({ length: 20_000 }, () => 1000 * sqsHop(random)).toSorted(
    (one, other) => one - other,
  );
  const at = (share: number): number => drawn[Math.floor(share * drawn.length)] ?? 0;
  expect([at(0.1), at(0.5), at(0.9), at(0.99)].map(Math.round)).toEqual([
    14,
    16,
    34,
    expect.closeTo(105, -1),
  ]);
});

function measured(size: number, milliseconds: number, readUnits: number): MeasuredSize {
  const units = { 'dynamodb-read-units': readUnits, 'dynamodb-write-units': size, 'websocket-messages': 0 };
  return { size, milliseconds: [milliseconds], units };
}
const sizes = [measured(1, 35, 2.5), measured(10, 80, 20), measured(100, 530, 155)];

describe('the handler', () => {
  it('is fitted with a time per batch and per message', () => {
    const { millisecondsPerBatch, millisecondsPerItem, spread } = fitHandler(sizes);
    expect([millisecondsPerBatch, millisecondsPerItem]).toEqual([expect.closeTo(30), expect.closeTo(5)]);
    for (const times of spread) expect(times).toBeCloseTo(1);
    const one = fitHandler([measured(1, 35, 2.5)]);
    expect([one.millisecondsPerBatch, one.millisecondsPerItem]).toEqual([expect.closeTo(35), 0]);
  });

  it('takes units between those that were measured', () => {
    const reads = [1, 4, 10, 55, 100, 1000].map((size) =>
      unitsOf(fitHandler(sizes), 'dynamodb-read-units', size),
    );
    expect(reads).toEqual([2.5, expect.closeTo(8.333), 20, 87.5, 155, 1550]);
  });
});

it('Lambda refuses batches over ten without a window', () => {
  expect(settings).toHaveLength(30);
  expect(settings.filter(isRefused)).toEqual([
    { batchSize: 100, windowSeconds: 0 },
    { batchSize: 1000, windowSeconds: 0 },
  ]);
});

const worker: Worker = { handler: fitHandler(sizes), memoryMegabytes: 512, rules: awsRules(100) };

it('a cell costs its units times their prices', async () => {
  const prices = await readPrices();
  const options = { perSecond: 10, hop: noHop, prices, seed: 1 };
  const cell = playCell({ batchSize: 1, windowSeconds: 0 }, worker, options);
  expect(cell).toMatchObject({ messagesPerBatch: 1, invocations: 1, readUnits: 2.5, writeUnits: 1 });
  // A receive and a delete; now and then all five pollers wait for 20 s.
  expect(cell.sqsRequests).toBeCloseTo(2, 1);
  // An invocation, 35 ms of half a GB, two requests, 2.5 read units, a write unit.
  expect(cell.dollarsPerMillion).toBeCloseTo(
    0.2 + 0.035 * 0.5 * 13.3334 + cell.sqsRequests * 0.4 + 2.5 * 0.125 + 0.625,
  );
  expect(cell.waitSeconds).toEqual({ p50: expect.closeTo(0.035), p99: expect.closeTo(0.035) });
  expect(cell.fallsBehind).toBe(false);
});

it('a cell falls behind where the pollers are too few', async () => {
  const prices = await readPrices();
  const few = { ...worker, rules: awsRules(2) };
  const options = { perSecond: 100, hop: noHop, prices, seed: 1 };
  expect(playCell({ batchSize: 1, windowSeconds: 0 }, few, options).fallsBehind).toBe(true);
});

it('cells to check are chosen by the seed, each once, and none that is refused', () => {
  const cells = chooseCells(50, 7);
  expect(chooseCells(50, 7)).toEqual(cells);
  expect(chooseCells(10, 7)).toEqual(cells.slice(0, 10));
  expect(chooseCells(10, 8)).not.toEqual(cells.slice(0, 10));
  expect(new Set(cells.map((cell) => JSON.stringify(cell))).size).toBe(50);
  expect(cells.filter(isRefused)).toEqual([]);
});

describe('of several cells', () => {
  const cell = (batchSize: number, windowSeconds: number, p99: number, dollarsPerMillion: number): Cell => ({
    batchSize,
    windowSeconds,
    perSecond: 1,
    messagesPerBatch: 1,
    waitSeconds: { p50: p99 / 2, p99 },
    invocations: 1,
    sqsRequests: 2,
    readUnits: 1,
    writeUnits: 1,
    dollarsPerMillion,
    mostPollers: 5,
    fallsBehind: false,
  });
  const cells = [
    cell(1, 0, 0.1, 2),
    cell(10, 0, 0.1, 1.995),
    cell(10, 10, 20, 1.5),
    cell(10, 1, 19, 1.8),
    cell(2, 1, 19, 1.9),
  ];

  it('the frontier has those that no other beats by a cent', () => {
    // The last one's window does nothing.
    const shown = frontierOf([
      ...cells,
      { ...cell(5, 5, 0.05, 0.1), fallsBehind: true },
      cell(1, 5, 0.01, 1),
    ]);
    expect(shown.map(({ dollarsPerMillion }) => dollarsPerMillion)).toEqual([1.995, 1.8, 1.5]);
  });

  it('the rule compares each window with none', () => {
    const { window, cheapest } = ruleOf(cells);
    expect(
      window.map(({ windowSeconds, arrivals, pays, dollarsSaved, p50SecondsAdded }) => [
        windowSeconds,
        arrivals,
        pays,
        dollarsSaved,
        p50SecondsAdded,
      ]),
    ).toEqual([
      [10, 10, true, expect.closeTo(0.495), expect.closeTo(9.95)],
      [1, 1, false, expect.closeTo(0.195), expect.closeTo(9.45)],
    ]);
    expect(cheapest.map(({ dollarsPerMillion }) => dollarsPerMillion)).toEqual([2, 1.5, 1.9]);
  });
});
