import { InvalidArgumentError } from 'commander';
import { createPrompt, describeTally, pastOf, reviewEach } from './review/conversation.ts';
import { describeHeld } from './review/describe.ts';
import { allHeld, decide, type Action, type Held } from './review/held.ts';
import { withApi, type CallApi } from './shared/api.ts';
import { CommandError, usageError } from './shared/command-error.ts';
import { businessDate, createDeploymentCommand, defineCommand } from './shared/command.ts';
import { findDeployment, type DeploymentOptions } from './shared/outputs.ts';
import { colorsFor, countOf, print, printable } from './shared/screen.ts';

interface ReviewOptions extends DeploymentOptions {
  readonly date?: string;
  readonly list?: true;
  readonly release?: string;
  readonly reject?: string;
  readonly reason?: string;
  readonly json?: true;
}

export const run = defineCommand<ReviewOptions>(
  createDeploymentCommand(
    'review',
    'Shows the transactions that the fraud rules hold, with what held them, and asks about each:\nrelease it, reject it, or skip it. Without a terminal it lists them.',
  )
    .option('--date <date>', 'only those of this business date', businessDate)
    .option('--list', 'list them, and ask nothing')
    .option('--release <transactionId>', 'release this one (with --reason)', identifier)
    .option('--reject <transactionId>', 'reject this one (with --reason)', identifier)
    .option('--reason <text>', 'why: 1 to 200 characters', reasonText)
    .option('--json', 'print JSON and nothing else; implies --list'),
  async ({ options, context }) => {
    const decision = decisionIn(options);
    const { outputs } = await findDeployment(options, context);
    await withApi(outputs, 4, async (api) => {
      const call = api.as.operator;
      if (decision !== undefined) return decideOne(call, decision, options.json === true);
      const items = await allHeld(call, options.date);
      if (options.json) print(JSON.stringify({ items }));
      else if (items.length === 0) print('Nothing waits for review.');
      else if (options.list || !process.stdin.isTTY || !process.stdout.isTTY) list(items);
      else await converse(call, items);
    });
    return 0;
  },
);

interface Decision {
  readonly transactionId: string;
  readonly action: Action;
  readonly reason: string;
}

function decisionIn({ release, reject, reason, date, list: lists }: ReviewOptions): Decision | undefined {
  if (release !== undefined && reject !== undefined)
    throw usageError('A transaction is released or rejected: name --release or --reject.');
  const transactionId = release ?? reject;
  if (transactionId === undefined) {
    if (reason === undefined) return undefined;
    throw usageError('--reason belongs to --release or --reject.');
  }
  if (reason === undefined) throw usageError('A decision needs a reason: --reason <text>.');
  if (date !== undefined || lists) throw usageError('--date and --list do not go with a decision.');
  return { transactionId, action: release === undefined ? 'reject' : 'release', reason };
}

async function decideOne(
  call: CallApi,
  { transactionId, action, reason }: Decision,
  json: boolean,
): Promise<void> {
  const decided = await decide(call, transactionId, action, reason);
  if (!decided.done) throw new CommandError(`${transactionId} is not ${pastOf[action]}: ${decided.reason}.`);
  print(
    json
      ? JSON.stringify(decided.body)
      : `${transactionId} is ${pastOf[action]}, in the books of ${printable(decided.businessDate)}; its next run books it.`,
  );
}

function list(items: readonly Held[]): void {
  const colors = colorsFor(process.stdout);
  for (const held of items) print(`${describeHeld(held, colors)}\n`);
  print(
    `${countOf(items.length, 'transaction')} to review. --release <transactionId> --reason <text> releases one, --reject rejects it.`,
  );
}

async function converse(call: CallApi, items: readonly Held[]): Promise<void> {
  const prompt = createPrompt(process.stdin, process.stdout);
  try {
    const tally = await reviewEach(items, {
      ask: prompt.ask,
      say: print,
      colors: colorsFor(process.stdout),
      decide: async (...decision) => decide(call, ...decision),
    });
    print(`\n${describeTally(tally, items.length)}`);
  } finally {
    prompt.close();
  }
}

function identifier(text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It is the transactionId that --list shows.');
}

function reasonText(text: string): string {
  const reason = text.trim();
  if (reason !== '' && reason.length <= 200) return reason;
  throw new InvalidArgumentError('It has 1 to 200 characters.');
}
