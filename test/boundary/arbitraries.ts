import * as fc from 'fast-check';

/** What an enemy, a beginner or a broken client may send in the place of what is right. */

/**
 * One seed, so that a failure comes again; fast-check prints it with the smallest input that fails. Who looks for more
 * sets DUOTEMPO_FUZZ_SEED to another, and DUOTEMPO_FUZZ_RUNS to how many times as many runs there shall be.
 */
export function runs(numRuns: number): { readonly seed: number; readonly numRuns: number } {
  return {
    seed: Number(process.env['DUOTEMPO_FUZZ_SEED'] ?? 20_261_122),
    numRuns: numRuns * Number(process.env['DUOTEMPO_FUZZ_RUNS'] ?? 1),
  };
}

const words = (line: string): string[] => line.split(' ');

const CARD_NUMBER = '4111111111111111';

/** Numerals that no `JSON.stringify` writes; they stand in a value as text and are unwrapped when it is written. */
const RAW = '\u0001raw:';

const numeral = fc.constantFrom(
  ...words('1e999 -1e999 1e-999 1e-200 5e-324 -0 0.1 1E400 123456789012345678901234567890'),
  ...words('9007199254740993 1.7976931348623157e308 6304000000000000000 4.111111111111111e15 1e12 -1 0'),
);

export const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 70 }),
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\u0000',
      '\ud800',
      'a\udfffb',
      '\ufeff',
      '\uffff',
      '\u2028',
      '\u202e',
      '\u0085',
      '💥',
      'é',
      'ﷺ',
    ],
    ...words('__proto__ constructor toString hasOwnProperty null undefined NaN true'),
    '[object Object]',
    ...[
      '../../etc/passwd',
      '%00',
      '%2e%2e%2f',
      '\r\nX-Injected: 1',
      '$(id)',
      "' OR '1'='1",
      '{{7*7}}',
      '<$.dynamodb>',
    ],
    ...words('#decision a#decision 2026-02-30 9999-12-31 0000-00-00 1969-12-31 +010000-01-01 24:00'),
    ...[
      CARD_NUMBER,
      `tok ${CARD_NUMBER}`,
      'x'.repeat(65),
      'x'.repeat(300),
      '9'.repeat(200),
      '\u0301'.repeat(80),
    ],
    ...words('2026-03-10T12:00:00.123456789Z 2026-03-10t12:00:00z 2026-03-10T12:00:00-23:59 1e3 0x10 ١٢٣'),
  ),
);

const name = fc.oneof(
  fc.constantFrom(
    ...words('__proto__ constructor prototype toString length'),
    '',
    ...words('$ a.b 0 amount type'),
  ),
  fc.string({ maxLength: 20 }),
);

const deep = fc
  .record({ depth: fc.integer({ min: 10, max: 3000 }), open: fc.constantFrom('[', '{"a":') })
  .map(({ depth, open }) => `${RAW}${open.repeat(depth)}1${(open === '[' ? ']' : '}').repeat(depth)}`);

export const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.oneof(fc.double({ noDefaultInfinity: true, noNaN: true }), fc.integer(), fc.maxSafeInteger()),
    numeral.map((digits) => `${RAW}${digits}`),
    fc.constantFrom(null, true, false),
    deep,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
  ),
})).value;

export function json(something: unknown): string {
  const written = JSON.stringify(something) ?? 'null';
  return written.replaceAll(
    /"\\u0001raw:((?:[^"\\]|\\.)*)"/g,
    (_, raw: string) => JSON.parse(`"${raw}"`) as string,
  );
}

type Path = readonly (string | number)[];

function pathsOf(something: unknown, at: Path = []): Path[] {
  if (typeof something !== 'object' || something === null) return [at];
  return [at, ...Object.entries(something).flatMap(([key, member]) => pathsOf(member, [...at, key]))];
}

