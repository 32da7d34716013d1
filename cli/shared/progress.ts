import { SingleBar } from 'cli-progress';
import { missingCount, stagedCount, type BusinessDay } from './business-day.ts';
import { formatCount } from './money.ts';
import { colorsFor, formatSeconds } from './screen.ts';

const shown = new Set<() => void>();

export function stopAllProgress(): void {
  for (const stop of shown) stop();
}

export interface Progress {
  readonly update: (done: number, failed: number) => void;
  readonly stop: () => void;
}

const INVISIBLE = { update: () => undefined, stop: () => undefined };

export function showProgress(label: string, total: number): Progress {
  const stream = process.stderr;
  if (!stream.isTTY) return INVISIBLE;
  const colors = colorsFor(stream);
  const started = performance.now();
  const bar = new SingleBar({
    stream,
    hideCursor: true,
    clearOnComplete: true,
    // Otherwise the bar would swallow Ctrl-C.
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
  return {
    update: (done, failed) => bar.update(done, payload(done, failed)),
    stop: stoppable(() => bar.stop()),
  };
}

function stoppable(stop: () => void): () => void {
  const stopOnce = (): void => {
    shown.delete(stopOnce);
    stop();
  };
  shown.add(stopOnce);
  return stopOnce;
}

const TICK_MILLISECONDS = 200;

export async function withProgress(
  label: string,
  total: number,
  counts: () => readonly [done: number, failed: number],
  work: () => Promise<void>,
): Promise<void> {
  const progress = showProgress(label, total);
  const timer = setInterval(() => progress.update(...counts()), TICK_MILLISECONDS);
  try {
    await work();
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}

export function showSettleProgress(): {
  readonly update: (date: string, day: BusinessDay | undefined) => void;
  readonly stop: () => void;
} {
  const stream = process.stderr;
  if (!stream.isTTY) return INVISIBLE;
  const colors = colorsFor(stream);
  const started = performance.now();
  const days = new Map<string, BusinessDay>();
  const clear = (): void => void stream.write('\r\u001B[K');
  return {
    update(date, day) {
      if (day !== undefined) days.set(date, day);
      const all = [...days.values()];
      const staged = all.reduce((sum, each) => sum + stagedCount(each), 0);
      const missing = all.reduce((sum, each) => sum + missingCount(each), 0);
      const balanced = all.filter(({ status }) => status === 'balanced').length;
      const seconds = formatSeconds((performance.now() - started) / 1000);
      clear();
      stream.write(
        `settling  ${formatCount(staged - missing)} of ${formatCount(staged)}, ${balanced} of ${days.size} dates balanced  ${colors.dim(seconds)}`,
      );
    },
    stop: stoppable(clear),
  };
}
