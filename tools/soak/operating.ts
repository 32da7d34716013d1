import * as v from 'valibot';
import { decisionIdOf } from '../../lambda/card-settlement/domain/identifiers.ts';
import { describeRefusal, problemTypeOf, type CallApi } from '../../cli/shared/api.ts';
import { errorMessage } from '../../cli/shared/command-error.ts';
import { reportTerminalTotals } from '../../cli/replay/terminal-totals.ts';
import type { Findings } from './findings.ts';
import { everySoOften, pause } from './pace.ts';
import type { Random } from './random.ts';
import type { SettlementBooks } from './settlement-books.ts';

const heldSchema = v.object({
  items: v.array(v.object({ transactionId: v.string(), currency: v.string() })),
});
const decisionSchema = v.object({
  decision: v.picklist(['release', 'reject']),
  businessDate: v.string(),
});

const REVIEW_PAUSE_MILLISECONDS = { minimum: 800, maximum: 2000 };
/** Held transactions that a look at the list decides on. */
const REVIEWED_AT_ONCE = 6;
/** Of the decisions: what two operators decide at the same moment, and not alike. */
const CONTESTED_RATE = 0.15;
const RECONCILE_PAUSE_MILLISECONDS = { minimum: 2000, maximum: 5000 };
const REPORT_PAUSE_MILLISECONDS = { minimum: 3000, maximum: 6000 };

export interface OperatingOptions {
  readonly operator: CallApi;
  readonly gateway: CallApi;
  readonly random: Random;
  /** The open date first. */
  readonly dates: readonly string[];
  readonly books: SettlementBooks;
  readonly findings: Findings;
  readonly signal: AbortSignal;
}

/** What goes on beside the intake: reviews of what is held, runs of the open date and of sealed ones, terminals' totals. */
export async function operate(options: OperatingOptions & { readonly seconds: number }): Promise<void> {
  const { operator, gateway, random, dates, books, findings, signal, seconds } = options;
  const [open = '', ...past] = dates;
  const reconciled = [open];
  const within = ({ minimum, maximum }: { readonly minimum: number; readonly maximum: number }): number =>
    random.whole(minimum, maximum);

  const reconcile = async (date: string): Promise<void> => {
    await note(findings, `a run of ${date}`, async () => {
      const response = await operator({ method: 'POST', path: `/business-days/${date}/reconcile` });
      if (response.status >= 300) throw new Error(describeRefusal(response));
    });
  };
  const report = async (): Promise<void> => {
    const totals = books.terminalTotals();
    if (totals.length === 0) return;
    await note(findings, "a terminal's totals", async () =>
      reportTerminalTotals({
        totals: [random.pick(totals)],
        call: gateway,
        concurrency: 1,
        onReported: () => undefined,
      }),
    );
  };
  // A run seals a past date, so that what comes late goes to the next. The last one stays for the end.
  const seal = async (): Promise<void> => {
    const sealed = past.slice(1).toReversed();
    for (const date of sealed) {
      await pause((1000 * seconds) / (sealed.length + 1), signal);
      if (signal.aborted) return;
      await reconcile(date);
      reconciled.push(date);
    }
  };

  await Promise.all([
    everySoOften(
      () => within(REVIEW_PAUSE_MILLISECONDS),
      signal,
      async () => reviewSome(random.pick(dates), options),
    ),
    everySoOften(
      () => within(RECONCILE_PAUSE_MILLISECONDS),
      signal,
      async () => reconcile(random.pick(reconciled)),
    ),
    everySoOften(() => within(REPORT_PAUSE_MILLISECONDS), signal, report),
    seal(),
  ]);
}

/** Releases and rejects some of what is held on a date. */
async function reviewSome(
  date: string,
  { operator, random, books, findings }: OperatingOptions,
): Promise<void> {
  const decide = async (
    { transactionId, currency }: { readonly transactionId: string; readonly currency: string },
    action: 'release' | 'reject',
  ): Promise<void> => {
    const response = await operator({
      method: 'POST',
      path: `/transactions/${transactionId}/${action}`,
      body: { reason: 'Looked at during a soak' },
    });
    // Its gateway, or another operator, was faster.
    if (response.status === 409 && problemTypeOf(response) === 'already-decided') return;
    const decided = v.safeParse(decisionSchema, response.body);
    if (response.status !== 200 || !decided.success) throw new Error(describeRefusal(response));
    const { decision: type, businessDate } = decided.output;
    const fact = { businessDate, currency, type, amount: 0, terminalId: undefined };
    if (!books.accept(decisionIdOf(transactionId), fact))
      findings.add('decided twice, and not alike', businessDate, transactionId);
  };
  await note(findings, 'a review', async () => {
    const response = await operator({
      method: 'GET',
      path: `/transactions?status=held&businessDate=${date}&limit=50`,
    });
    if (response.status !== 200) throw new Error(describeRefusal(response));
    const held = [...v.parse(heldSchema, response.body).items];
    const chosen = held.filter(() => random.chance(REVIEWED_AT_ONCE / Math.max(1, held.length)));
    await Promise.all(
      chosen.flatMap((transaction) => {
        const action = random.pick(['release', 'reject'] as const);
        const other = action === 'release' ? 'reject' : 'release';
        return (random.chance(CONTESTED_RATE) ? ([action, other] as const) : [action]).map((each) =>
          decide(transaction, each),
        );
      }),
    );
  });
}

/** What goes wrong here is told at the end, and stops nothing. */
async function note(findings: Findings, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    findings.add(`${what} failed: ${errorMessage(error)}`, 'operating');
  }
}
