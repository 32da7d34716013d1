import {
  historyBounds,
  isBefore,
  seesAll,
  type HistoryBounds,
  type Past,
  type Subject,
} from '../domain/fraud/history.ts';
import type { HistoryRange } from '../store/card-histories.ts';

export type HistoryPages<P extends Past> = (range: HistoryRange) => AsyncIterable<readonly P[]>;

/**
 * One query usually serves all subjects. Another begins at an earlier subject that is too far back for the first.
 * @returns latest first: all that any subject sees, and perhaps more
 */
export async function readHistory<P extends Past>(
  subjects: readonly Subject[],
  windowMilliseconds: (subject: Subject) => number,
  pages: HistoryPages<P>,
  bounds: HistoryBounds = historyBounds,
): Promise<readonly P[]> {
  const past: P[] = [];
  let unserved = subjects.toSorted((one, other) => (isBefore(one, other) ? 1 : -1));
  for (let [latest] = unserved; latest !== undefined; [latest] = unserved) {
    const from = new Date(
      Math.min(...unserved.map((subject) => subject.occurredAt.getTime() - windowMilliseconds(subject))),
    );
    let goesOn = false;
    for await (const page of pages({ upTo: latest, from })) {
      past.push(...page);
      unserved = unserved.filter((subject) => !seesAll(subject, past, windowMilliseconds(subject), bounds));
      const [next] = unserved;
      const reached = past.at(-1);
      goesOn = next === undefined || (next !== latest && reached !== undefined && isBefore(next, reached));
      if (goesOn) break;
    }
    // The history has ended: the remaining subjects see all of it.
    if (!goesOn) break;
  }
  return past;
}
