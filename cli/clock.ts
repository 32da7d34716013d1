import { setTimeout as wait } from 'node:timers/promises';
import { Argument } from 'commander';
import { addDays, businessDateOf, cutOffOf } from '../lambda/card-settlement/domain/business-date.ts';
import { businessCalendar } from './shared/business-day.ts';
import { usageError } from './shared/command-error.ts';
import { createCommand, defineCommand, isInstant, jsonOption } from './shared/command.ts';
import { hostClock, type ClockState, type HostClock } from './shared/host-clock.ts';
import { createHttpClient } from './shared/http.ts';
import { findDeployment } from './shared/outputs.ts';
import { withProgress } from './shared/progress.ts';
import { print } from './shared/screen.ts';

interface ClockOptions {
  readonly outputs?: string;
  readonly json?: true;
}

const POLL_MILLISECONDS = 50;

/** `npm run clock -- show | advance 2h | to 17:00 | real`: moves the clock of a local host. */
export const run = defineCommand<ClockOptions>(
  createCommand(
    'clock',
    'Shows or moves the clock of the local host. What is due on the way happens, in order: the cut-off, windows, retries.',
  )
    .addArgument(
      new Argument('[action]', 'what to do').choices(['show', 'advance', 'to', 'real']).default('show'),
    )
    .argument(
      '[time]',
      `advance by 90s, 5m, 2h or 1d12h; to 17:00, the next one in ${businessCalendar.timeZone}, or an instant such as 2026-11-03T17:01:00-05:00`,
    )
    .option('--outputs <file>', 'outputs of the host (default: outputs.json of the project)')
    .addOption(jsonOption()),
  async ({ options, args: [action = 'show', time], context }) => {
    checkTime(action, time);
    const { outputs } = await findDeployment(options, context);
    const http = createHttpClient({ connections: 1 });
    try {
      const clock = hostClock(outputs, http);
      const before = await clock.read();
      if (action !== 'show') await moveTo(clock, before.now, destination(action, time, before.now));
      const state = await clock.read();
      print(options.json ? JSON.stringify(state) : describe(state));
      return 0;
    } finally {
      http.close();
    }
  },
);

const DURATION = /^(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?$/;
const WALL_CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;

function checkTime(action: string, time = ''): void {
  const examples = { advance: 'npm run clock -- advance 2h', to: 'npm run clock -- to 17:00' };
  if (action === 'advance' && (time === '' || !DURATION.test(time)))
    throw usageError('How far? A duration is missing, or is none.', `For example: ${examples.advance}`);
  if (action === 'to' && !WALL_CLOCK.test(time) && !isInstant(time))
    throw usageError('Until when? A time is missing, or is none.', `For example: ${examples.to}`);
  if ((action === 'show' || action === 'real') && time !== '') throw usageError(`${action} takes no time.`);
}

function destination(action: string, time = '', now: Date): Date | 'real' {
  if (action === 'real') return 'real';
  if (action === 'to') return WALL_CLOCK.test(time) ? nextTime(time, now) : new Date(time);
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = DURATION.exec(time) ?? [];
  const total = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return new Date(now.getTime() + total * 1000);
}

/** The next time that clocks of the business show it. */
function nextTime(time: string, now: Date): Date {
  const calendar = { ...businessCalendar, cutOff: time };
  const date = businessDateOf(now, calendar);
  const next = cutOffOf(date, calendar);
  return next > now ? next : cutOffOf(addDays(date, 1), calendar);
}

async function moveTo(clock: HostClock, from: Date, to: Date | 'real'): Promise<void> {
  let { now, movingTo } = await clock.send(to);
  if (movingTo === undefined) return;
  const seconds = Math.ceil((Date.parse(movingTo) - from.getTime()) / 1000);
  const passed = (): number => Math.min(seconds, Math.floor((now.getTime() - from.getTime()) / 1000));
  await withProgress(
    'seconds',
    seconds,
    () => [passed(), 0],
    async () => {
      while (movingTo !== undefined) {
        await wait(POLL_MILLISECONDS);
        ({ now, movingTo } = await clock.read());
      }
    },
  );
}

function describe({ now, aheadSeconds }: ClockState): string {
  const { timeZone } = businessCalendar;
  const shown = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  const place = timeZone.replace(/^.*\//, '').replaceAll('_', ' ');
  const apart = aheadSeconds < 0 ? 'behind' : 'ahead of';
  const machine =
    aheadSeconds === 0 ? 'this machine’s time' : `${span(Math.abs(aheadSeconds))} ${apart} this machine`;
  return `${shown.format(now)} in ${place} (${now.toISOString().slice(0, 19)}Z), ${machine}`;
}

/** The two largest units. */
function span(seconds: number): string {
  const units: [string, number][] = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['min', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ];
  const shown = units.filter(([, count]) => count > 0).slice(0, 2);
  return shown.map(([unit, count]) => `${count} ${unit}`).join(' ');
}
