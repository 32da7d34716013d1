import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { differences } from './compare.ts';
import { describeRecorded, readAnswers } from './recorded.ts';

/** Does what a test did on AWS. @returns the answers, by the labels that the test gave them */
export type Scenario<Account> = (account: Account) => Promise<Readonly<Record<string, unknown>>>;

/** Recorded tests that are not re-enacted, by their names, with the reason. */
export type LeftAside = readonly (readonly [name: RegExp, reason: string])[];

export interface Recording<Account> {
  readonly title: string;
  readonly file: string;
  /** By the name of the test that AWS answered. */
  readonly scenarios: Readonly<Record<string, Scenario<Account>>>;
  readonly leftAside: LeftAside;
  /** Fields that differ, with the reason. */
  readonly known: Readonly<Record<string, string>>;
}

/** What the scenarios of a recording are run on. */
export interface Place<Account> {
  /** For one scenario. */
  readonly account: () => Account;
  readonly stop: () => Promise<void>;
}

/** Does here what the tests of a recording did on AWS, and compares the answers field by field. */
export function reEnact<Account>(recording: Recording<Account>, start: () => Promise<Place<Account>>): void {
  const { title, file, scenarios, leftAside, known } = recording;
  describeRecorded(title, (tally) => {
    const recorded = readAnswers(file);
    const answered = [...recorded].filter(([, answers]) => Object.keys(answers).length > 0);
    const reasonOf = (name: string): string | undefined =>
      name in scenarios ? undefined : leftAside.find(([pattern]) => pattern.test(name))?.[1];
    let place: Place<Account>;

    beforeAll(async () => {
      place = await start();
    });

    test('each recorded test is re-enacted, or left aside for a reason', () => {
      const unaccounted = answered.filter(([name]) => !(name in scenarios) && reasonOf(name) === undefined);
      expect(unaccounted.map(([name]) => name)).toEqual([]);
      for (const reason of answered.flatMap(([name]) => reasonOf(name) ?? [])) tally.leaveAside(reason);
      expect(Object.keys(scenarios).filter((name) => !recorded.has(name))).toEqual([]);
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
      for (const { path } of found) tally.differ(`${path}: ${known[path]}`);
    });

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
