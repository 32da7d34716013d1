import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { differences } from './compare.ts';
import { accountFor, describeRecorded, readAnswers } from './recorded.ts';
import type { LeftAside } from './recorded.ts';

/** Does what a test did on AWS. @returns the answers, by the labels that the test gave them */
export type Scenario<Account> = (account: Account) => Promise<Readonly<Record<string, unknown>>>;

export interface Recording<Account> {
  readonly title: string;
  readonly file: string;
  /** By the name of the test that AWS answered. */
  readonly scenarios: Readonly<Record<string, Scenario<Account>>>;
  /** What AWS refused in a call and the host refuses in a template, by the name of the test. */
  readonly refusals?: Readonly<Record<string, Refusal<Account>>>;
  readonly leftAside: LeftAside;
  readonly known: Readonly<Record<string, string>>;
}

export interface Refusal<Account> {
  /** Rejects. */
  readonly ask: (account: Account) => Promise<unknown>;
  readonly reason: string;
}

export interface Place<Account> {
  /** For one scenario. */
  readonly account: () => Account;
  readonly stop: () => Promise<void>;
}

/** Does here what the tests of a recording did on AWS, and compares the answers field by field. */
export function reEnact<Account>(recording: Recording<Account>, start: () => Promise<Place<Account>>): void {
  const { title, file, scenarios, refusals = {}, leftAside, known } = recording;
  describeRecorded(title, (tally) => {
    const recorded = readAnswers(file);
    let place: Place<Account>;

    beforeAll(async () => {
      place = await start();
    });

    test('each recorded test is re-enacted, or left aside for a reason', () => {
      accountFor(recorded, { asked: Object.keys({ ...scenarios, ...refusals }), leftAside, tally });
    });

    test.each(Object.entries(scenarios))('%s', async (name, scenario) => {
      const here = asRecorded(await scenario(place.account()));
      const answers = Object.fromEntries(
        Object.entries(recorded.get(name) ?? {}).filter(([label]) => label in here),
      );
      expect(Object.keys(answers)).toEqual(expect.arrayContaining(Object.keys(here)));
      expect(Object.keys(answers)).not.toEqual([]);
      const found = differences(answers, here);
      expect(found.filter(({ path }) => !(path in known))).toEqual([]);
      if (found.length === 0) tally.agree();
      for (const reason of new Set(found.map(({ path }) => known[path]))) {
        const paths = found.map(({ path }) => path).filter((path) => known[path] === reason);
        tally.differ(`${paths.join(', ')}: ${reason}`);
      }
    });

    const refused = Object.entries(refusals);
    if (refused.length > 0) {
      test.each(refused)('%s is refused', async (name, { ask, reason }) => {
        expect(JSON.stringify(recorded.get(name))).toContain('"Error"');
        await expect(ask(place.account())).rejects.toThrow(reason);
        tally.agree();
      });
    }

    afterAll(() => place.stop());
  });
}

/** Bytes as Python prints them; what is undefined is not there. */
function asRecorded(answers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const python = (bytes: Uint8Array): string =>
    `b'${Buffer.from(bytes)
      .toString('latin1')
      .replaceAll(
        /[^ -~]/g,
        (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
      )}'`;
  const text = JSON.stringify(answers, (_, value: unknown) =>
    value instanceof Uint8Array ? python(value) : value,
  );
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
