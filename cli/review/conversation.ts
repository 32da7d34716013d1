import readline from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { countOf, printable, type Colors } from '../shared/screen.ts';
import { describeHeld } from './describe.ts';
import type { Action, Decided, Held } from './held.ts';

/** Undefined after Ctrl-C, Ctrl-D or the end of the input. */
export type Ask = (question: string) => Promise<string | undefined>;

export function createPrompt(
  input: Readable,
  output: Writable,
): { readonly ask: Ask; readonly close: () => void } {
  const lines = readline.createInterface({ input, output });
  const closed = new Promise<undefined>((resolve) => {
    lines.once('close', () => resolve(undefined));
  });
  return {
    // Once the input has ended, a question would stay open forever.
    ask: async (question) => Promise.race([lines.question(question).catch(() => undefined), closed]),
    close: () => lines.close(),
  };
}

export interface ReviewTally {
  readonly released: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly businessDates: ReadonlySet<string>;
}

const choices = { r: 'release', j: 'reject', s: 'skip', q: 'quit' } as const;
const LONGEST_REASON = 200;

export async function reviewEach(
  items: readonly Held[],
  person: {
    readonly ask: Ask;
    readonly say: (text: string) => void;
    readonly colors: Colors;
    readonly decide: (transactionId: string, action: Action, reason: string) => Promise<Decided>;
  },
): Promise<ReviewTally> {
  const { say, colors } = person;
  const counts = { release: 0, reject: 0, skip: 0 };
  const businessDates = new Set<string>();
  for (const [index, held] of items.entries()) {
    say(`\n${colors.dim(`${index + 1} of ${items.length}`)}  ${describeHeld(held, colors)}`);
    const answer = await askWhatToDo(person);
    if (answer === 'quit') break;
    if (answer === 'skip') {
      counts.skip += 1;
      continue;
    }
    const { action, reason } = answer;
    const decided = await person.decide(held.transactionId, action, reason);
    if (decided.done) {
      counts[action] += 1;
      businessDates.add(decided.businessDate);
      say(colors.green(pastOf[action]));
    } else say(colors.red(`Not ${pastOf[action]}: ${printable(decided.reason)}`));
  }
  return { released: counts.release, rejected: counts.reject, skipped: counts.skip, businessDates };
}

export const pastOf = { release: 'released', reject: 'rejected' } as const;

type Answer = 'skip' | 'quit' | { readonly action: Action; readonly reason: string };

async function askWhatToDo({
  ask,
  say,
}: {
  readonly ask: Ask;
  readonly say: (text: string) => void;
}): Promise<Answer> {
  for (;;) {
    const typed = await ask('[r]elease, re[j]ect, [s]kip, [q]uit: ');
    if (typed === undefined) return 'quit';
    const action = actionOf(typed);
    if (action === undefined) {
      say('One of r, j, s and q.');
      continue;
    }
    if (action === 'skip' || action === 'quit') return action;
    const reason = (await ask('Reason: '))?.trim();
    if (reason === undefined) return 'quit';
    if (reason !== '' && reason.length <= LONGEST_REASON) return { action, reason };
    say(`A decision needs a reason of 1 to ${LONGEST_REASON} characters.`);
  }
}

function actionOf(typed: string): (typeof choices)[keyof typeof choices] | undefined {
  const text = typed.trim().toLowerCase();
  return Object.entries(choices).find(([key, action]) => text === key || text === action)?.[1];
}

export function describeTally(
  { released, rejected, skipped, businessDates }: ReviewTally,
  all: number,
): string {
  const left = all - released - rejected;
  const line = `${released} released, ${rejected} rejected, ${skipped} skipped; ${countOf(left, 'transaction')} left`;
  if (businessDates.size === 0) return line;
  return `${line}\nThe decisions belong to ${[...businessDates].join(', ')}, and are booked by its next run.`;
}