function changed(something: unknown, path: Path, change: (member: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(something);
  // An earlier change has put something else here.
  if (typeof something !== 'object' || something === null) return something;
  if (Array.isArray(something)) {
    return something.map((member: unknown, index) =>
      String(index) === key ? changed(member, rest, change) : member,
    );
  }
  return Object.fromEntries(
    Object.entries(something).flatMap(([each, member]: [string, unknown]) => {
      if (each !== key) return [[each, member]];
      const after = changed(member, rest, change);
      return after === REMOVED ? [] : [[each, after]];
    }),
  );
}

const REMOVED = Symbol('removed');

/** Small steps away from what is right: a case, a character, one more, another sign, another type. */
function nudged(member: unknown, how: number): unknown {
  if (typeof member === 'string') {
    const ways = [
      member.toLowerCase(),
      member.toUpperCase(),
      ` ${member}`,
      `${member}\u0000`,
      member.slice(1),
      member.slice(0, -1),
      member + member,
      `${member}#decision`,
      Number(member),
      [member],
      { value: member },
    ];
    return ways[how % ways.length];
  }
  if (typeof member === 'number') {
    const ways = [
      member + 1,
      -member,
      member + 0.5,
      member * 1e10,
      member / 1e10,
      String(member),
      `${RAW}${member}e0`,
    ];
    return ways[how % ways.length];
  }
  return how % 2 === 0 ? [member] : null;
}

/** Something valid with one to three changes, as JSON. Some results are still valid. */
export function mutated(valid: unknown): fc.Arbitrary<string> {
  const paths = pathsOf(valid);
  const change = fc.record({
    path: fc.constantFrom(...paths),
    kind: fc.constantFrom('replace', 'replace', 'remove', 'nudge', 'nudge', 'add', 'repeat'),
    by: value,
    name,
    how: fc.nat(100),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let result = valid;
    let repeated = '';
    for (const { path, kind, by, name: added, how } of changes) {
      if (kind === 'repeat') repeated += `,${JSON.stringify(path.at(0) ?? added)}:${json(by)}`;
      result = changed(result, path, (member) => {
        if (kind === 'replace') return by;
        if (kind === 'remove') return path.length === 0 ? {} : REMOVED;
        if (kind === 'nudge') return nudged(member, how);
        if (kind !== 'add' || typeof member !== 'object' || member === null) return member;
        return Array.isArray(member)
          ? [...(member as unknown[]), by]
          : Object.fromEntries([...Object.entries(member), [added, by]]);
      });
    }
    const written = json(result);
    // A member that comes twice: which of the two counts must not matter to anything.
    return repeated !== '' && written.endsWith('}') && written !== '{}'
      ? `${written.slice(0, -1)}${repeated}}`
      : written;
  });
}

/** Bytes of a body: JSON that is mutated, broken, or none at all. */
export function body(valid: unknown): fc.Arbitrary<Buffer> {
  const good = mutated(valid);
  const bytes = (something: string): Buffer => Buffer.from(something, 'utf8');
  return fc.oneof(
    { weight: 6, arbitrary: good.map(bytes) },
    { weight: 2, arbitrary: value.map((each) => bytes(json(each))) },
    {
      weight: 1,
      arbitrary: fc.tuple(good, fc.nat()).map(([each, at]) => bytes(each.slice(0, at % (each.length + 1)))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)) },
    {
      weight: 1,
      arbitrary: fc.tuple(good, fc.nat(), fc.integer({ min: 128, max: 255 })).map(([each, at, byte]) => {
        const broken = bytes(each);
        if (broken.length > 0) broken[at % broken.length] = byte;
        return broken;
      }),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(good, fc.constantFrom('utf16le', 'base64', 'latin1', 'hex'))
        .map(([each, encoding]) =>
          encoding === 'base64' || encoding === 'hex'
            ? bytes(bytes(each).toString(encoding))
            : Buffer.from(each, encoding as BufferEncoding),
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(good, fc.constantFrom('\ufeff', ' ', '\n', '{}', ',', '\u0000', '//'))
        .map(([each, more]) => bytes(`${more}${each}${more}`)),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 10, max: 80_000 }).map((length) => bytes(`"${'x'.repeat(length)}"`)),
    },
  );
}

