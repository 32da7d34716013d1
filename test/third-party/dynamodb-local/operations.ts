import type { AttributeValue, DynamoDB } from '@aws-sdk/client-dynamodb';
import { seededChance } from '../../../cli/demo/random.ts';
import type { AppExpressions } from './app-expressions.ts';

type Item = Record<string, AttributeValue>;
type Input = Readonly<Record<string, unknown>>;

/** One call, to be sent to both sides. */
export interface Operation {
  readonly action: string;
  readonly input: Input;
  readonly send: (client: DynamoDB) => Promise<object>;
}

const index = (IndexName: string, keys: readonly string[], Projection: object) => ({
  IndexName,
  KeySchema: keys.map((AttributeName, place) => ({
    AttributeName,
    KeyType: place === 0 ? ('HASH' as const) : ('RANGE' as const),
  })),
  Projection,
});

export const TABLE_REQUEST = {
  TableName: 'Differential',
  BillingMode: 'PAY_PER_REQUEST' as const,
  AttributeDefinitions: ['pk', 'sk', 'g', 'h', 'n'].map((AttributeName) => ({
    AttributeName,
    AttributeType: AttributeName === 'n' ? ('N' as const) : ('S' as const),
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' as const },
    { AttributeName: 'sk', KeyType: 'RANGE' as const },
  ],
  GlobalSecondaryIndexes: [
    index('gAll', ['g', 'sk'], { ProjectionType: 'ALL' }),
    index('gInclude', ['g', 'n'], { ProjectionType: 'INCLUDE', NonKeyAttributes: ['a', 'm'] }),
    index('gKeys', ['h'], { ProjectionType: 'KEYS_ONLY' }),
  ],
  LocalSecondaryIndexes: [
    index('lKeys', ['pk', 'n'], { ProjectionType: 'KEYS_ONLY' }),
    index('lInclude', ['pk', 'h'], { ProjectionType: 'INCLUDE', NonKeyAttributes: ['a'] }),
  ],
};

const INDEXES = [
  { name: undefined, keys: ['pk', 'sk'] },
  { name: 'gAll', keys: ['g', 'sk'] },
  { name: 'gInclude', keys: ['g', 'n'] },
  { name: 'gKeys', keys: ['h'] },
  { name: 'lKeys', keys: ['pk', 'n'] },
  { name: 'lInclude', keys: ['pk', 'h'] },
] as const;

/** Operations one after the other, the same for the same seed. */
export function operations(by: {
  readonly seed: number;
  readonly table: string;
  readonly app: AppExpressions;
}): () => Operation {
  const { table, app } = by;
  const { whole, pick, percent: chance } = seededChance(by.seed);
  const int = (below: number): number => whole(0, below - 1);
  const some = <T>(most: number, make: () => T): T[] => Array.from({ length: int(most + 1) }, make);

  const attributes = ['a', 'b', 'm', 'l', 's', 'g', 'h', 'n', ...app.attributes];
  /** DynamoDB Local lets an update give a key of an index any type, so the random ones leave them alone. */
  const unindexed = attributes.filter((name) => !['g', 'h', 'n'].includes(name));
  const texts = ['a', 'b', 'ab', 'é', '😀', '2026-11-24', 'z'.repeat(40)];
  const text = (): AttributeValue => ({ S: chance(4) ? '' : pick(texts) });
  const number = (): AttributeValue => ({
    N: chance(3)
      ? pick(['1e126', '-1e-131', '1'.repeat(39), 'x', '', '9'.repeat(38), '9e125'])
      : pick(['0', '1', '2', '-1', '10', '1.50', '0.1', '+7', '1e20', '-1.25e-3', '123456789012345678']),
  });
  const bytes = (): Uint8Array => Uint8Array.from(some(3, () => int(256)));
  /** DynamoDB Local leaves zeros and signs of numbers within others as they were written. */
  const plainNumber = (): AttributeValue => ({
    N: pick(['0', '1', '2', '-1', '0.25', '123456789012345678']),
  });
  const value = (depth = 0): AttributeValue => {
    switch (int(depth > 2 ? 6 : 11)) {
      case 0:
      case 1:
        return text();
      case 2:
      case 3:
        return depth === 0 ? number() : plainNumber();
      case 4:
        return { BOOL: chance(50) };
      case 5:
        return { NULL: true };
      case 6:
        return { SS: [...new Set(some(3, () => pick(texts)))] };
      case 7:
        return { NS: some(3, () => plainNumber().N ?? '') };
      case 8:
        return { B: bytes() };
      case 9:
        return { L: some(3, () => value(depth + 1)) };
      default:
        return { M: Object.fromEntries(some(3, () => [pick(['a', 'b', 'x']), value(depth + 1)])) };
    }
  };
  const natural = (name: string): AttributeValue => {
    if (name === 'n' || /count|sequence|revision/i.test(name)) return number();
    if (name === 'm') return { M: { a: value(1), b: { L: some(3, () => value(2)) } } };
    if (name === 'l') return { L: some(4, () => value(1)) };
    if (name === 's') return { SS: [...new Set(['a', ...some(2, () => pick(texts))])] };
    return text();
  };
  const valueOf = (name: string): AttributeValue => (chance(90) ? natural(name) : value());
  const key = (): Item => {
    const all: Item = {
      pk: { S: pick(['p1', 'p2', 'é', 'p4']) },
      sk: { S: pick(['1', '2', '3', 'é', '😀', 'a']) },
    };
    if (chance(98)) return all;
    return pick<Item>([
      { pk: { S: 'p1' } },
      { ...all, sk: { N: '1' } },
      { ...all, pk: { S: '' } },
      { ...all, a: { S: 'a' } },
      { ...all, sk: { S: 'é'.repeat(513) } },
    ]);
  };
  const item = (): Item => {
    const more: Item = Object.fromEntries(
      some(6, () => pick(attributes)).map((name) => [name, valueOf(name)] as const),
    );
    if (chance(3)) more['big'] = { S: pick(['é', 'x']).repeat(pick([1000, 5000, 100_000, 204_700])) };
    return { ...key(), ...more };
  };

  const path = (): string =>
    chance(70)
      ? pick([...attributes, 'missing'])
      : pick(['m.a', 'm.b', 'm.b[0]', 'm.b[1]', 'l[0]', 'l[1]', 'l[0].a', 'l[9]', 'a.x', 'missing.a', 'pk']);

  const target = (): string =>
    chance(70)
      ? pick(unindexed)
      : pick(['m.a', 'm.b', 'm.b[0]', 'm.b[1]', 'l[0]', 'l[1]', 'l[0].a', 'l[9]', 'a.x', 'missing.a', 'pk']);

  /** An expression with its values, some by what the app's sources say, some by chance. */
  const scope = () => {
    const values: Item = {};
    const names: Record<string, string> = {};
    let count = 0;
    const literal = (made: AttributeValue): string => {
      const name = `:v${(count += 1)}`;
      values[name] = made;
      return name;
    };
    const operand = (like: string): string => (chance(75) ? literal(valueOf(like)) : path());
    const comparison = (): string => {
      const left = path();
      const head = left.split(/[.[]/)[0] ?? left;
      switch (int(9)) {
        case 0:
          return `attribute_exists(${left})`;
        case 1:
          return `attribute_not_exists(${left})`;
        case 2:
          return `begins_with(${left}, ${chance(80) ? literal({ S: pick(['a', 'é', '2026']) }) : path()})`;
        case 3:
          return `contains(${left}, ${operand(pick(['a', 'n']))})`;
        case 4:
          return `${left} BETWEEN ${operand(head)} AND ${operand(head)}`;
        case 5:
          return `${left} IN (${operand(head)}, ${operand(head)})`;
        case 6:
          return `size(${left}) ${pick(['=', '<', '>=', '<>'])} ${literal({ N: String(int(4)) })}`;
        case 7:
          return `attribute_type(${left}, ${literal({ S: pick(['S', 'N', 'L', 'M', 'SS', 'NULL', 'BOOL']) })})`;
        default:
          return `${left} ${pick(['=', '<>', '<', '<=', '>', '>='])} ${operand(head)}`;
      }
    };
    const odd = (depth = 0): string => {
      if (depth > 2 || chance(50)) return comparison();
      if (chance(20)) return `NOT ${comparison()}`;
      return `(${odd(depth + 1)}) ${pick(['AND', 'OR'])} (${odd(depth + 1)})`;
    };
    /** The app's own, its names and values filled in. */
    const filled = (expression: string): string => {
      for (const name of expression.match(/#\w+/g) ?? []) names[name] ??= pick(unindexed);
      for (const name of expression.match(/:\w+/g) ?? []) {
        const like = Object.values(names).at(-1) ?? 'a';
        values[name] ??= /one|count/.test(name) ? { N: '1' } : valueOf(like);
      }
      return expression;
    };
    const source = (): string => {
      if (chance(85)) return path();
      return pick(['if_not_exists(a, b)', 'list_append(l, l)', 'n + n', 'missing']);
    };
    const action = (): string => {
      const changed = target();
      const head = changed.split(/[.[]/)[0] ?? changed;
      const one = (): string => (chance(70) ? literal(valueOf(head)) : source());
      switch (int(8)) {
        case 0:
          return `SET ${changed} = if_not_exists(${path()}, ${one()})`;
        case 1:
          return `SET n = ${pick(['n', 'if_not_exists(n, n)', 'if_not_exists(n, a)', 'a'])} ${pick(['+', '-'])} ${literal(number())}`;
        case 2:
          return `SET l = list_append(${pick(['l', path()])}, ${literal({ L: some(2, () => value(1)) })})`;
        case 3:
          return `REMOVE ${chance(70) ? changed : pick(['g', 'h', 'n'])}${chance(40) ? ', l[1], l[3]' : ''}`;
        case 4:
          return chance(30)
            ? `ADD n ${literal(number())}`
            : `ADD ${pick(['s', changed])} ${literal(pick([number(), { SS: ['a', 'q'] }, { NS: ['1'] }]))}`;
        case 5:
          return `DELETE ${pick(['s', changed])} ${literal({ SS: ['a', 'é'] })}`;
        case 6: {
          const key = pick(['g', 'h', 'n']);
          return `SET ${key} = ${literal(natural(key))}`;
        }
        default:
          return `SET ${changed} = ${one()}${chance(30) ? `, l[0] = ${one()}` : ''}`;
      }
    };
    return {
      condition: (): string => (chance(50) ? filled(pick(app.conditions)) : odd()),
      update: (): string => {
        if (chance(50)) return filled(pick(app.updates));
        return [
          ...new Map(
            some(2, action)
              .concat(action())
              .map((each) => [each.split(' ')[0], each]),
          ).values(),
        ].join(' ');
      },
      projection: (): string => [...new Set([path(), ...some(2, path)])].join(', '),
      literal,
      /** Names and values that the expressions of an input have. */
      filledIn: (input: Input): Input => {
        const words = new Set(JSON.stringify(input).match(/[#:]\w+/g));
        const used = (of: object): Input =>
          Object.fromEntries(Object.entries(of).filter(([name]) => words.has(name)));
        const [ExpressionAttributeNames, ExpressionAttributeValues] = [used(names), used(values)];
        return {
          ...input,
          ...(Object.keys(ExpressionAttributeValues).length > 0 ? { ExpressionAttributeValues } : {}),
          ...(Object.keys(ExpressionAttributeNames).length > 0 ? { ExpressionAttributeNames } : {}),
        };
      },
    };
  };

  const guarded = (make: (to: ReturnType<typeof scope>) => Input, returnValues: readonly string[]): Input => {
    const to = scope();
    const own = make(to);
    const condition = chance(60) ? { ConditionExpression: to.condition() } : {};
    return {
      TableName: table,
      ...to.filledIn({ ...own, ...condition }),
      ...(chance(50) ? { ReturnValues: pick(returnValues) } : {}),
      ...(chance(40) ? { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } : {}),
      ReturnConsumedCapacity: 'INDEXES',
    };
  };
  const ALL_VALUES = ['NONE', 'ALL_OLD', 'ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW'];
  const FEW_VALUES = ['NONE', 'ALL_OLD', 'ALL_OLD', 'ALL_OLD', 'ALL_NEW'];

  const page = (to: ReturnType<typeof scope>): Input => ({
    ...(chance(30) ? { FilterExpression: to.condition() } : {}),
    ...(chance(35) ? { ProjectionExpression: to.projection() } : {}),
    ...(chance(15)
      ? { Select: pick(['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'COUNT', 'SPECIFIC_ATTRIBUTES']) }
      : {}),
    ...(chance(20) ? { ConsistentRead: true } : {}),
    ReturnConsumedCapacity: 'INDEXES',
  });
  const range = (to: ReturnType<typeof scope>, name: string): string => {
    const bound = (): string =>
      to.literal(name === 'sk' ? { S: pick(['', '1', '2', 'é', 'a']) } : valueOf(name));
    if (chance(15)) return `${name} BETWEEN ${bound()} AND ${bound()}`;
    if (chance(15)) return `begins_with(${name}, ${bound()})`;
    return `${name} ${pick(['=', '<', '<=', '>', '>='])} ${bound()}`;
  };

  const makers: readonly (() => Operation)[] = [
    () => {
      const input = guarded(() => ({ Item: item() }), FEW_VALUES);
      return { action: 'PutItem', input, send: (client) => client.putItem(input as never) };
    },
    () => {
      const input = guarded(
        (to) => ({ Key: key(), ...(chance(97) ? { UpdateExpression: to.update() } : {}) }),
        ALL_VALUES,
      );
      return {
        action: 'UpdateItem',
        input,
        send: (client) => client.updateItem(input as never),
      };
    },
    () => {
      const input = guarded(() => ({ Key: key() }), FEW_VALUES);
      return {
        action: 'DeleteItem',
        input,
        send: (client) => client.deleteItem(input as never),
      };
    },
    () => {
      const to = scope();
      const projection = chance(60) ? { ProjectionExpression: to.projection() } : {};
      const input = { TableName: table, Key: key(), ...projection, ReturnConsumedCapacity: 'INDEXES' };
      return { action: 'GetItem', input, send: (client) => client.getItem(input as never) };
    },
    () => {
      const { name, keys } = pick(INDEXES);
      const to = scope();
      const [hash, sort] = keys;
      const partition = hash === 'pk' ? { S: pick(['p1', 'p2', 'é', 'p4', 'none']) } : text();
      const condition = `${hash} = ${to.literal(partition)}`;
      const input = to.filledIn({
        TableName: table,
        IndexName: name,
        KeyConditionExpression:
          sort !== undefined && chance(50) ? `${condition} AND ${range(to, sort)}` : condition,
        ...page(to),
        ...(chance(50) ? { ScanIndexForward: chance(50) } : {}),
        // Where several entries have one key, each side has an order of its own.
        ...(chance(30) && name === undefined ? { Limit: 1 + int(3) } : {}),
      });
      return { action: 'Query', input, send: (client) => client.query(input as never) };
    },
    () => {
      const { name } = pick(INDEXES);
      const to = scope();
      const input = to.filledIn({ TableName: table, IndexName: name, ...page(to) });
      return { action: 'Scan', input, send: (client) => client.scan(input as never) };
    },
    () => {
      const keys = [key(), ...some(4, key)];
      const to = scope();
      const projection = chance(40) ? { ProjectionExpression: to.projection() } : {};
      const input = {
        RequestItems: { [table]: { Keys: keys, ...projection } },
        ReturnConsumedCapacity: 'INDEXES',
      };
      return {
        action: 'BatchGetItem',
        input,
        send: (client) => client.batchGetItem(input as never),
      };
    },
    () => {
      const writes = [
        ...some(4, () => ({ PutRequest: { Item: item() } })),
        ...(chance(50) ? [{ DeleteRequest: { Key: key() } }] : [{ PutRequest: { Item: item() } }]),
      ];
      const input = { RequestItems: { [table]: writes }, ReturnConsumedCapacity: 'INDEXES' };
      return {
        action: 'BatchWriteItem',
        input,
        send: (client) => client.batchWriteItem(input as never),
      };
    },
  ];
  const weights = [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7];
  return () => {
    const make = makers[pick(weights)];
    if (make === undefined) throw new Error('There is no such operation.');
    return make();
  };
}
