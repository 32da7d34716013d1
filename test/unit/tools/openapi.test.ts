import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import currencyCodes from 'currency-codes';
import * as v from 'valibot';
import { apiNames, documentFile, openApiDocument, type ApiName } from '../../../tools/openapi/document.ts';
import { examples as shownExamples, schemas, type SchemaName } from '../../../tools/openapi/schemas.ts';
import { problemTypes as cardProblems } from '../../../lambda/card-settlement/api.ts';
import { problemTypes as chatProblems } from '../../../lambda/chat/api.ts';
import { isQuotedCurrency } from '../../../lambda/card-settlement/domain/money.ts';
import { commonProblems } from '../../../lambda/shared/problem.ts';
import { faultsOf, resolved } from '../../openapi/json-schema-check.ts';
import { resourcesOf } from '../../stack/templates.ts';

/**
 * Goal: the OpenAPI document says what the APIs do. Method: its routes are held against the synthesized templates, its
 * schemas against those that the handlers parse with. Their answers: test/end-to-end/documents.test.ts.
 */

type Json = Record<string, unknown>;

const documents = {
  'card-settlement': openApiDocument('card-settlement'),
  chat: openApiDocument('chat'),
};

test.each(apiNames)('the document of %s in the project is the one that the schemas make', (api) => {
  const file = documentFile(api);
  try {
    const committed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    expect(committed).toEqual(JSON.parse(JSON.stringify(documents[api])));
  } catch (cause) {
    throw new Error(`${file} is not up to date: npm run openapi writes it anew.`, { cause });
  }
});

test.each(apiNames)('the document of %s names its own servers, for all its operations', (api) => {
  expect(documents[api].servers.map(({ url }) => url)).toEqual([
    `http://localhost:3000/${api}`,
    expect.stringContaining('execute-api'),
  ]);
  expect(JSON.stringify(documents[api].paths)).not.toContain('"servers"');
});

test.each(apiNames)('the document of %s holds what its operations need, and nothing else', (api) => {
  const { components, ...rest } = documents[api];
  const text = JSON.stringify({ rest, components });
  for (const [kind, members] of Object.entries(components)) {
    const isUsed = (name: string): boolean =>
      text.includes(kind === 'securitySchemes' ? `"security":[{"${name}"` : `"#/components/${kind}/${name}"`);
    expect(Object.keys(members).filter((name) => !isUsed(name))).toEqual([]);
  }
});

test.each(apiNames)('every operation of %s says what API Gateway itself answers', (api) => {
  for (const { operation } of operationsOf(api)) {
    const responses = operation['responses'] as Record<string, Json>;
    for (const status of ['400', '401', '403', '404', '429', '431', '500', '503', '5XX']) {
      const found = responses[status] ?? {};
      const said = typeof found['$ref'] === 'string' ? resolved(found['$ref'], documents[api]) : found;
      expect([status, Object.keys((said['content'] ?? {}) as Json)]).toEqual([
        status,
        expect.arrayContaining(['application/json']),
      ]);
    }
  }
});

