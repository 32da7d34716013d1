import type { HostEvent } from '../../local/index.ts';
import type { Colors } from '../shared/screen.ts';
import { describeEvent, describeMany, type EventKind, type EventLine } from './event-lines.ts';

/** Further lines of a kind in a second are folded into one. */
const LINES_PER_SECOND = 20;

interface Second {
  readonly folding: boolean;
  shown: number;
  readonly folded: EventLine[];
}

export interface EventScreen {
  readonly show: (event: HostEvent) => void;
  readonly tick: () => void;
}

export function createEventScreen(options: {
  readonly write: (line: string) => void;
  readonly colors: Colors;
  readonly now: () => Date;
}): EventScreen {
  const { write, colors, now } = options;
  const seconds = new Map<EventKind, Second>();
  const paint: Partial<Record<EventKind, (text: string) => string>> = {
    settled: colors.green,
    decided: colors.green,
    day: (text) => colors.bold(colors.green(text)),
    refused: colors.yellow,
    warning: colors.yellow,
    error: colors.red,
  };

  function print(kind: EventKind, text: string): void {
    write(`${colors.dim(timeOfDay(now()))} ${paint[kind]?.(text) ?? text}`);
  }

  return {
    show(event) {
      const line = describeEvent(event);
      if (line === undefined) return;
      const { kind, text } = line;
      const second = seconds.get(kind) ?? { folding: false, shown: 0, folded: [] };
      seconds.set(kind, second);
      if (second.folding || second.shown >= LINES_PER_SECOND) {
        second.folded.push(line);
        return;
      }
      second.shown += 1;
      const isTrouble = kind === 'refused' || kind === 'warning' || kind === 'error';
      print(kind, isTrouble ? `${kind}  ${text}` : text);
    },
    tick() {
      for (const [kind, { folded, folding }] of seconds) {
        if (folded.length === 0) {
          seconds.delete(kind);
          continue;
        }
        print(kind, `${describeMany(folded, kind)}${folding ? '' : ' more'} in the last second`);
        // A flood stays at one line a second until it ebbs.
        seconds.set(kind, { folding: folded.length > 1, shown: 0, folded: [] });
      }
    },
  };
}

function timeOfDay(instant: Date): string {
  return [instant.getHours(), instant.getMinutes(), instant.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}
