import { tableNames } from './environment.ts';
import {
  cardIndexAttributes,
  smallAmountIndexAttributes,
  stagedIndexAttributes,
  tables,
} from '../../../lambda/card-settlement/contract.ts';
import { keySchema, tableOf, type Tables } from '../tables.ts';

/** The card half's tables, as its stack declares them. */
export async function createTables({ createTable }: Tables): Promise<void> {
  const { partitionKey, byBusinessDate, byCard, bySmallAmount } = tables.stagedTransactions;
  const indexes = [
    { ...byBusinessDate, attributes: stagedIndexAttributes },
    { ...byCard, attributes: cardIndexAttributes },
    { ...bySmallAmount, attributes: smallAmountIndexAttributes },
  ];
  await createTable({
    ...tableOf(
      tableNames.staged,
      [partitionKey],
      indexes.flatMap((index) => [index.partitionKey, index.sortKey]),
    ),
    GlobalSecondaryIndexes: indexes.map((index) => ({
      IndexName: index.name,
      KeySchema: keySchema([index.partitionKey, index.sortKey]),
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...index.attributes] },
    })),
  });
  const { byHeld, ...ledger } = tables.ledger;
  await createTable({
    ...tableOf(
      tableNames.ledger,
      [ledger.partitionKey, ledger.sortKey],
      [byHeld.partitionKey, byHeld.sortKey],
    ),
    GlobalSecondaryIndexes: [
      {
        IndexName: byHeld.name,
        KeySchema: keySchema([byHeld.partitionKey, byHeld.sortKey]),
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  });
  for (const [name, keys] of [
    [tableNames.businessDays, tables.businessDays],
    [tableNames.merchants, tables.merchants],
  ] as const) {
    await createTable(tableOf(name, [keys.partitionKey, keys.sortKey]));
  }
}
