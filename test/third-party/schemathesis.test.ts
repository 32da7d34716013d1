import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as v from 'valibot';
import { documentFile, type ApiName } from '../../tools/openapi/document.ts';
import { examples } from '../../tools/openapi/schemas.ts';
import { conversationIdOf } from '../../lambda/chat/domain/identifiers.ts';
import { startChat, type People } from '../end-to-end/chat/people.ts';
import { program } from '../end-to-end/command.ts';
import { balanced, reconcile } from '../end-to-end/card-settlement/day.ts';
import { daysAgo, noonOf, type System } from '../end-to-end/system.ts';
import { describeJudge } from './judges/judge.ts';
import { HOW_TO_INSTALL, pythonCommand } from './judges/programs.mjs';

/**
 * Goal: no request makes an API fail, or answer otherwise than its document says.
 * Method: schemathesis makes requests from the documents, right and wrong ones, all its checks on, and sends them to the
 * running app, where held transactions and messages wait. What it takes for a failure and the documents describe in
 * words is listed in interfaces/schemathesis_hooks.py.
 *
 * DUOTEMPO_SCHEMATHESIS_EXAMPLES says how many examples per operation, 10 by default; DUOTEMPO_SCHEMATHESIS_SEED which.
 */

const examplesPerOperation = process.env['DUOTEMPO_SCHEMATHESIS_EXAMPLES'] ?? '10';
const seed = process.env['DUOTEMPO_SCHEMATHESIS_SEED'] ?? '1';

const schemathesis = pythonCommand('schemathesis');
const rulesFolder = join(import.meta.dirname, 'interfaces');
const folder = mkdtempSync(join(tmpdir(), 'duotempo-schemathesis-'));

let system: System;
let people: People;

beforeAll(async () => {
  if (schemathesis === undefined) return;
  ({ system, people } = await startChat());
});
afterAll(async () => {
  await people?.stop();
  await system?.stop();
  rmSync(folder, { recursive: true });
});

const Report = v.object({
  complete: v.boolean(),
  operations: v.object({ total: v.number(), tested: v.number() }),
  phases: v.record(v.string(), v.object({ status: v.string() })),
  test_cases: v.object({ generated: v.number() }),
  failures: v.array(v.unknown()),
  errors: v.array(v.unknown()),
  warnings: v.record(v.string(), v.array(v.unknown())),
  valid_rates: v.record(v.string(), v.record(v.string(), v.object({ accepted: v.number() }))),
});

interface Run {
  readonly report: v.InferOutput<typeof Report>;
  readonly listed: readonly string[];
  readonly screen: string;
}

interface RunOptions {
  /** Values that lead to where something is, for most requests. */
  readonly dictionaries: Readonly<Record<string, readonly string[]>>;
  readonly tokens?: Readonly<Record<string, string>>;
  readonly edit?: (text: string) => string;
  readonly args?: readonly string[];
}

async function run(api: ApiName, url: string, options: RunOptions): Promise<Run> {
  const { dictionaries, tokens = {}, edit = (text) => text, args = [] } = options;
  const text = edit(readFileSync(documentFile(api), 'utf8'));
  const document = join(folder, `${api}.json`);
  // Its examples are of a date of which nothing is taken any more.
  writeFileSync(document, text.replaceAll(String(examples.BusinessDate[0]), daysAgo(system, 3)));
  const config = join(folder, `${api}.toml`);
  const settings = readFileSync(join(rulesFolder, 'schemathesis.toml'), 'utf8');
  writeFileSync(
    config,
    [
      settings.replace('schemathesis_hooks.py', join(rulesFolder, '$&')),
      ...['dates', 'instants', 'held', 'held too', 'conversations'].map(
        (name) => `[dictionaries."${name}"]\nvalues = ${JSON.stringify(dictionaries[name] ?? ['none'])}\n`,
      ),
    ].join('\n'),
  );
  const [reportFile, listedFile] = [join(folder, `${api}.report.json`), join(folder, `${api}.listed`)];
  writeFileSync(listedFile, '');
  const { stdout, stderr } = await program(
    String(schemathesis),
    [
      ...['--config-file', config, 'run', document, '--url', url, '--checks', 'all'],
      ...['--seed', seed, '--max-examples', examplesPerOperation, '--no-color', ...args],
      ...['--report-json-path', reportFile],
    ],
    {
      folder,
      env: {
        GATEWAY: '',
        OPERATOR: '',
        ...tokens,
        DUOTEMPO_LISTED: listedFile,
        PYTHONDONTWRITEBYTECODE: '1',
      },
    },
  );
  const screen = stdout + stderr;
  try {
    const report = v.parse(Report, JSON.parse(readFileSync(reportFile, 'utf8')));
    const listed = readFileSync(listedFile, 'utf8').split('\n').slice(0, -1);
    return { report, listed, screen };
  } catch (cause) {
    throw new Error(`schemathesis gave no report:\n${screen}`, { cause });
  }
}

