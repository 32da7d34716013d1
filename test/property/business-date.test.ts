import { describe, expect, it } from '@jest/globals';
import { Temporal } from '@js-temporal/polyfill';
import * as fc from 'fast-check';
import {
  addDays,
  businessDateOf,
  cutOffOf,
  type BusinessCalendar,
} from '../../lambda/card-settlement/domain/business-date.ts';

/**
 * Goal: an instant has one business date, whatever the clock does. Method: instants near and far from cut-offs and
 * clock changes, in zones of every kind, against Temporal.
 */

const timeZone = fc.constantFrom(
  'America/New_York',
  'Europe/Berlin',
  'Asia/Tokyo',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe', // half an hour of summer time
  'America/St_Johns',
  'Pacific/Chatham',
  'America/Sao_Paulo', // changed at midnight
  'Pacific/Kiritimati',
  'UTC',
);
const cutOff = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
const calendar = fc.record({ timeZone, cutOff });
const epochMilliseconds = fc.integer({ min: Date.UTC(2010, 0, 1), max: Date.UTC(2040, 0, 1) });
const date = epochMilliseconds.map((milliseconds) => new Date(milliseconds).toISOString().slice(0, 10));

/** Temporal's `compatible` is RFC 5545: the first of two, and as late as without the change. */
function temporalCutOff(day: string, { timeZone: zone, cutOff: time }: BusinessCalendar): number {
  return Temporal.PlainDateTime.from(`${day}T${time}`).toZonedDateTime(zone, { disambiguation: 'compatible' })
    .epochMilliseconds;
}

describe('a cut-off', () => {
  it('is the instant that Temporal finds', () => {
    fc.assert(
      fc.property(date, calendar, (day, each) => {
        expect(cutOffOf(day, each).getTime()).toBe(temporalCutOff(day, each));
      }),
      { numRuns: 300 },
    );
  });

  it('is the instant that Temporal finds, on every day of two years in which a clock changes', () => {
    const wrong: string[] = [];
    for (const zone of ['America/New_York', 'Australia/Lord_Howe']) {
      for (let day = '2025-01-01'; day < '2027-01-01'; day = addDays(day, 1)) {
        const each = { timeZone: zone, cutOff: zone === 'America/New_York' ? '02:30' : '01:45' };
        if (cutOffOf(day, each).getTime() !== temporalCutOff(day, each)) wrong.push(`${zone} ${day}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('a business date', () => {
  it('holds just the instants from the cut-off before to its own, to the millisecond', () => {
    fc.assert(
      fc.property(epochMilliseconds, calendar, (milliseconds, each) => {
        const found = businessDateOf(new Date(milliseconds), each);
        expect(temporalCutOff(addDays(found, -1), each)).toBeLessThanOrEqual(milliseconds);
        expect(milliseconds).toBeLessThan(temporalCutOff(found, each));
      }),
      { numRuns: 300 },
    );
  });

  it('ends at its cut-off, to the millisecond', () => {
    fc.assert(
      fc.property(date, calendar, (day, each) => {
        const end = cutOffOf(day, each).getTime();
        expect(businessDateOf(new Date(end - 1), each)).toBe(day);
        expect(businessDateOf(new Date(end), each)).toBe(addDays(day, 1));
      }),
      { numRuns: 300 },
    );
  });

  it('never goes back as time goes on', () => {
    const step = fc.integer({ min: 0, max: 3 * 86_400_000 });
    fc.assert(
      fc.property(epochMilliseconds, step, calendar, (milliseconds, later, each) => {
        const [first, second] = [milliseconds, milliseconds + later].map((instant) =>
          businessDateOf(new Date(instant), each),
        );
        expect(String(second) >= String(first)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
