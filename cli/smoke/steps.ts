import { setTimeout as wait } from 'node:timers/promises';
import { CommandError, errorMessage } from '../shared/command-error.ts';

/** Where a person looks when a step fails: names of the outputs, and headings of docs/runbook.md. */
export interface Places {
  readonly stack: 'DuotempoCardSettlement' | 'DuotempoChat';
  /** Keys of the stack's outputs, in the order in which to look. */
  readonly outputs: readonly string[];
  readonly headings: readonly string[];
}

export interface StepResult {
  readonly name: string;
  readonly status: 'ok' | 'failed' | 'skipped';
  readonly seconds: number;
  /** What was seen, or what went wrong. */
  readonly detail: string;
  readonly look?: Places;
}

/** Hears of each step before the next one begins. */
export type OnResult = (result: StepResult) => Promise<void>;

/** Runs one after the other; a step whose forerunner failed is not tried. */
export interface Steps {
  /** @returns what the work gives; undefined if it failed or was not tried */
  readonly step: <T extends { readonly detail: string }>(
    name: string,
    look: Places,
    work: () => Promise<T>,
  ) => Promise<T | undefined>;
  readonly results: readonly StepResult[];
}

/** A chain of steps, each of which needs the previous one. */
export function createSteps(onResult: OnResult): Steps {
  const results: StepResult[] = [];
  const tell = async (result: StepResult): Promise<void> => {
    results.push(result);
    await onResult(result);
  };
  return {
    results,
    step: async (name, look, work) => {
      if (results.some(({ status }) => status !== 'ok')) {
        await tell({ name, status: 'skipped', seconds: 0, detail: 'not tried' });
        return undefined;
      }
      const startedAt = performance.now();
      const seconds = (): number => (performance.now() - startedAt) / 1000;
      try {
        const done = await work();
        await tell({ name, status: 'ok', seconds: seconds(), detail: done.detail });
        return done;
      } catch (error) {
        const hint = error instanceof CommandError && error.hint !== undefined ? ` ${error.hint}` : '';
        const detail = `${errorMessage(error)}${hint}`;
        await tell({ name, status: 'failed', seconds: seconds(), detail, look });
        return undefined;
      }
    },
  };
}

/** Waits until something is there. @throws CommandError that says what was awaited, if it does not come in time */
export async function eventually<T>(
  what: string,
  patienceSeconds: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + patienceSeconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new CommandError(`${what} within ${patienceSeconds} s: it did not.`);
    await wait(250);
  }
}