describeJudge('schemathesis', schemathesis === undefined ? HOW_TO_INSTALL : undefined, (tally) => {
  function judge({ report, listed, screen }: Run): void {
    const { complete, operations, phases, failures, errors, warnings, valid_rates: rates } = report;
    if (failures.length + errors.length > 0) throw new Error(screen);
    expect(complete).toBe(true);
    expect(operations.tested).toBe(operations.total);
    expect(Object.values(phases).map(({ status }) => status)).toEqual(
      Object.keys(phases).map(() => 'success'),
    );
    expect(Object.keys(phases)).toEqual(['examples', 'coverage', 'fuzzing', 'stateful']);
    // The one pattern that its engine lacks forbids what no JSON in UTF-8 holds.
    const { unsupported_regex: _patterns, ...others } = warnings;
    expect(Object.entries(others).filter(([, found]) => found.length > 0)).toEqual([]);
    const neverAccepted = Object.entries(rates).filter(([, byPhase]) =>
      Object.values(byPhase).every(({ accepted }) => accepted === 0),
    );
    expect(neverAccepted).toEqual([]);
    tally.agree(report.test_cases.generated - listed.length);
    for (const reason of listed) tally.differ(reason);
  }

  test('the card API keeps its document', async () => {
    const dates = [0, 1, 2, 3].map((days) => daysAgo(system, days));
    const day = daysAgo(system, 3);
    const again = { cardToken: 'tok_again', merchantId: 'mer_corner_shop', occurredAt: noonOf(day) };
    const held: string[] = [];
    for (let sale = 0; sale < 40; sale++) held.push(await system.stage(again));
    await reconcile(system, day);
    await system.dayWith(day, balanced);
    judge(
      await run('card-settlement', system.outputs.DuotempoCardSettlement.ApiUrl, {
        dictionaries: {
          dates,
          instants: dates.slice(1).map(noonOf),
          held: held.slice(20),
          'held too': held.slice(0, 20),
        },
        tokens: { GATEWAY: await system.token('gateway'), OPERATOR: await system.token('operator') },
      }),
    );
  });

  test('the chat API keeps its document, and shows nobody what is another’s', async () => {
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map(people.person);
    if (alice === undefined || bob === undefined || carol === undefined) throw new Error('There are three.');
    for (const to of [alice, carol]) for (let number = 0; number < 40; number++) await bob.post(to, 'hello');
    const users = { alice: await alice.token(), carol: await carol.token() };
    const auth = Object.entries(users).map(([name, token]) => ({
      name,
      fixedHeaders: [{ name: 'Authorization', value: `Bearer ${token}` }],
    }));
    writeFileSync(join(folder, 'users.json'), JSON.stringify({ auth }));
    const conversations = [alice, carol].map(({ name }) => conversationIdOf(name, bob.name));
    const url = system.outputs.DuotempoChat.ApiUrl;
    judge(await run('chat', url, { dictionaries: { conversations } }));

    const lying = await run('chat', url, {
      dictionaries: { conversations },
      edit: (document) => document.replaceAll('"lastSequence"', '"firstSequence"'),
      args: ['--include-operation-id', 'listConversations', '--phases', 'coverage'],
    });
    expect(lying.report.failures).toMatchObject([{ type: 'JsonSchemaError' }]);
  });
});
