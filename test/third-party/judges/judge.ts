import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, test } from '@jest/globals';

/** What one judge found: a row of the table that `npm test -- third-party` ends with. */
export interface Verdict {
  readonly judge: string;
  readonly cases: number;
  readonly agree: number;
  /** Differences that are listed with a reason; one that is not fails a test. */
  readonly differences: readonly string[];
  /** Cases that the judge knows and that nobody asks it, by the reason. */
  readonly leftAside: Readonly<Record<string, number>>;
  /** What to type to get the judge, or where its data must lie, where this machine lacks it. */
  readonly missing?: string;
  /** Whether the judge is a program that can be installed, unlike data that somebody has or has not. */
  readonly isInstallable: boolean;
}

export interface Tally {
  readonly agree: (cases?: number) => void;
  /** A case with a difference that is listed. The same reason again is the same difference. */
  readonly differ: (reason: string) => void;
  /** A case that the judge knows and that does not concern this system. */
  readonly leaveAside: (reason: string) => void;
}

const folder = process.env['DUOTEMPO_VERDICTS'];
const skipped = test.skip;

/**
 * Groups the tests that ask one judge.
 *
 * @param needs what the judge needs and how to get it, or undefined where all is there; then the tests are skipped as one
 */
export function describeJudge(
  judge: string,
  needs: string | undefined,
  body: (tally: Tally) => void,
  isInstallable = true,
): void {
  if (needs !== undefined) {
    record({ judge, cases: 0, agree: 0, differences: [], leftAside: {}, missing: needs, isInstallable });
    skipped(`${judge}: ${needs}`, () => undefined);
    return;
  }
  // oxlint-disable-next-line jest/valid-title -- the judge's name, a string
  describe(judge, () => {
    let agree = 0;
    let differ = 0;
    const reasons = new Set<string>();
    const leftAside: Record<string, number> = {};
    body({
      agree: (cases = 1) => {
        agree += cases;
      },
      differ: (reason) => {
        differ += 1;
        reasons.add(reason);
      },
      leaveAside: (reason) => {
        leftAside[reason] = (leftAside[reason] ?? 0) + 1;
      },
    });
    afterAll(() =>
      record({ judge, cases: agree + differ, agree, differences: [...reasons], leftAside, isInstallable }),
    );
  });
}

function record(verdict: Verdict): void {
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${verdict.judge.replaceAll(/\W+/g, '-')}.json`), JSON.stringify(verdict));
}
