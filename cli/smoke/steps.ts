import { setTimeout as wait } from 'node:timers/promises';
import { describeRefusal, type ApiResponse } from '../shared/api.ts';
import { CommandError, errorMessage } from '../shared/command-error.ts';

export interface Places {
  readonly stack: 'DuotempoCardSettlement' | 'DuotempoChat';
  /** Keys of the stack's outputs, in the order in which to look. */
  readonly outputs: readonly string[];
  readonly headings: readonly string[];
}

/** Any request can be followed through the log. */
export function placesIn(
  stack: Places['stack'],
): (outputs: readonly string[], ...headings: readonly string[]) => Places {
  return (outputs, ...headings) => ({
    stack,
    outputs,
    headings: [...headings, 'Following one request through the log'],
  });
}

export interface StepResult {
  readonly name: string;
  readonly status: 'ok' | 'failed' | 'skipped';
  readonly seconds: number;
  readonly detail: string;
  readonly look?: Places;
}

export type OnResult = (result: StepResult) => Promise<void>;

/** Each step needs the one before: after a failure, none is tried. */
export interface Steps {
  /** @returns undefined if the work failed or was not tried */
  readonly step: <T extends { readonly detail: string }>(
    name: string,
    look: Places,
    work: () => Promise<T>,
  ) => Promise<T | undefined>;
  readonly results: readonly StepResult[];
}

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

/** Few, so that a system that is down shows soon. */
export const RETRIES = { attempts: 3, longestPauseMilliseconds: 1000 };

/** @throws CommandError with the id by which the log finds the request */
export function expectStatus(response: ApiResponse, wanted: readonly number[]): void {
  if (wanted.includes(response.status)) return;
  const id = String(response.headers['apigw-requestid'] ?? 'none');
  throw new CommandError(
    `It was answered ${describeRefusal(response)}, not ${wanted.join(' or ')} (apigw-requestid ${id}).`,
  );
}

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
