import cliProgress from 'cli-progress';
import { formatCount } from './money.ts';
import { colorsFor, formatSeconds } from './screen.ts';
import { missingCount, stagedCount, type BusinessDay } from './business-day.ts';

/** Those that are on the screen now. */
const shown = new Set<() => void>();

/** Leaves the terminal as it was, for a command that ends before its time. */
export function stopAllProgress(): void {
  for (const stop of shown) stop();
}

/** A line on stderr that moves; nothing where stderr is no terminal. */
export interface Progress {
  readonly update: (done: number, failed: number) => void;
  readonly stop: () => void;
}

/** A bar for many small requests: how far, how fast, how many failed, how long still. */
export function showProgress(label: string, total: number): Progress {
  const stream = process.stderr;
  if (!stream.isTTY) return { update: () => undefined, stop: () => undefined };
  const colors = colorsFor(stream);
  const started = performance.now();
  const bar = new cliProgress.SingleBar({
    stream,
    hideCursor: true,
    clearOnComplete: true,
    // Of itself, the bar would take Ctrl-C for its own end, and swallow it.
    gracefulExit: false,
    fps: 5,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    format: `${label.padEnd(12)} {bar} {done}/{all}  {rate}/s  {failures}  {left}`,
  });
  const payload = (done: number, failed: number): Record<string, string> => {
    const seconds = (performance.now() - started) / 1000;
    const rate = done / Math.max(seconds, 0.001);
    const failures = `${formatCount(failed)} failed`;
    return {
      done: formatCount(done),
      all: formatCount(total),
      rate: formatCount(Math.round(rate)),
      failures: failed === 0 ? failures : colors.red(failures),
      left: done === 0 || done >= total ? '' : `${formatSeconds((total - done) / rate)} left`,
    };
  };
  bar.start(total, 0, payload(0, 0));
  const stop = (): void => {
    shown.delete(stop);
    bar.stop();
  };
  shown.add(stop);
  return { update: (done, failed) => bar.update(done, payload(done, failed)), stop };
}

/** One line on how far each date is while they are settled. */
export interface SettleProgress {
  readonly update: (date: string, day: BusinessDay | undefined) => void;
  readonly stop: () => void;
}

export function showSettleProgress(): SettleProgress {
  const stream = process.stderr;
  if (!stream.isTTY) return { update: () => undefined, stop: () => undefined };
  const colors = colorsFor(stream);
  const started = performance.now();
  const days = new Map<string, BusinessDay>();
  const clear = (): void => void stream.write('\r\u001B[K');
  const stop = (): void => {
    shown.delete(stop);
    clear();
  };
  shown.add(stop);
  return {
    update(date, day) {
      if (day !== undefined) days.set(date, day);
      const all = [...days.values()];
      const staged = all.reduce((sum, each) => sum + stagedCount(each), 0);
      const missing = all.reduce((sum, each) => sum + missingCount(each), 0);
      const balanced = all.filter(({ status }) => status === 'balanced').length;
      const seconds = formatSeconds((performance.now() - started) / 1000);
      clear();
      const line = `settling  ${formatCount(staged - missing)} of ${formatCount(staged)}, ${balanced} of ${days.size} dates balanced  ${colors.dim(seconds)}`;
      stream.write(line);
    },
    stop,
  };
}
