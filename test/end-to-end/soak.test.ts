import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findingText } from '../../tools/soak/record.ts';
import type { SoakReport } from '../../tools/soak/report.ts';
import { runSoak } from '../../tools/soak/run.ts';
import { synthesized } from '../stack/templates.ts';

/**
 * Goal: whatever befalls the running app, nothing that it accepted is lost, nothing is doubled, and all adds up.
 * Method: `npm run soak` in short, with a fixed seed: the same load, faults, drain and checks.
 */

const SECONDS = 20;

let report: SoakReport;

beforeAll(async () => {
  report = await runSoak({
    assembly: await synthesized('soak'),
    seconds: SECONDS,
    salesPerSecond: 15,
    messagesPerSecond: 6,
    seed: 5,
    signal: ended.signal,
  });
}, 600_000);

const ended = new AbortController();
afterAll(() => ended.abort());

describe('after a load among faults', () => {
  test('nothing is lost, nothing is doubled, and everything adds up', () => {
    expect(report.findings.map(findingText)).toEqual([]);
  });

  test('there was a load: past dates are balanced, messages are acknowledged, and some wait for who is away', () => {
    const accepted = report.settlement.reduce((sum, row) => sum + row.accepted.count, 0);
    expect(accepted).toBeGreaterThan(10);
    expect(new Set(report.settlement.map(({ status }) => status))).toEqual(new Set(['balanced', 'open']));
    expect(report.recipients.filter(({ acknowledged }) => acknowledged > 0).length).toBeGreaterThan(1);
  });

  test('there were faults, of nearly every kind', () => {
    const { faults } = report;
    const failed = Object.entries(faults).filter(([kind]) => /^calls (?:failed|throttled)/.test(kind));
    expect(failed.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(5);
    for (const kind of ['workers killed', 'messages doubled', 'pipe stopped'])
      expect([kind, faults[kind]]).toEqual([kind, expect.any(Number)]);
    expect(Object.keys(faults).length).toBeGreaterThan(7);
    expect(Object.keys(report.consequences).length).toBeGreaterThan(0);
  });
});
