import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable, type Item } from '../../shared/item-table.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames, tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { InterruptedSends, RunPlan } from '../domain/run-plan.ts';
import type { WalkState } from '../domain/walk-state.ts';
import { StoredLines, StoredMerchantTotals, StoredTotals } from './stored.ts';

const SCOPE = 'walk';
const keys = tables.businessDays;
/** An item takes 400 KB with its keys; the text is all ASCII. */
const CHUNK_BYTES = 380 * 1024;

export interface OpenWalk {
  readonly run: string;
  readonly part: number;
  readonly startedAt: string;
  readonly attempt: number;
  readonly waiting?: number;
  readonly plan: RunPlan;
  readonly state: WalkState;
}

const Tally = v.object({ count: v.number(), ids: v.array(v.string()) });
const Terminal = { clientId: v.string(), terminalId: v.string() };

const StoredSends = v.object({ startedAt: v.string(), all: v.boolean(), through: v.string() });

const StoredWalk = v.object({
  run: v.string(),
  part: v.number(),
  startedAt: v.string(),
  attempt: v.number(),
  waiting: v.exactOptional(v.number()),
  plan: v.object({
    sends: v.object({
      all: v.boolean(),
      sentBefore: v.exactOptional(v.string()),
      interrupted: v.exactOptional(v.object({ through: v.string(), sentBefore: v.string() })),
    }),
    overdueBefore: v.exactOptional(v.string()),
    mayBalance: v.boolean(),
  }),
  state: v.object({
    phase: v.picklist(['books', 'terminals', 'done']),
    through: v.string(),
    totals: StoredTotals,
    missing: Tally,
    overdue: Tally,
    unstaged: Tally,
    mismatched: Tally,
    merchant: v.array(StoredMerchantTotals),
    sent: v.number(),
    terminalSums: v.pipe(
      v.string(),
      v.transform((base64) => new Uint8Array(Buffer.from(base64, 'base64'))),
    ),
    terminals: v.exactOptional(
      v.object({
        count: v.number(),
        reports: v.array(v.object({ ...Terminal, totals: StoredLines })),
        staged: v.array(v.object({ ...Terminal, lines: StoredLines })),
      }),
    ),
  }),
});

const StoredPosition = v.object({
  sends: v.exactOptional(StoredSends),
  run: v.exactOptional(v.string()),
  part: v.optional(v.number(), 0),
  count: v.optional(v.number(), 0),
});

/** Apart from the day's record, which is read often. Only the lease's holder writes here, so no condition is needed. */
export function walksTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.businessDaysTable),
) {
  const table = itemTable(client, name);

  async function set(key: Item, attributes: Item): Promise<void> {
    const names = Object.keys(attributes);
    await table.update(key, {
      UpdateExpression: `SET ${names.map((each) => `#${each} = :${each}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((each) => [`#${each}`, each])),
      values: Object.fromEntries(names.map((each) => [`:${each}`, attributes[each]])),
    });
  }

  return {
    noteSends: async (businessDate: BusinessDate, sends: InterruptedSends): Promise<void> =>
      set(keyOf(businessDate), { sends }),

    /** From the last run that made a note, whether it concluded or not. */
    notedSends: async (businessDate: BusinessDate): Promise<InterruptedSends | undefined> =>
      (await table.get(keyOf(businessDate), StoredPosition))?.sends,

    /** As text, in as many items as it takes. The last save stays valid until all of them are written. */
    save: async (businessDate: BusinessDate, walk: OpenWalk): Promise<void> => {
      const text = textOf(walk);
      const count = Math.ceil(text.length / CHUNK_BYTES);
      for (let number = 0; number < count; number++) {
        const chunk = text.slice(number * CHUNK_BYTES, (number + 1) * CHUNK_BYTES);
        await set(chunkKey(businessDate, walk.part, number), { chunk });
      }
      await set(keyOf(businessDate), { run: walk.run, part: walk.part, count });
    },

    /** @throws Error if another run's walk has been saved since */
    load: async (businessDate: BusinessDate, run: string): Promise<OpenWalk> => {
      const saved = await table.get(keyOf(businessDate), StoredPosition);
      if (saved?.run !== run) throw new Error('The walk of another run has been saved since.');
      let text = '';
      for (let number = 0; number < saved.count; number++) {
        const key = chunkKey(businessDate, saved.part, number);
        text += (await table.get(key, v.object({ chunk: v.string() })))?.chunk ?? '';
      }
      return parseWritten(v.pipe(v.string(), v.parseJson(), StoredWalk), text);
    },
  };
}

export type WalksTable = ReturnType<typeof walksTable>;

function keyOf(businessDate: BusinessDate) {
  return { [keys.partitionKey]: SCOPE, [keys.sortKey]: businessDate };
}

function chunkKey(businessDate: BusinessDate, part: number, number: number) {
  return { [keys.partitionKey]: `${SCOPE}#${businessDate}`, [keys.sortKey]: `${part}-${number}` };
}

function textOf(walk: OpenWalk): string {
  return JSON.stringify(walk, (_, value: unknown) =>
    typeof value === 'bigint'
      ? String(value)
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('base64')
        : value,
  );
}
