import * as v from 'valibot';
import { describeRefusal, type ApiResponse, type CallApi } from '../shared/api.ts';
import { CommandError } from '../shared/command-error.ts';
import { forEachConcurrently } from '../shared/concurrency.ts';

const entrySchema = v.object({
  transactionId: v.string(),
  status: v.string(),
  rules: v.array(v.object({ rule: v.string() })),
});
const viewSchema = v.object({ entries: v.array(entrySchema) });
const pageSchema = v.object({ items: v.array(entrySchema), cursor: v.optional(v.string()) });

/** What settlement made of a transaction: where it went, and the rules that it met. */
export type Verdict = v.InferOutput<typeof entrySchema>;

/**
 * A merchant's entries of a date lie in 16 partitions, which cost as much to look through as some transactions to get:
 * for so many it pays.
 */
const worthListing = 8;

/**
 * Reads the ledger's entries of transactions on a date: those of a merchant with many as pages, the others one by one.
 *
 * @param options.merchants identifiers of transactions by merchant; entries of others may come, too
 */
export async function readVerdicts(options: {
  readonly call: CallApi;
  readonly date: string;
  readonly merchants: ReadonlyMap<string, readonly string[]>;
  readonly concurrency: number;
  readonly onVerdict: (verdict: Verdict) => void;
}): Promise<void> {
  const { call, date, merchants, concurrency, onVerdict } = options;
  const read = async (reading: AsyncIterable<Verdict>): Promise<void> => {
    for await (const verdict of reading) onVerdict(verdict);
  };
  const readings = [...merchants].flatMap(([merchantId, transactionIds]) =>
    transactionIds.length >= worthListing
      ? [() => listed(call, date, merchantId)]
      : transactionIds.map((transactionId) => () => ofTransaction(call, transactionId)),
  );
  await forEachConcurrently(readings, concurrency, async (reading) => read(reading()));
}

async function* ofTransaction(call: CallApi, transactionId: string): AsyncGenerator<Verdict> {
  const path = `/transactions/${transactionId}`;
  yield* parsed(viewSchema, await call({ method: 'GET', path }), path).entries;
}

async function* listed(call: CallApi, date: string, merchantId: string): AsyncGenerator<Verdict> {
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: '100', ...(cursor === undefined ? {} : { cursor }) });
    const path = `/settlements/${date}/merchants/${encodeURIComponent(merchantId)}`;
    const page = parsed(pageSchema, await call({ method: 'GET', path: `${path}?${query.toString()}` }), path);
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

function parsed<S extends v.GenericSchema>(schema: S, response: ApiResponse, path: string): v.InferOutput<S> {
  if (response.status !== 200)
    throw new CommandError(`${path} cannot be read: ${describeRefusal(response)}.`);
  const answer = v.safeParse(schema, response.body);
  if (answer.success) return answer.output;
  throw new CommandError(`The API's answer to ${path} is not understood: ${answer.issues[0].message}`);
}