test.each(apiNames)('the patterns of %s mean the same in Python, Java and JavaScript', (api) => {
  const patterns = [...JSON.stringify(documents[api]).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
    ([, text = '""']) => String(JSON.parse(text)),
  );
  expect(patterns.length).toBeGreaterThan(5);
  // Property escapes, named groups and what looks behind are written differently in each.
  expect(patterns.filter((pattern) => /\\[pP]\{|\(\?<|\\k|\\u\{/.test(pattern))).toEqual([]);
});

test.each([
  ['card-settlement', cardProblems],
  ['chat', chatProblems],
] as const)('the problems of %s are those of its catalogue, each at its status', (api, types) => {
  const documented = operationsOf(api).flatMap(({ operation }) =>
    Object.entries(operation['responses'] as Record<string, Json>).flatMap(([status, response]) => {
      const said =
        typeof response['$ref'] === 'string' ? resolved(response['$ref'], documents[api]) : response;
      return [...String(said['description']).matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(
        ([, type = '']) => `${status} ${type}`,
      );
    }),
  );
  const known = Object.entries({ ...types, ...commonProblems, 'not-found': [404] });
  expect([...new Set(documented)].toSorted()).toEqual(
    known.map(([type, [status]]) => `${status} ${type}`).toSorted(),
  );
});

describe('the operations', () => {
  test.each([
    ['DuotempoCardSettlement', 'card-settlement'],
    ['DuotempoChat', 'chat'],
  ] as const)('of %s are its routes, with their scopes', async (stackName, api) => {
    const resources = (await resourcesOf('sandbox')).filter((each) => each.stackName === stackName);
    const httpApis = resources
      .filter(
        ({ Type, Properties }) => Type === 'AWS::ApiGatewayV2::Api' && Properties['ProtocolType'] === 'HTTP',
      )
      .map(({ logicalId }) => JSON.stringify({ Ref: logicalId }));
    const routes = resources
      .filter(
        ({ Type, Properties }) =>
          Type === 'AWS::ApiGatewayV2::Route' && httpApis.includes(JSON.stringify(Properties['ApiId'])),
      )
      .map(({ Properties }) => [Properties['RouteKey'], Properties['AuthorizationScopes']] as const)
      .filter(([routeKey]) => routeKey !== '$default');
    expect(routes.length).toBeGreaterThan(3);
    const operations = operationsOf(api).map(({ method, path, operation }) => [
      `${method.toUpperCase()} ${path}`,
      Object.values((operation['security'] as Json[])[0] ?? {})[0],
    ]);
    expect(Object.fromEntries(operations)).toEqual(Object.fromEntries(routes));
  });

  test('are named once each, and name every parameter of their paths', () => {
    const operations = apiNames.flatMap(operationsOf);
    const ids = operations.map(({ operation }) => operation['operationId']);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { api, path, operation } of operations) {
      const parameters = ((operation['parameters'] ?? []) as Json[]).map((parameter) =>
        typeof parameter['$ref'] === 'string' ? resolved(parameter['$ref'], documents[api]) : parameter,
      );
      const inPath = parameters.filter((parameter) => parameter['in'] === 'path').map(({ name }) => name);
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  test.each(apiNames)('of %s refer only to what there is', (api) => {
    const text = JSON.stringify(documents[api]);
    for (const [, pointer = ''] of text.matchAll(/"\$ref":"([^"]+)"/g)) {
      expect(resolved(pointer, documents[api])).toBeDefined();
    }
  });
});

test('an answer’s links lead to operations that take what they give', () => {
  const operations = apiNames.flatMap(operationsOf);
  const links = operations.flatMap(({ api, operation }) =>
    Object.values(operation['responses'] as Record<string, Json>).flatMap((response) =>
      Object.values((response['links'] ?? {}) as Record<string, Json>).map((link) => ({ api, ...link })),
    ),
  ) as unknown as { api: ApiName; operationId: string; parameters: Json }[];
  expect(links.length).toBeGreaterThan(5);
  for (const { api, operationId, parameters } of links) {
    const target = operations.find(({ operation }) => operation['operationId'] === operationId);
    expect(target?.api).toBe(api);
    expect(Object.keys(parameters)).toEqual(
      [...String(target?.path).matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
    );
  }
});

test.each(Object.entries(shownExamples))('the examples of %s are such', (name, values) => {
  for (const value of values) expect(v.is(schemas[name as SchemaName], value)).toBe(true);
});

function operationsOf(api: ApiName): { api: ApiName; method: string; path: string; operation: Json }[] {
  return Object.entries(documents[api].paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Json>).map(([method, operation]) => ({
      api,
      method,
      path,
      operation,
    })),
  );
}

function documentWith(name: SchemaName) {
  const found = Object.values(documents).find(({ components }) => Object.hasOwn(components.schemas, name));
  if (found === undefined) throw new Error(`No document has ${name}.`);
  return found;
}

const transaction = {
  merchantId: 'mer_1',
  terminalId: 'till-1',
  type: 'sale',
  cardToken: 'tok_1',
  amount: 497,
  currency: 'USD',
  merchantCategoryCode: '5411',
  occurredAt: '2026-10-05T14:00:00Z',
};
const profile = {
  name: 'Corner shop',
  country: 'US',
  settlementCurrency: 'USD',
  feeBasisPoints: 250,
  feeFixedMinor: 10,
};
const rates = { base: 'USD', source: 'test', rateDate: '2026-10-05', rates: { EUR: '0.9213' } };
const totalsLine = { type: 'sale', currency: 'USD', count: 2, amount: 994 };
const currencies = currencyCodes.codes().filter(isQuotedCurrency);
const message = { to: 'bob', text: 'hello', clientMessageId: 'c-1' };

const dates = [
  ...['1970-01-01', '1969-12-31', '0000-01-01', '1999-12-31', '2000-02-29', '2100-02-29', '2400-02-29'],
  ...['1972-02-29', '1974-02-29', '2024-02-29', '2023-02-29', '2026-02-28', '2026-02-30', '2026-04-31'],
  ...['2026-13-01', '2026-00-10', '2026-01-00', '2026-01-32', '2026-1-1', '2026-01-01\n', '9999-12-31', ''],
  ...['+012026-01-01', '２０２６-01-01'],
];
const instants = [
  ...dates.map((date) => `${date}T00:00:00Z`),
  ...['2026-10-05t14:00:00z', '2026-10-05T24:00:00Z', '2026-10-05T23:59:60Z', '2026-10-05T14:00:00'],
  ...['2026-10-05T14:00:00.123456789+05:45', '2026-10-05T14:00:00.1234567890Z', '2026-10-05T14:00:00.Z'],
  ...['2026-10-05T14:00:00+24:00', '2026-10-05T14:00:00+23:59', '2026-10-05 14:00:00Z', '2026-10-05T14:00Z'],
];
const identifiers = ['a', 'A-z_9', 'x'.repeat(64), 'x'.repeat(65), '', 'a b', 'ä', 'a\n', 'a#b'];
const wholes = [0, 1, -1, 0.5, 10_000, 10_001, 1_000_000, 1_000_001, 1e12, 1e12 + 1, 1e300, '1', null, true];
const texts = ['', 'x', 'x'.repeat(200), 'x'.repeat(201), 'x'.repeat(4000), 'x'.repeat(4001)];

const examples: Readonly<Partial<Record<SchemaName, readonly unknown[]>>> = {
  Identifier: identifiers,
  BusinessDate: dates,
  UserId: ['a', '0', 'A', '.a', 'a.b_c-d', 'x'.repeat(64), 'x'.repeat(65), ''],
  ConversationId: ['0'.repeat(32), '0'.repeat(31), 'A'.repeat(32), 'f'.repeat(33)],
  Sequence: [...wholes, 999_999],
  Transaction: [
    transaction,
    ...broken(transaction),
    ...identifiers.flatMap((id) =>
      ['merchantId', 'terminalId', 'cardToken', 'originalTransactionId'].map((name) => ({
        ...transaction,
        [name]: id,
      })),
    ),
    ...wholes.map((amount) => ({ ...transaction, amount })),
    ...['sale', 'refund', 'reversal', 'Sale', ''].map((type) => ({ ...transaction, type })),
    ...['JPY', 'usd', 'XXX', 'XTS', 'XAU', 'ZZZ', 'US', 'USDD', ''].map((currency) => ({
      ...transaction,
      currency,
    })),
    ...Array.from({ length: 10_000 }, (_, number) => String(number).padStart(4, '0')).map(
      (merchantCategoryCode) => ({ ...transaction, merchantCategoryCode }),
    ),
    ...['54110', '541', 'x5411'].map((merchantCategoryCode) => ({ ...transaction, merchantCategoryCode })),
    ...instants.map((occurredAt) => ({ ...transaction, occurredAt })),
    ...['US', 'us', 'USA', ''].map((merchantCountry) => ({ ...transaction, merchantCountry })),
    ...[90, -90, 90.000_1, -180, 180, 180.1, '1', null].flatMap((degrees) => [
      { ...transaction, location: { latitude: degrees, longitude: 0 } },
      { ...transaction, location: { latitude: 0, longitude: degrees } },
    ]),
    ...[{}, { latitude: 1 }, { latitude: 1, longitude: 1, altitude: 1 }, [], null].map((location) => ({
      ...transaction,
      location,
    })),
  ],
  MerchantProfile: [
    profile,
    ...broken(profile),
    ...texts.map((name) => ({ ...profile, name })),
    ...wholes.flatMap((number) => [
      { ...profile, feeBasisPoints: number },
      { ...profile, feeFixedMinor: number },
    ]),
    ...['XXX', 'KWD'].map((settlementCurrency) => ({ ...profile, settlementCurrency })),
  ],
  FxRates: [
    rates,
    ...broken(rates),
    ...texts.map((source) => ({ ...rates, source })),
    ...dates.map((rateDate) => ({ ...rates, rateDate })),
    ...['0', '0.0', '0.1', '1.', '.1', '1e3', '-1', '0001', '9'.repeat(12), '9'.repeat(13)].map((rate) => ({
      ...rates,
      rates: { EUR: rate },
    })),
    ...[`1.${'9'.repeat(12)}`, `1.${'9'.repeat(13)}`, `0.${'0'.repeat(11)}1`, 1, null, '1\n'].map((rate) => ({
      ...rates,
      rates: { EUR: rate },
    })),
    ...[
      {},
      [],
      ['1'],
      { eur: '1' },
      { XAU: '1' },
      { XXX: '1' },
      JSON.parse('{"__proto__":"1","EUR":"1"}'),
      { constructor: '1' },
    ].map((named: unknown) => ({ ...rates, rates: named })),
  ],
  Review: [
    { reason: 'known customer' },
    ...broken({ reason: 'known customer' }),
    ...[...texts, ' ', '\t\n', ' x '].map((reason) => ({ reason })),
  ],
  TerminalTotals: [
    { totals: [] },
    { totals: [totalsLine] },
    ...broken({ totals: [totalsLine] }),
    ...broken(totalsLine).map((line) => ({ totals: [line] })),
    ...[...wholes, Number.MAX_SAFE_INTEGER, 2 ** 53].flatMap((number) => [
      { totals: [{ ...totalsLine, count: number }] },
      { totals: [{ ...totalsLine, amount: number }] },
    ]),
    ...[100, 101].map((length) => ({
      totals: currencies.slice(0, length).map((currency) => ({ ...totalsLine, currency })),
    })),
    // That a line is named twice, JSON Schema cannot say: the description does.
  ],
  PostedMessage: [
    message,
    ...broken(message),
    ...texts.map((text) => ({ ...message, text })),
    ...['😀'.repeat(4000), '😀'.repeat(4001), '\uD83D', '\uDE00', 'a\uD83Db', '\uDE00\uD83D', 'a\nb'].map(
      (text) => ({
        ...message,
        text,
      }),
    ),
    ...identifiers.map((clientMessageId) => ({ ...message, clientMessageId })),
    ...['Bob', 'bob smith', 'x'.repeat(65)].map((to) => ({ ...message, to })),
  ],
};

/** What is no such object, and the object with each member missing, of another type, and with one too many. */
function broken(good: Readonly<Json>): unknown[] {
  return [
    ...[null, [], {}, 'text', 1],
    ...Object.keys(good).flatMap((name) => [
      Object.fromEntries(Object.entries(good).filter(([other]) => other !== name)),
      ...[null, 1, 'text', {}, []].map((value) => ({ ...good, [name]: value })),
    ]),
    { ...good, extra: 1 },
  ];
}

test.each(Object.keys(examples) as SchemaName[])(
  '%s accepts what its handler does, and nothing else',
  (name) => {
    const document = documentWith(name);
    const schema = document.components.schemas[name] as Json;
    const told = { accepted: 0, refused: 0 };
    for (const value of examples[name] ?? []) {
      const accepted = v.is(schemas[name], value);
      told[accepted ? 'accepted' : 'refused'] += 1;
      const faults = faultsOf(value, schema, { document });
      if ((faults.length === 0) !== accepted) {
        throw new Error(
          `${JSON.stringify(value)} is ${accepted ? 'accepted' : 'refused'}, the document says: ${faults.join('; ') || 'accepted'}`,
        );
      }
    }
    expect(told.accepted).toBeGreaterThan(0);
    expect(told.refused).toBeGreaterThan(0);
  },
);

test('every request body has examples here', () => {
  const text = JSON.stringify(
    apiNames.flatMap(operationsOf).map(({ operation }) => operation['requestBody'] ?? {}),
  );
  const named = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => String(name));
  expect(new Set(named)).toEqual(
    new Set(['FxRates', 'MerchantProfile', 'PostedMessage', 'Review', 'TerminalTotals', 'Transaction']),
  );
  for (const name of named) expect(examples).toHaveProperty(name);
});

test('what JSON Schema cannot count is described', () => {
  // 101 characters, 202 UTF-16 code units.
  expect(v.is(schemas.MerchantProfile, { ...profile, name: '😀'.repeat(101) })).toBe(false);
  for (const pointer of ['MerchantProfile/properties/name', 'FxRates/properties/source']) {
    expect(resolved(`#/components/schemas/${pointer}`, documents['card-settlement'])).toMatchObject({
      maxLength: 200,
      description: expect.stringContaining('UTF-16'),
    });
  }
});
