import { describe, expect, it } from '@jest/globals';
import {
  addDays,
  businessDateOf,
  cutOffOf,
  isCalendarDate,
} from '../../../lambda/card-settlement/domain/business-date.ts';

const newYork = { timeZone: 'America/New_York', cutOff: '17:00' };

describe('the business date of an instant', () => {
  it.each([
    ['in winter, the millisecond before the cut-off', '2026-01-15T21:59:59.999Z', '2026-01-15'],
    ['in winter, at the cut-off', '2026-01-15T22:00:00.000Z', '2026-01-16'],
    ['in summer, the millisecond before the cut-off', '2026-07-15T20:59:59.999Z', '2026-07-15'],
    ['in summer, at the cut-off', '2026-07-15T21:00:00.000Z', '2026-07-16'],
    ['on the day the clock goes forward', '2026-03-08T20:59:59.999Z', '2026-03-08'],
    ['at the first cut-off of summer time', '2026-03-08T21:00:00.000Z', '2026-03-09'],
    ['on the day the clock goes back', '2026-11-01T21:59:59.999Z', '2026-11-01'],
    ['at the first cut-off of winter time', '2026-11-01T22:00:00.000Z', '2026-11-02'],
    ['across the end of a year', '2025-12-31T22:00:00.000Z', '2026-01-01'],
    ['on a leap day', '2028-02-29T12:00:00.000Z', '2028-02-29'],
  ])('is right %s', (_, instant, businessDate) => {
    expect(businessDateOf(new Date(instant), newYork)).toBe(businessDate);
  });

  it('follows zones that are off by half an hour', () => {
    const kolkata = { timeZone: 'Asia/Kolkata', cutOff: '17:00' };
    expect(businessDateOf(new Date('2026-01-15T11:29:59.999Z'), kolkata)).toBe('2026-01-15');
    expect(businessDateOf(new Date('2026-01-15T11:30:00.000Z'), kolkata)).toBe('2026-01-16');
  });

  it('is the local date before midnight where the cut-off is midnight of the same date', () => {
    const midnight = { timeZone: 'America/New_York', cutOff: '00:00' };
    expect(businessDateOf(new Date('2026-01-15T05:00:00.000Z'), midnight)).toBe('2026-01-16');
    expect(businessDateOf(new Date('2026-01-15T04:59:59.999Z'), midnight)).toBe('2026-01-15');
  });
});

describe('a cut-off', () => {
  it('that the clock skips comes as late as if the clock had not moved', () => {
    const calendar = { timeZone: 'America/New_York', cutOff: '02:30' };
    expect(cutOffOf('2026-03-08', calendar).toISOString()).toBe('2026-03-08T07:30:00.000Z');
  });

  it('that the clock shows twice comes the first time', () => {
    const calendar = { timeZone: 'America/New_York', cutOff: '01:30' };
    expect(cutOffOf('2026-11-01', calendar).toISOString()).toBe('2026-11-01T05:30:00.000Z');
  });
});

describe('a calendar date', () => {
  it.each(['2026-01-01', '2028-02-29', '1970-01-01', '9999-12-31'])('may be %s', (text) => {
    expect(isCalendarDate(text)).toBe(true);
  });

  it.each([
    '2026-02-29',
    '2026-02-30',
    '2026-13-01',
    '2026-00-10',
    '2026-04-31',
    '2026-1-1',
    '1969-12-31',
    '0000-01-01',
    '2026-01-01T00:00:00Z',
    ' 2026-01-01',
    '2026-01-01\n',
    '٢٠٢٦-01-01',
    '+02026-01-01',
    '',
  ])('is not %j', (text) => {
    expect(isCalendarDate(text)).toBe(false);
  });

  it('has neighbours across months, years and leap days', () => {
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(addDays('2026-02-28', 1)).toBe('2026-03-01');
    expect(addDays('2026-03-08', 365)).toBe('2027-03-08');
  });
});
