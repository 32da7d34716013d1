import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDB, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { command, type Ended, shell, start, type Started } from '../command.ts';

/** Goal: the commands do what the README says. Method: the real processes, as npm starts them, against one `npm start`. */

let system: Started;
const folder = mkdtempSync(join(tmpdir(), 'duotempo-commands-'));
const transactions = 'test/end-to-end/fixtures/transactions.csv';
const merchants = 'test/end-to-end/fixtures/merchants.csv';

beforeAll(async () => {
  system = await start(['--stage', 'test']);
});

afterAll(async () => {
  if (existsSync(system.outputsFile)) await system.stop();
  rmSync(folder, { recursive: true, force: true });
});

const replay = async (file: string, ...more: string[]) =>
  command(['replay', file, '--outputs', system.outputsFile, '--json', ...more]);

interface ReplayReport {
  readonly staged: number;
  readonly replayed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly dates: readonly {
    readonly businessDate: string;
    readonly status: string;
    readonly totals: Readonly<Record<string, Readonly<Record<string, { count: number; amount: string }>>>>;
    readonly nets: Readonly<Record<string, string>>;
    readonly breaks: readonly Readonly<Record<string, unknown>>[];
  }[];
  readonly detection?: {
    readonly fraud: number;
    readonly all: { readonly flagged: number };
    readonly rules: Readonly<Record<string, { readonly flagged: number }>>;
  };
}

interface DemoReport extends ReplayReport {
  readonly businessDate: string;
  readonly detection: NonNullable<ReplayReport['detection']> & {
    readonly labels: Readonly<Record<string, { readonly transactions: number; readonly held: number }>>;
  };
}

interface HeldItem {
  readonly transactionId: string;
  readonly businessDate: string;
}

describe('npm start', () => {
  test('says what runs where and what to type next, and leaves no noise on the screen', async () => {
    expect(system.screen()).toContain(`${system.url}/card-settlement`);
    expect(system.screen()).toContain('npm run -s token -- gateway');
    expect(system.screen()).not.toMatch(/warning|at .*\.mjs:\d+|notice/i);
  });

  test('loads real FX rates for the open business date and the 35 before it, with their source', async () => {
    const items = await scan('BusinessDays');
    const rates = items.filter(({ scopeKey }) => scopeKey === 'fx-rates');
    // The open date, and the 35 before it.
    expect(rates).toHaveLength(36);
    expect(rates[0]).toMatchObject({
      base: 'USD',
      source: expect.stringContaining('currency-api'),
      rateDate: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
      rates: expect.objectContaining({
        EUR: expect.stringMatching(/^0\.\d+$/),
        JPY: expect.stringMatching(/^\d+/),
      }),
    });
  });

  test('whose port is taken names the option to change', async () => {
    const taken = await command([
      'start',
      '--port',
      new URL(system.url).port,
      '--aws-port',
      '0',
      '--outputs',
      join(folder, 'x.json'),
    ]);
    expect(taken.exitCode).not.toBe(0);
    expect(taken.stderr).toContain('--port');
    expect(taken.stderr.trim().split('\n').length).toBeLessThanOrEqual(3);
  });
});

