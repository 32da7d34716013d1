import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { CognitoIdentityProvider } from '@aws-sdk/client-cognito-identity-provider';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { daysAgo, noonOf, sale, startSystem, type System } from '../system.ts';

/**
 * Goal: whatever comes, each bad request gets its own answer and leaves no trace, and a bad message ends where a person
 * sees it. Method: a table of routes and bad inputs through the real host; then every table is scanned, every queue
 * counted, and every invocation looked at.
 */

let system: System;
let itemsBefore: string[];

beforeAll(async () => {
  system = await startSystem();
  // A day with a transaction, so that what is refused is refused for its own fault. The schedule leaves the open one alone.
  await system.stage({ occurredAt: new Date().toISOString() }, 'known-key');
  itemsBefore = await allItems();
});

afterAll(async () => {
  await system.stop();
});

/** A request as it goes over the wire; with a token of the client unless `headers` has one, or `client` is absent. */
interface Case {
  readonly client?: 'gateway' | 'operator';
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: unknown;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

async function send({ client, method = 'GET', path = '/', headers = {}, body }: Case): Promise<Answer> {
  const base = new URL(system.outputs.DuotempoCardSettlement['ApiUrl'] ?? '');
  const token = client === undefined ? undefined : await system.token(client);
  const text =
    typeof body === 'string' || Buffer.isBuffer(body) || body === undefined ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    // The path goes out as it is: no client of ours may mend it.
    const request = http.request(
      {
        host: base.hostname,
        port: base.port,
        path: `${base.pathname}${path}`,
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            contentType: response.headers['content-type'] ?? '',
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}

async function tableNames(): Promise<string[]> {
  const { TableNames = [] } = await system.dynamodb.listTables({});
  return TableNames;
}

async function allItems(): Promise<string[]> {
  const tables = await tableNames();
  const items = await Promise.all(tables.map(async (table) => system.scan(table)));
  return items
    .flatMap((each, index) => each.map((item) => `${tables[index]} ${JSON.stringify(item)}`))
    .toSorted();
}

/** What all queues hold, seen or not. */
async function messagesInQueues(): Promise<number> {
  const { QueueUrls = [] } = await system.sqs.listQueues({});
  expect(QueueUrls.length).toBeGreaterThanOrEqual(4);
  const counts = await Promise.all(
    QueueUrls.map(async (QueueUrl) => {
      const { Attributes = {} } = await system.sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] });
      return (
        [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ] as const
      ).reduce((sum, name) => sum + Number(Attributes[name]), 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

const EVERYTHING_BUT_THE_DATE = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

const CARD_NUMBER = '4111111111111111';
const PROBLEM = 'application/problem+json';

function post(body: unknown, headers: Case['headers'] = {}): Case {
  return {
    client: 'gateway',
    method: 'POST',
    path: '/transactions',
    headers: { 'idempotency-key': randomUUID(), ...headers },
    body,
  };
}

/** A sale with other fields, one of them maybe left out: `undefined`. */
function bad(fields: Readonly<Record<string, unknown>>): Case {
  return post(sale(fields));
}

function put(path: string, body: unknown): Case {
  return { client: 'operator', method: 'PUT', path, body };
}

function get(path: string, headers: Case['headers'] = {}): Case {
  return { client: 'operator', path, headers };
}

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

/** JSON text of a sale with one raw member more, or in place of one. */
function raw(member: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return `${JSON.stringify(sale(fields)).slice(0, -1)},${member}}`;
}

const profile = {
  name: 'Shop',
  country: 'US',
  settlementCurrency: 'USD',
  feeBasisPoints: 100,
  feeFixedMinor: 10,
};
const DAY_SECONDS = 86_400;

type Cases = Readonly<Record<string, () => Case | Promise<Case>>>;

/** What a list is asked that no list answers. */
const BAD_QUERIES = [
  ...['limit=0', 'limit=101', 'limit=-1', 'limit=ten', 'limit=', 'limit=1.5', 'limit=1&limit=2'],
  ...[
    'cursor=',
    'cursor=x',
    'cursor=e30',
    'cursor=%25',
    `cursor=${'a'.repeat(600)}`,
    'offset=5',
    '__proto__=1',
  ],
];
const LISTS = ['/business-days', '/settlements/{day}', '/settlements/{day}/merchants/mer_corner_shop'];

/** What the handlers refuse, by the status and the type of the problem that they answer. */
const refused: Readonly<Record<string, Cases>> = {
  '400 malformed-json': {
    'no body': () => post(undefined),
    'an empty body': () => post(''),
    'malformed JSON': () => post('{"merchantId":'),
    'a body that is no UTF-8': () => post(Buffer.from([0xff, 0xfe, 0x00])),
    'JSON twice': () => post('{}{}'),
    'a merchant without a body': () => put('/merchants/m', undefined),
    'a reconcile with malformed JSON': () => ({ ...reconcile(system.today), body: '{' }),
  },
  '400 validation-failed': {
    null: () => post('null'),
    'an array': () => post([sale()]),
    'a text': () => post('"sale"'),
    'an empty object': () => post({}),
    'a body nested 8,000 deep': () => post('['.repeat(8000) + ']'.repeat(8000)),
    'an unknown field': () => bad({ note: 'hello' }),
    'a member __proto__': () => post(raw('"__proto__":{"amount":1}')),
    'a member constructor': () => post(raw('"constructor":{}')),
    'a merchant of __proto__ only': () =>
      post(raw('"__proto__":{"merchantId":"m"}', { merchantId: undefined })),
    'an unknown field in a place': () => bad({ location: { latitude: 1, longitude: 1, altitude: 1 } }),
    'no merchant': () => bad({ merchantId: undefined }),
    'a merchant that is a number': () => bad({ merchantId: 7 }),
    'a merchant too long': () => bad({ merchantId: 'm'.repeat(65) }),
    'a merchant with a slash': () => bad({ merchantId: 'a/b' }),
    'a type that is none': () => bad({ type: 'gift' }),
    'a null': () => bad({ cardToken: null }),
    'a reversal without its original': () => bad({ type: 'reversal' }),
    'a place beyond the pole': () => bad({ location: { latitude: 91, longitude: 0 } }),
    'an amount of 0': () => bad({ amount: 0 }),
    'a negative amount': () => bad({ amount: -497 }),
    'a fractional amount': () => bad({ amount: 4.97 }),
    'an amount over 10^12': () => bad({ amount: 1_000_000_000_001 }),
    'an amount beyond numbers': () => post(raw('"amount":1e999', { amount: undefined })),
    'an amount as text': () => bad({ amount: '497' }),
    'no amount': () => bad({ amount: undefined }),
    'an unknown currency': () => bad({ currency: 'ABC' }),
    'a currency in lower case': () => bad({ currency: 'usd' }),
    'an unknown merchant category code': () => bad({ merchantCategoryCode: '0001' }),
    'a merchant category code as a number': () => bad({ merchantCategoryCode: 5411 }),
    '30 February': () => bad({ occurredAt: '2026-02-30T12:00:00Z' }),
    'month 13': () => bad({ occurredAt: '2026-13-01T12:00:00Z' }),
    'hour 25': () => bad({ occurredAt: '2026-03-10T25:00:00Z' }),
    'a leap second': () => bad({ occurredAt: '2016-12-31T23:59:60Z' }),
    'a date without an offset': () => bad({ occurredAt: '2026-03-10T12:00:00' }),
    'no idempotency key': () => ({ ...post(sale()), headers: {} }),
    'an empty idempotency key': () => post(sale(), { 'idempotency-key': '' }),
    'an idempotency key of 65 characters': () => post(sale(), { 'idempotency-key': 'k'.repeat(65) }),
    'an idempotency key with a space': () => post(sale(), { 'idempotency-key': 'a b' }),
    'two idempotency keys': () => post(sale(), { 'idempotency-key': ['a', 'b'] }),
    'a merchant with an unknown field': () => put('/merchants/m', { ...profile, id: 1 }),
    'a merchant with a negative fee': () => put('/merchants/m', { ...profile, feeBasisPoints: -1 }),
    'a merchant with a fee over 100 %': () => put('/merchants/m', { ...profile, feeBasisPoints: 10_001 }),
    'a merchant in an unknown currency': () => put('/merchants/m', { ...profile, settlementCurrency: 'XXX' }),
    'a merchant with an empty name': () => put('/merchants/m', { ...profile, name: '' }),
    'a merchant under an encoded space': () => put('/merchants/a%20b', profile),
    'a merchant under 65 characters': () => put(`/merchants/${'m'.repeat(65)}`, profile),
    'rates for 30 February': () => put('/fx-rates/2026-02-30', rates()),
    'rates without a currency': () => put(`/fx-rates/${system.today}`, rates({ rates: {} })),
    'rates as numbers': () => put(`/fx-rates/${system.today}`, rates({ rates: { EUR: 0.9 } })),
    'rates of zero': () => put(`/fx-rates/${system.today}`, rates({ rates: { EUR: '0' } })),
    'rates of an unknown currency': () => put(`/fx-rates/${system.today}`, rates({ rates: { ABC: '1' } })),
    'rates of __proto__': () =>
      put(
        `/fx-rates/${system.today}`,
        `{"base":"USD","source":"s","rateDate":"${system.today}","rates":{"EUR":"1","__proto__":"1"}}`,
      ),
    'rates of an unknown base': () => put(`/fx-rates/${system.today}`, rates({ base: 'ABC' })),
    'a reconcile of a date that does not exist': () => reconcile('2026-02-30'),
    'a reconcile of no date': () => reconcile('today'),
    'a reconcile with a body': () => ({ ...reconcile(system.today), body: { force: true } }),
    'a reconcile with an array': () => ({ ...reconcile(system.today), body: [] }),
    'a day that does not exist': () => get('/business-days/2026-02-30'),
    'a settlement of month 13': () => get('/settlements/2026-13-01'),
    'the entries of no merchant': () => get(`/settlements/${system.today}/merchants/a%20b`),
    'a transaction’s id with a #': () => get('/transactions/abc%23decision'),
    'a limit where the day is not known either': () => get('/settlements/1999-12-31?limit=0'),
    'an unknown parameter of the settlement file': () =>
      get(`/settlements/${system.today}?limit=5`, { accept: 'text/csv' }),
    'an unknown parameter of a transaction': () => get('/transactions/abc?verbose=1'),
    'an unknown parameter of a day': () => get(`/business-days/${system.today}?x=1`),
    'an unknown parameter of a new transaction': () => ({
      ...post(sale()),
      path: '/transactions?dryRun=true',
    }),
    'an unknown parameter of a merchant': () => put('/merchants/m?x=1', profile),
    'an unknown parameter of rates': () => put(`/fx-rates/${system.today}?x=1`, rates()),
    'an unknown parameter of a reconcile': () => ({
      ...reconcile(system.today),
      path: `/business-days/${system.today}/reconcile?x=1`,
    }),
    ...Object.fromEntries(
      ['XAU', 'XDR', 'CLF', 'USN', 'CUC'].map((currency) => [
        `a transaction in ${currency}, which no market quotes`,
        () => bad({ currency }),
      ]),
    ),
    ...Object.fromEntries(
      BAD_QUERIES.flatMap((query) =>
        LISTS.map((path) => [
          `${path}?${query.slice(0, 20)}`,
          () => get(`${path.replace('{day}', system.today)}?${query}`),
        ]),
      ),
    ),
  },
  '413 body-too-large': {
    'a body over 16 KB': () => bad({ note: 'x'.repeat(16_384) }),
    'a body over 16 KB in multi-byte text': () => bad({ note: '寿'.repeat(5600) }),
    'a body of 1 MB': () => post('['.repeat(1_000_000)),
    'a merchant over 16 KB': () => put('/merchants/m', { ...profile, name: 'n'.repeat(17_000) }),
  },
  '422 occurred-at-in-future': {
    'a time over 5 minutes ahead': () => bad({ occurredAt: ago(-400) }),
    'a time at the end of the calendar': () => bad({ occurredAt: '9999-12-31T23:59:59-23:59' }),
  },
  '422 occurred-at-too-old': {
    'a time over 30 days back': () => bad({ occurredAt: ago(30 * DAY_SECONDS + 60) }),
    'a time before 1970, by its offset': () => bad({ occurredAt: '1970-01-01T00:00:00+12:00' }),
  },
  '422 idempotency-key-reused': {
    'an idempotency key used for another body': () =>
      post(sale({ occurredAt: noonOf(daysAgo(system, 2)) }), { 'idempotency-key': 'known-key' }),
  },
  '400 card-number': {
    'a card number as token': () => bad({ cardToken: CARD_NUMBER }),
    'a card number after a prefix': () => bad({ cardToken: `tok_${CARD_NUMBER}` }),
    'a card number in an unknown field': () => bad({ note: { deep: [`pay ${CARD_NUMBER}.`] } }),
    'a card number as a name': () => bad({ [CARD_NUMBER]: 1 }),
    'a card number as an integer': () => bad({ amount: Number(CARD_NUMBER) }),
    'a card number with an exponent': () => post(raw('"amount":4.111111111111111e15', { amount: undefined })),
    'a card number of 19 digits as an integer': () => post(raw('"note":6304000000000000000')),
    'a card number with spaces': () => bad({ note: '4111 1111 1111 1111' }),
    'a card number with hyphens': () => bad({ merchantId: '4111-1111-1111-1111' }),
    'a card number with underscores': () => bad({ cardToken: '4111_1111_1111_1111' }),
    'a card number with dots': () => bad({ note: '3782.822463.10005' }),
    'a card number in a query': () => get(`/business-days?cursor=${CARD_NUMBER}`),
    'a card number as a query’s name': () => get(`/business-days?${CARD_NUMBER}=1`),
    'a card number as a date': () => get(`/business-days/${CARD_NUMBER}`),
    'a card number in escapes': () => post(raw(`"note":"\\u0034${CARD_NUMBER.slice(1)}"`)),
    'a card number in the idempotency key': () => post(sale(), { 'idempotency-key': CARD_NUMBER }),
    'a card number in a path': () => get(`/transactions/${CARD_NUMBER}`),
    'a card number as merchant': () => put(`/merchants/${CARD_NUMBER}`, profile),
    'a card number in a merchant’s name': () => put('/merchants/m', { ...profile, name: `x ${CARD_NUMBER}` }),
    'a card number as source of rates': () =>
      put(`/fx-rates/${system.today}`, {
        base: 'USD',
        source: CARD_NUMBER,
        rateDate: system.today,
        rates: { EUR: '1' },
      }),
  },
  '422 date-out-of-range': {
    'rates far ahead': () => put('/fx-rates/9999-12-31', rates()),
    'rates far back': () => put('/fx-rates/1970-01-01', rates()),
    'a reconcile of a date to come': () => reconcile('9999-12-31'),
    'a reconcile of a date long past': () => reconcile('1970-01-01'),
  },
  '404 not-found': {
    'a day without transactions': () => get('/business-days/1999-12-31'),
    'a settlement of a day without transactions': () => get('/settlements/1999-12-31'),
    'a transaction that is none': () => get('/transactions/0000'),
    'an unknown path': () => get('/nowhere'),
    'the root': () => get('/'),
    'an unknown path without a token': () => ({ path: '/nowhere' }),
    'a method that the path has not': () => ({ ...get('/transactions/abc'), method: 'DELETE' }),
    PATCH: () => ({ ...post(sale()), method: 'PATCH' }),
    'a slash too many': () => ({ ...post(sale()), path: '/transactions/' }),
    'a path in capitals': () => ({ ...post(sale()), path: '/TRANSACTIONS' }),
  },
};

function rates(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { base: 'USD', source: 'test', rateDate: system.today, rates: { EUR: '0.9' }, ...changes };
}

function reconcile(date: string): Case {
  return { client: 'operator', method: 'POST', path: `/business-days/${date}/reconcile` };
}

const ROUTES = [
  ...['POST /transactions', 'GET /transactions/abc', 'PUT /merchants/m', 'PUT /fx-rates/2026-03-10'],
  ...['POST /business-days/2026-03-10/reconcile', 'GET /business-days', 'GET /business-days/2026-03-10'],
  ...['GET /settlements/2026-03-10', 'GET /settlements/2026-03-10/merchants/m'],
];

/** What the gateway refuses before any function runs, by the status and the message, whose form cannot be changed. */
const refusedByGateway: Readonly<Record<string, Cases>> = {
  '401 Unauthorized': {
    ...Object.fromEntries(
      ROUTES.flatMap((route) => {
        const [method = '', path = ''] = route.split(' ');
        const headers = { authorization: 'Bearer garbage' };
        return [
          [`${route} without a token`, () => ({ method, path })],
          [`${route} with a garbage token`, () => ({ method, path, headers })],
        ];
      }),
    ),
    'a token with a signature of another': async () => withToken(await forged()),
    'a token without a signature': async () => withToken(await unsigned()),
    'an empty authorization': () => ({ ...get('/business-days'), headers: { authorization: '' } }),
  },
  '403 Forbidden': {
    'a sale by the operator': () => ({ ...post(sale()), client: 'operator' }),
    'a merchant by the gateway': () => ({ ...put('/merchants/m', profile), client: 'gateway' }),
    'rates by the gateway': () => ({ ...put(`/fx-rates/${system.today}`, rates()), client: 'gateway' }),
    'a reconcile by the gateway': () => ({ ...reconcile(system.today), client: 'gateway' }),
  },
  '431 Request Header Fields Too Large': {
    'headers over 10,240 bytes': () => post(sale(), { 'x-long': 'x'.repeat(10_240) }),
  },
};

function withToken(token: string): Case {
  return { ...post(sale()), headers: { authorization: `Bearer ${token}` } };
}

/** Rows of a table of tests: what is sent, the status and the words of its answer, and the request. */
function rowsOf(refusals: Readonly<Record<string, Cases>>) {
  return Object.entries(refusals).flatMap(([answer, cases]) => {
    const [status, words] = [Number(answer.slice(0, 3)), answer.slice(4)];
    return Object.entries(cases).map(([what, request]) => [what, status, words, request] as const);
  });
}

async function forged(): Promise<string> {
  const token = await system.token('gateway');
  const place = token.lastIndexOf('.') + 10;
  return `${token.slice(0, place)}${token[place] === 'A' ? 'B' : 'A'}${token.slice(place + 1)}`;
}

async function unsigned(): Promise<string> {
  const [, payload = ''] = (await system.token('gateway')).split('.');
  return `${Buffer.from('{"alg":"none","kid":"x"}').toString('base64url')}.${payload}.`;
}

describe('a bad request gets its answer', () => {
  test.each(rowsOf(refused))('%s: %i %s', async (_, status, slug, request) => {
    const answer = await send(await request());
    expect({ status: answer.status, contentType: answer.contentType, body: answer.body }).toMatchObject({
      status,
      contentType: PROBLEM,
    });
    const problem: unknown = JSON.parse(answer.body);
    expect(problem).toMatchObject({
      type: `urn:duotempo:problem:${slug}`,
      title: expect.any(String),
      status,
    });
    if (slug === 'validation-failed') {
      // eslint-disable-next-line jest/no-conditional-expect -- the shape of one type of problem
      expect(problem).toHaveProperty('errors.0.pointer', expect.any(String));
    }
    expect(answer.body).not.toContain(CARD_NUMBER);
  });

  test.each(rowsOf(refusedByGateway))('%s: %i %s', async (_, status, message, request) => {
    const answer = await send(await request());
    expect(answer).toMatchObject({
      status,
      contentType: 'application/json',
      body: JSON.stringify({ message }),
    });
    expect(status !== 401 || answer.headers['www-authenticate'] !== undefined).toBe(true);
  });

  test('an expired token: 401 Unauthorized', async () => {
    const token = await system.token('gateway');
    const request = {
      ...post(sale()),
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': 'k' },
    };
    jest.useFakeTimers({ now: Date.now() + 3_660_000, doNotFake: [...EVERYTHING_BUT_THE_DATE] });
    try {
      const answer = await send(request);
      expect(answer).toMatchObject({ status: 401, body: '{"message":"Unauthorized"}' });
      expect(answer.headers['www-authenticate']).toContain('invalid_token');
    } finally {
      jest.useRealTimers();
    }
  });

  test.each(['AccessToken', 'IdToken'] as const)('the %s of a chat user: 401 Unauthorized', async (kind) => {
    const cognito = new CognitoIdentityProvider({
      region: 'us-east-1',
      endpoint: system.host.awsEndpoint,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const { AuthenticationResult: tokens = {} } = await cognito.initiateAuth({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: system.host.outputs['DuotempoIdentity']?.['ChatClientId'],
      AuthParameters: { USERNAME: 'ada', PASSWORD: 'Any-password-1' },
    });
    cognito.destroy();
    expect(tokens[kind]).toMatch(/^ey/);
    const answer = await send({
      path: '/business-days',
      headers: { authorization: `Bearer ${tokens[kind]}` },
    });
    expect(answer).toMatchObject({ status: 401, body: '{"message":"Unauthorized"}' });
  });

  test.each(['/transactions/%', '/transactions/%zz', '/business-days/%E0%A4%A', '/business-days?limit=%zz'])(
    'invalid percent-encoding in %s is the caller’s fault',
    async (path) => {
      const { status } = await send(get(path));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    },
  );

  test('and leaves no trace: no item, no message, no failed invocation, no 5xx', async () => {
    expect(await allItems()).toEqual(itemsBefore);
    // A run that the schedule asked for may be under way.
    for (let tries = 0; tries < 50 && (await messagesInQueues()) > 0; tries++) await pause(100);
    expect(await messagesInQueues()).toBe(0);
    const failures = system.events.filter(
      (event) =>
        (event.type === 'invocation' && event.outcome !== 'success') ||
        (event.type === 'http' && event.status >= 500),
    );
    expect(failures).toEqual([]);
    const logged = system.events.filter((event) => event.type === 'log').map(({ line }) => line);
    expect(logged.filter((line) => line.includes(CARD_NUMBER) || line.includes('"level":"ERROR"'))).toEqual(
      [],
    );
  });
});

describe('a bad message on the settlement queue', () => {
  test('goes to the dead-letter queue after its receives, and its batch mates settle', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, async () => system.stage()));
    const {
      SettlementQueueUrl: QueueUrl,
      SettlementDeadLetterQueueUrl: deadLetters,
      LedgerTable = '',
    } = system.outputs.DuotempoCardSettlement;
    const poison = ['{', '{"factId":"never-staged"}', `{"factId":"${ids[0]}","amount":1}`];
    const bodies = [...ids.map((factId) => JSON.stringify({ factId })), ...poison];
    await system.sqs.sendMessageBatch({
      QueueUrl,
      Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
    });
    // One second of window, then two receives, a visibility timeout of 13 s each.
    const dead: string[] = [];
    const deadline = Date.now() + 120_000;
    let settledAfterMilliseconds: number | undefined;
    const sentAt = Date.now();
    while ((dead.length < poison.length || settledAfterMilliseconds === undefined) && Date.now() < deadline) {
      const { Messages = [] } = await system.sqs.receiveMessage({
        QueueUrl: deadLetters,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 600,
      });
      dead.push(...Messages.map(({ Body = '' }) => Body));
      const settled = (await system.scan(LedgerTable)).map(({ transactionId }) => transactionId);
      if (ids.every((id) => settled.includes(id))) settledAfterMilliseconds ??= Date.now() - sentAt;
      await pause(200);
    }
    expect(dead.toSorted()).toEqual(poison.toSorted());
    // The mates did not wait for a second receive.
    expect(settledAfterMilliseconds).toBeLessThan(12_000);
    expect(
      system.events.filter((event) => event.type === 'invocation' && event.outcome !== 'success'),
    ).toEqual([]);
  });
});