export const contentType = fc.constantFrom(
  ...[
    'application/json',
    'application/json; charset=utf-16',
    'text/plain',
    'application/x-www-form-urlencoded',
    '',
  ],
  ...[
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/problem+json',
    'image/png',
    'nonsense',
  ],
);

/** What may stand in a header: Latin-1 without control characters. */
export const headerValue = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    ',',
    '*',
    '*/*',
    'text/csv',
    'text/csv;q=0,application/json',
    'é',
    'x'.repeat(2000),
    CARD_NUMBER,
    '\u00ff',
  ),
  fc.string({ maxLength: 60 }).map((each) => each.replaceAll(/[^\u0020-\u007e\u00a0-\u00ff]/g, '~')),
);

export const headers = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        ...words('accept idempotency-key content-encoding x-http-method-override x-forwarded-for cookie'),
        ...words('if-match range constructor __proto__ tostring x-amzn-trace-id forwarded x-original-url'),
      ),
      headerValue,
    ),
    { maxLength: 4 },
  )
  .map((each): Record<string, string> => Object.fromEntries(each));

/** A part of a path, encoded in one way or another. */
export const pathPart = fc
  .tuple(
    fc.oneof(text, fc.constantFrom('abc', '..', '.', '0'.repeat(32), 'a;b=c', 'a?b', 'x'.repeat(2000))),
    fc.constantFrom('encoded', 'twice', 'raw', 'lower'),
  )
  .map(([part, how]) => {
    const encoded = percentEncoded(part);
    if (how === 'twice') return percentEncoded(encoded);
    if (how === 'lower') return encoded.toLowerCase();
    // As it is, but for what no HTTP client can send.
    return how === 'raw'
      ? part.replaceAll(/[^\u0021-\u00ff]|[?#]/g, (each) => percentEncoded(each))
      : encoded;
  });

export const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(...words('limit cursor after status businessDate token __proto__ constructor x'), ''),
      fc.oneof(
        text,
        fc.constantFrom('1', '50', '100', '101', '0', '-1', 'held', '2026-11-22', 'MQ', 'e30', 'W10'),
      ),
    ),
    { maxLength: 4 },
  )
  .map((pairs) => {
    const written = pairs.map(([key, each]) => `${percentEncoded(key)}=${percentEncoded(each)}`).join('&');
    return written === '' ? '' : `?${written}`;
  });

/** By byte, so that half a surrogate pair can be sent, too. */
function percentEncoded(part: string): string {
  return part.replaceAll(/[^A-Za-z0-9_.~-]/gu, (each) =>
    [...Buffer.from(each, 'utf8')]
      .map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)
      .join(''),
  );
}

/** A cursor that is nearly one: the JSON in it changed, its characters changed, or another list's. */
export function cursor(valid: readonly string[]): fc.Arbitrary<string> {
  const encoded = (content: string): string => Buffer.from(content, 'utf8').toString('base64url');
  return fc.oneof(
    fc.constantFrom(...valid).chain((each) => {
      const content: unknown = JSON.parse(Buffer.from(each, 'base64url').toString('utf8'));
      return mutated(content).map(encoded);
    }),
    fc.constantFrom(...valid),
    fc
      .tuple(fc.constantFrom(...valid), fc.nat(), fc.constantFrom('A', '_', '-', 'z', '='))
      .map(([each, at, other]) => {
        const place = at % each.length;
        return `${each.slice(0, place)}${other}${each.slice(place + 1)}`;
      }),
    value.map((each) => encoded(json(each))),
    text.map(percentEncoded),
  );
}
