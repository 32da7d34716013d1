import { expect, it } from '@jest/globals';
import { judge, rings } from '../../../cli/smoke/alarms.ts';
import { createSteps, eventually, type StepResult } from '../../../cli/smoke/steps.ts';

const places = { stack: 'DuotempoChat', outputs: [], headings: [] } as const;
const alarm = (state: string) => ({
  name: `A-${state}`,
  state,
  description: 'Chat is down. Runbook: "The message pipe fails".',
});

it('alarms are well that ring not, also those that CloudWatch has not looked at yet', () => {
  expect(judge([alarm('OK'), alarm('OK')])).toBe('2 OK');
  expect(judge([alarm('OK'), alarm('INSUFFICIENT_DATA')])).toBe(
    '1 OK, 1 that CloudWatch has not looked at yet',
  );
});

it('an alarm that rings is a failure that says what to do; so is that there are none', () => {
  expect(() => judge([alarm('OK'), alarm('ALARM')])).toThrow(
    'A-ALARM: Chat is down. Runbook: "The message pipe fails".',
  );
  expect(() => judge([])).toThrow('There are no alarms.');
});

it('an alarm on silence rings once its metric has stopped, and not before the metric has begun', () => {
  const madeAt = new Date('2026-11-24T10:00:00Z');
  const silentSince = (minutes: number, actions: string[]) => ({
    StateValue: 'INSUFFICIENT_DATA' as const,
    InsufficientDataActions: actions,
    AlarmConfigurationUpdatedTimestamp: madeAt,
    StateTransitionedTimestamp: new Date(madeAt.getTime() + minutes * 60_000),
  });
  expect(rings(silentSince(300, ['topic']))).toBe(true);
  expect(rings(silentSince(0, ['topic']))).toBe(false);
  expect(rings(silentSince(300, []))).toBe(false);
  expect([rings({ StateValue: 'ALARM' }), rings({ StateValue: 'OK' })]).toEqual([true, false]);
});

it('a step after one that failed is not tried', async () => {
  const told: StepResult[] = [];
  const { step, results } = createSteps(async (result) => {
    told.push(result);
    return Promise.resolve();
  });
  expect(await step('one', places, async () => Promise.resolve({ detail: 'well' }))).toEqual({
    detail: 'well',
  });
  await step('two', places, async () =>
    eventually<{ detail: string }>('It is to come', 0, async () => Promise.resolve(undefined)),
  );
  const three = step('three', places, async () => Promise.reject(new Error('was tried')));
  expect(await three).toBeUndefined();
  expect(results.map(({ status, detail }) => [status, detail])).toEqual([
    ['ok', 'well'],
    ['failed', 'It is to come within 0 s: it did not.'],
    ['skipped', 'not tried'],
  ]);
  expect(told).toEqual(results);
});