describe('npm run token', () => {
  test('prints an access token and nothing else', async () => {
    const { stdout, stderr, exitCode } = await command(['token', 'gateway', '--outputs', system.outputsFile]);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  test('of an unknown client is a usage error, and says which there are', async () => {
    const { stdout, stderr, exitCode } = await command(['token', 'nobody', '--outputs', system.outputsFile]);
    expect([stdout, exitCode]).toEqual(['', 2]);
    expect(stderr).toMatch(/gateway/);
  });

  test('without outputs says what to run', async () => {
    const { stderr, exitCode } = await command(['token', 'gateway', '--outputs', join(folder, 'none.json')]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('npm start');
  });
});

describe('npm run replay', () => {
  test('plays a file, settles its dates, and a second time doubles nothing', async () => {
    const first = await replay(transactions, '--merchants', merchants, '--shift-to-today', '--settle');
    expect([first.stderr, first.exitCode]).toEqual(['', 0]);
    const report = JSON.parse(first.stdout) as ReplayReport;
    expect(report).toMatchObject({ staged: 60, replayed: 0, failed: 0 });
    expect(report.dates.map(({ status }) => status)).toEqual(report.dates.map(() => 'balanced'));
    expect(Object.keys(report.dates[0]?.nets ?? {}).toSorted()).toEqual(['EUR', 'JPY', 'KWD', 'USD']);

    const rows = readFileSync(transactions, 'utf8')
      .trim()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(','));
    const expected: Record<string, { count: number; amount: number }> = {};
    for (const [, , , , , amount, currency = '', , type] of rows) {
      const sum = (expected[currency] ??= { count: 0, amount: 0 });
      sum.count += 1;
      sum.amount += type === 'refund' ? -Number(amount) : Number(amount);
    }
    const sums = (side: string) =>
      Object.fromEntries(
        Object.keys(expected).map((currency) => {
          const all = report.dates.map(({ totals }) => totals[currency]?.[side] ?? { count: 0, amount: '0' });
          return [
            currency,
            {
              count: total(all.map(({ count }) => count)),
              amount: total(all.map(({ amount }) => Number(amount))),
            },
          ];
        }),
      );
    expect(sums('staged')).toEqual(expected);
    expect(sums('settled')).toEqual(expected);

    const [staged, ledger] = await Promise.all([scan('StagedTransactions'), scan('Ledger')]);
    expect([staged.length, ledger.length]).toEqual([60, 60]);
    expect(total(ledger.map(({ amount }) => Number(amount)))).toBe(
      total(Object.values(expected).map(({ amount }) => amount)),
    );
    // A label of the data is nobody's but the replay's; here there is none, and nothing unknown is sent.
    expect(JSON.stringify(staged)).not.toContain('is_fraud');

    const again = JSON.parse(
      (await replay(transactions, '--shift-to-today', '--settle')).stdout,
    ) as ReplayReport;
    expect(again).toMatchObject({ staged: 0, replayed: 60, failed: 0 });
    expect(again.dates.map(({ totals, nets }) => [totals, nets])).toEqual(
      report.dates.map(({ totals, nets }) => [totals, nets]),
    );
  }, 240_000);

  test('plays reversals and refunds after their sales, and shows a break where a terminal miscounts', async () => {
    const file = join(folder, 'undone.csv');
    const now = new Date().toISOString();
    writeFileSync(
      file,
      [
        'transaction_id,occurred_at,card_token,merchant_id,merchant_category_code,amount_minor,currency,type,original_transaction_id,terminal_id,is_fraud',
        `u3,${now},tok_u1,mer_u,5411,500,EUR,reversal,u1,till-u,`,
        `u4,${now},tok_u2,mer_u,5411,200,EUR,refund,u2,till-u,0`,
        `u1,${now},tok_u1,mer_u,5411,500,EUR,sale,,till-u,0`,
        `u2,${now},tok_u2,mer_u,5411,700,EUR,sale,,till-u,1`,
      ].join('\n'),
    );
    const wrong = await replay(file, '--settle', '--miscount', 'till-u');
    expect([wrong.stderr, wrong.exitCode]).toEqual(['', 0]);
    const report = JSON.parse(wrong.stdout) as ReplayReport;
    expect(report).toMatchObject({ staged: 4, failed: 0, detection: { fraud: 1, all: { flagged: 0 } } });
    expect(report.dates).toHaveLength(1);
    expect(report.dates[0]?.totals['EUR']).toMatchObject({
      staged: { count: 4, amount: '500' },
      settled: { count: 2, amount: '500' },
      reversed: { count: 2, amount: '0' },
    });
    expect(report.dates[0]?.breaks).toEqual([
      {
        kind: 'terminal-totals',
        subject: 'till-u',
        expected: [{ type: 'sale', currency: 'EUR', count: 3, amount: '1201' }],
        actual: [{ type: 'sale', currency: 'EUR', count: 2, amount: '1200' }],
      },
    ]);

    const right = await replay(file, '--settle');
    expect(right.exitCode).toBe(0);
    expect(JSON.parse(right.stdout)).toMatchObject({ staged: 0, replayed: 4, dates: [{ breaks: [] }] });
  }, 180_000);

  test('of another file with the same terminals shows whose books differ, and is no failure', async () => {
    const file = join(folder, 'others.csv');
    const header =
      'transaction_id,occurred_at,card_token,merchant_id,merchant_category_code,amount_minor,currency,terminal_id';
    writeFileSync(file, `${header}\no1,${new Date().toISOString()},tok_o1,mer_u,5411,100,EUR,till-u`);
    const { stdout, stderr, exitCode } = await replay(file, '--settle');
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(JSON.parse(stdout)).toMatchObject({ dates: [{ breaks: [{ subject: 'till-u' }] }] });
  }, 180_000);

  test('reports a bad row by its line, plays the others, and exits 1', async () => {
    const file = join(folder, 'bad.csv');
    const now = new Date().toISOString();
    writeFileSync(
      file,
      [
        'transaction_id,occurred_at,card_token,merchant_id,merchant_category_code,amount_minor,currency,is_fraud,remark',
        `b1,${now},tok_1,mer_1,5411,100,USD,1,fine`,
        `b2,${now},tok_1,mer_1,5411,-5,USD,0,bad`,
        `b3,yesterday,tok_1,mer_1,5411,5,USD,0,bad`,
        `b4,${now},tok_1,mer_1,5411,200,USD,0,fine`,
      ].join('\n'),
    );
    const { stdout, stderr, exitCode } = await replay(file);
    expect(JSON.parse(stdout)).toMatchObject({ staged: 2, failed: 2 });
    expect(stderr).toMatch(/line 3/);
    expect(stderr).toMatch(/line 4/);
    expect(exitCode).toBe(1);
  });

  test('of rows that are too old names --shift-to-today, once', async () => {
    const { stderr, exitCode } = await replay(transactions);
    expect(stderr.match(/--shift-to-today/g)).toHaveLength(1);
    expect(exitCode).toBe(1);
  });

  test.each([
    ['without a file', []],
    ['of a file that is not there', ['nowhere.csv']],
    ['with an unknown option', [transactions, '--frobnicate']],
    ['with a concurrency of 0', [transactions, '--concurrency', '0']],
    ['with a terminal to miscount that is not in the file', [transactions, '--settle', '--miscount', 'x']],
    ['with a terminal to miscount and nothing to settle', [transactions, '--miscount', 'mer_bakery-1']],
  ])('%s is a usage error', async (_name, args) => {
    const { stdout, stderr, exitCode } = await command(['replay', ...args, '--outputs', system.outputsFile]);
    expect([stdout, exitCode]).toEqual(['', 2]);
    expect(stderr.trim()).not.toBe('');
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('npm run demo', () => {
  const demo = async (...args: string[]) => command(['demo', '--outputs', system.outputsFile, ...args]);

  test('plays and settles a day of which every kind of attack is found, and nothing honest is held', async () => {
    const { stdout, stderr, exitCode } = await demo('--transactions', '250', '--json');
    expect([stderr, exitCode]).toEqual(['', 0]);
    const report = JSON.parse(stdout) as DemoReport;
    expect(report).toMatchObject({ staged: 250, failed: 0, gifts: { transactions: 5, held: 0 } });
    expect(report.dates).toMatchObject([{ businessDate: report.businessDate, status: 'balanced' }]);
    expect(Object.keys(report.dates[0]?.nets ?? {}).length).toBeGreaterThanOrEqual(5);
    expect(report.dates[0]?.breaks).toMatchObject([{ kind: 'terminal-totals' }]);
    const { all, labels } = report.detection;
    expect(all).toMatchObject({ falsePositives: 0, precision: 1 });
    expect(Object.entries(labels).map(([label, { held }]) => [label, held > 0])).toEqual(
      ['burst', 'card-testing', 'duplicate', 'impossible-travel', 'night', 'spike'].map((kind) => [
        kind,
        true,
      ]),
    );
    expect(labels['duplicate']).toMatchObject({ transactions: 4, held: 4 });

    const again = JSON.parse((await demo('--transactions', '250', '--json')).stdout) as DemoReport;
    expect(again).toMatchObject({ staged: 0, replayed: 250, businessDate: report.businessDate });
    expect(again.dates[0]?.totals).toEqual(report.dates[0]?.totals);
  }, 240_000);

  test('of another seed goes to a date whose books are open, and says what there is to do next', async () => {
    const { stdout, stderr, exitCode } = await demo('--transactions', '200', '--seed', '2');
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout).toMatch(/is settled already/);
    expect(stdout).toMatch(/5 equal gifts, bought an hour apart: none held/);
    expect(stdout).toMatch(/terminal-totals till_\w+: sale/);
    expect(stdout).toMatch(/npm run review -- --date \d{4}-\d{2}-\d{2}/);
  }, 180_000);

  test('written to files is what replay plays', async () => {
    const target = join(folder, 'day');
    expect((await demo('--transactions', '200', '--seed', '3', '--write', target)).exitCode).toBe(0);
    const { stdout, stderr, exitCode } = await replay(
      join(target, 'transactions.csv'),
      '--merchants',
      join(target, 'merchants.csv'),
      '--shift-to-today',
    );
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(JSON.parse(stdout)).toMatchObject({ staged: 200, failed: 0 });
  }, 180_000);
});

describe('npm run review', () => {
  const review = async (...args: string[]) => command(['review', '--outputs', system.outputsFile, ...args]);
  const waiting = async () => {
    const { items } = JSON.parse((await review('--json')).stdout) as { items: HeldItem[] };
    return items;
  };

  test('lists what is held, with the rules and what they saw', async () => {
    const items = await waiting();
    expect(items.length).toBeGreaterThan(20);
    const { stdout, exitCode } = await review('--list', '--date', items[0]?.businessDate ?? '');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(items[0]?.transactionId);
    expect(stdout).toMatch(/duplicate 70: the same as [0-9a-f]{32}, \d+ s after it/);
    expect(stdout).toMatch(/impossible-travel 70: \d+ km from/);
  });

  test('releases and rejects, once', async () => {
    const [one, other] = await waiting();
    const released = await review('--release', one?.transactionId ?? '', '--reason', 'the holder knows it');
    expect([released.exitCode, released.stdout]).toEqual([0, expect.stringContaining('is released')]);
    const rejected = await review('--reject', other?.transactionId ?? '', '--reason', 'stolen');
    expect([rejected.exitCode, rejected.stdout]).toEqual([0, expect.stringContaining('is rejected')]);
    const late = await review('--reject', one?.transactionId ?? '', '--reason', 'stolen');
    expect([late.exitCode, late.stdout]).toEqual([1, '']);
    expect(late.stderr).toMatch(/is not rejected: 409 .*It was released/);
    const left = (await waiting()).map(({ transactionId }) => transactionId);
    expect(left).not.toContain(one?.transactionId);
    expect(left).not.toContain(other?.transactionId);
  });

  test('of a transaction that is not there says so', async () => {
    const { stderr, exitCode } = await review('--release', 'nowhere', '--reason', 'x');
    expect([stderr, exitCode]).toEqual([expect.stringContaining('404'), 1]);
  });
});

describe('npm run users', () => {
  const users = async (...args: readonly string[]): Promise<Ended> =>
    command(['users', ...args, '--outputs', system.outputsFile]);

  test('a user is added with a password that is shown once, signs in, and is removed', async () => {
    const { stdout, stderr, exitCode } = await users('add', 'alice', 'bob');
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout).toMatch(/^alice is added\..*: \S{12}\nbob is added\..*: \S{12}\n$/);
    expect((await users('list')).stdout).toMatch(
      /^alice +\d{4}-\d{2}-\d{2} {2}CONFIRMED\nbob .*CONFIRMED\n2 users\n$/,
    );
    const token = await command(['token', 'user', 'alice', '--outputs', system.outputsFile]);
    expect([token.exitCode, token.stdout]).toEqual([0, expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)]);

    const again = await users('add', 'alice');
    expect([again.stdout, again.stderr, again.exitCode]).toEqual(['', 'There is a user alice already.\n', 1]);
    expect((await users('remove', 'alice', 'bob')).exitCode).toBe(0);
    const gone = await users('remove', 'alice');
    expect([gone.stderr, gone.exitCode]).toEqual(['There is no user alice.\n', 1]);
    expect((await users('list')).stdout).toBe('0 users\n');
  });

  test('a password that the pool refuses leaves no user behind', async () => {
    const { stderr, exitCode } = await users('add', 'carol', '--password', 'tooshort');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Password not long enough')]);
    expect((await users('list')).stdout).not.toContain('carol');
    const given = await users('add', 'carol', '--password', 'Correct-Horse-1');
    expect([given.exitCode, given.stdout]).toEqual([0, 'carol is added, with the password that you gave.\n']);
  });

  test('latency of a deployment is measured with users of its own, whom it removes', async () => {
    const { stdout, exitCode } = await command([
      ...[
        'latency',
        '--outputs',
        system.outputsFile,
        '--users',
        '3',
        '--rate',
        '5',
        '--seconds',
        '2',
        '--json',
      ],
    ]);
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      0,
      expect.arrayContaining([
        expect.objectContaining({ name: 'chat messages', value: 10 }),
        expect.objectContaining({ name: 'chat messages not seen in time', value: 0 }),
        expect.objectContaining({ name: 'chat, accepted to shown, p50' }),
      ]),
    ]);
    expect((await users('list')).stdout).not.toContain('latency');
  });
});

describe('npm run chat', () => {
  test('sends what its input holds, and ends with it', async () => {
    const { stdout, exitCode } = await shell(
      `printf 'first\\nlast\\n' | timeout 60 node cli/launch.mjs chat ada bob --outputs ${system.outputsFile}`,
    );
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/#1 you: first\n(?:.*\n)*#2 you: last/)]);
  });
});

describe('Ctrl-C', () => {
  test('stops at once and takes the outputs away', async () => {
    const { exitCode, milliseconds } = await system.stop();
    expect(exitCode).toBe(0);
    expect(milliseconds).toBeLessThan(3000);
    expect(existsSync(system.outputsFile)).toBe(false);
  });
});

async function scan(name: string): Promise<Record<string, unknown>[]> {
  const client = new DynamoDB({
    region: 'us-east-1',
    endpoint: system.awsEndpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { TableNames = [] } = await client.listTables({});
  const items: Record<string, unknown>[] = [];
  const TableName = TableNames.find((each) => each.includes(name));
  for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
    for (const item of Items) items.push(unmarshall(item));
  }
  client.destroy();
  return items;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
