import { Temporal } from '@js-temporal/polyfill';
import cronParser from 'aws-cron-parser';

export interface ScheduleExpression {
  readonly next: (after: Date) => Date | undefined;
}

export interface ScheduleExpressionOptions {
  /** `rate(…)`, `cron(…)` or `at(…)`. */
  readonly expression: string;
  /** IANA name; `rate()` ignores it. @default UTC */
  readonly timeZone?: string;
  /** A rate counts from its start date, or else from here. */
  readonly createdAt: Date;
  readonly startDate?: Date;
  readonly endDate?: Date;
}

const UNIT_MILLISECONDS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** @throws Error that says what is wrong with the expression */
export function parseScheduleExpression(options: ScheduleExpressionOptions): ScheduleExpression {
  const { startDate, endDate } = options;
  const occurrence = parseOccurrence(options);
  return {
    next: (after) => {
      // The start date itself may be an occurrence.
      const from = startDate !== undefined && startDate > after ? new Date(startDate.getTime() - 1) : after;
      const next = occurrence(from);
      return next === undefined || (endDate !== undefined && next > endDate) ? undefined : next;
    },
  };
}

type Occurrence = (after: Date) => Date | undefined;

function parseOccurrence(options: ScheduleExpressionOptions): Occurrence {
  const { expression, timeZone = 'UTC' } = options;
  const [, kind, argument = ''] = /^(rate|cron|at)\((.*)\)$/.exec(expression) ?? [];
  switch (kind) {
    case 'rate':
      return parseRate(argument, expression, options.startDate ?? options.createdAt);
    case 'cron':
      return parseCron(argument, expression, timeZone);
    case 'at': {
      const instant = instantOf(argument, expression, timeZone);
      return (after) => (instant > after ? instant : undefined);
    }
    case undefined:
    default:
      throw new Error(`${expression} is none of rate(…), cron(…) and at(…).`);
  }
}

function parseRate(argument: string, expression: string, from: Date): Occurrence {
  const [, digits, unit, plural] = /^(\d+) (minute|hour|day)(s?)$/.exec(argument) ?? [];
  const value = Number(digits);
  const milliseconds = UNIT_MILLISECONDS[unit ?? ''];
  if (milliseconds === undefined || value < 1 || (value === 1) !== (plural === '')) {
    throw new Error(`${expression} is no rate: write rate(1 minute) or rate(15 minutes), hours or days.`);
  }
  const period = value * milliseconds;
  return (after) => {
    const elapsed = after.getTime() - from.getTime();
    const periods = elapsed < 0 ? 0 : Math.floor(elapsed / period) + 1;
    return new Date(from.getTime() + periods * period);
  };
}

/** The parser ignores words that it does not know. Source: EventBridge Scheduler user guide, "Cron-based schedules". */
const FIELDS: readonly RegExp[] = [
  fieldOf(String.raw`\d+`),
  fieldOf(String.raw`\d+`),
  fieldOf(String.raw`\d+`, String.raw`\?|L(?:-\d+)?|LW|\d+W`),
  fieldOf(String.raw`(?:\d+|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)`),
  fieldOf(
    String.raw`(?:\d+|SUN|MON|TUE|WED|THU|FRI|SAT)`,
    String.raw`\?|L|(?:\d|SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#\d)`,
  ),
  fieldOf(String.raw`\d+`),
];

function fieldOf(value: string, other = '(?!)'): RegExp {
  const part = String.raw`(?:\*|${value}(?:-${value})?)(?:/\d+)?`;
  return new RegExp(`^(?:${other}|${part}(?:,${part})*)$`, 'i');
}

/** The parser knows no time zones, so local times go in and out as if they were UTC. */
function parseCron(argument: string, expression: string, timeZone: string): Occurrence {
  const fields = argument.trim().split(/\s+/);
  const [, , dayOfMonth, , dayOfWeek] = fields;
  if (fields.length !== 6)
    throw new Error(`${expression} has ${fields.length} fields; a cron expression has six.`);
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new Error(`${expression}: exactly one of day of month and day of week must be ?.`);
  }
  const wrong = fields.findIndex((field, index) => !FIELDS[index]?.test(field));
  if (wrong >= 0) throw new Error(`${expression}: ${fields[wrong]} is no value of field ${wrong + 1}.`);
  const cron = parsedCron(fields.join(' '), expression);
  Temporal.Now.zonedDateTimeISO(timeZone); // Throws for a time zone that does not exist.

  return (after) => {
    const wallClock = Temporal.Instant.fromEpochMilliseconds(after.getTime())
      .toZonedDateTimeISO(timeZone)
      .toPlainDateTime();
    // When the clock goes back, an hour repeats and a schedule runs only the first time. The search therefore begins
    // early and skips what is not later than `after`.
    let from = asIfUtc(wallClock.subtract({ hours: 2 }));
    for (;;) {
      const next = cronParser.next(cron, from);
      if (next === null) return undefined;
      const instant = firstInstantOf(next, timeZone);
      if (instant !== undefined && instant > after) return instant;
      from = next;
    }
  };
}

function parsedCron(fields: string, expression: string): ReturnType<typeof cronParser.parse> {
  try {
    return cronParser.parse(fields);
  } catch (error) {
    throw new Error(`${expression}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function asIfUtc(wallClock: Temporal.PlainDateTime): Date {
  return new Date(wallClock.toZonedDateTime('UTC').epochMilliseconds);
}

/** @returns undefined for a time that summer time skips */
function firstInstantOf(asUtc: Date, timeZone: string): Date | undefined {
  const wallClock = Temporal.Instant.fromEpochMilliseconds(asUtc.getTime())
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime();
  try {
    return new Date(wallClock.toZonedDateTime(timeZone, { disambiguation: 'reject' }).epochMilliseconds);
  } catch {
    const zoned = wallClock.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
    // In a gap, the earlier answer shows another time.
    return zoned.toPlainDateTime().equals(wallClock) ? new Date(zoned.epochMilliseconds) : undefined;
  }
}

function instantOf(argument: string, expression: string, timeZone: string): Date {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(argument)) {
    throw new Error(`${expression} is no at expression: write at(yyyy-mm-ddThh:mm:ss).`);
  }
  const zoned = Temporal.PlainDateTime.from(argument).toZonedDateTime(timeZone);
  return new Date(zoned.epochMilliseconds);
}
