import { isCalendarDate } from '../lambda/card-settlement/domain/business-date.ts';
import { InvalidArgumentError } from 'commander';
import { type CallApi, connectToApi } from './api.ts';
import { CommandError } from './command-error.ts';
import { type CommandContext, createDeploymentCommand, parseArguments } from './command-line.ts';
import { type DeploymentOptions, findDeployment } from './outputs.ts';
import { createPrompt, describeTally, pastOf, reviewEach } from './review/conversation.ts';
import { describeHeld } from './review/describe.ts';
import { type Action, datesWithHeld, decide, type Held, heldOn } from './review/held.ts';
import { colorsFor, countOf, printable } from './screen.ts';

interface ReviewOptions extends DeploymentOptions {
  readonly date?: string;
  readonly list?: true;
  readonly release?: string;
  readonly reject?: string;
  readonly reason?: string;
  readonly json?: true;
}

/** `npm run review`: shows what the fraud rules hold, and lets an operator release or reject it. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createDeploymentCommand(
    'review',
    'Shows the transactions that the fraud rules hold, with what held them, and asks about each:\nrelease it, reject it, or skip it. Without a terminal it lists them.',
  )
    .option('--date <date>', 'only those of this business date', businessDate)
    .option('--list', 'list them, and ask nothing')
    .option('--release <transactionId>', 'release this one (with --reason)', identifier)
    .option('--reject <transactionId>', 'reject this one (with --reason)', identifier)
    .option('--reason <text>', 'why: 1 to 200 characters', reasonText)
    .option('--json', 'print JSON and nothing else; implies --list');
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<ReviewOptions>();
  const decision = decisionIn(options);
  const { outputs } = await findDeployment(options, context);
  const api = connectToApi(outputs, 4);
  try {
    const call = api.as.operator;
    if (decision !== undefined) return await decideOne(call, decision, options.json === true);
    const items = await allHeld(call, options.date);
    if (options.json) say(JSON.stringify({ items }));
    else if (items.length === 0) say('Nothing waits for review.');
    else if (options.list || !process.stdin.isTTY || !process.stdout.isTTY) list(items);
    else await converse(call, items);
    return 0;
  } finally {
    api.close();
  }
}

interface Decision {
  readonly transactionId: string;
  readonly action: Action;
  readonly reason: string;
}

function decisionIn({ release, reject, reason, date, list: lists }: ReviewOptions): Decision | undefined {
  if (release !== undefined && reject !== undefined)
    throw wrong('A transaction is released or rejected: name --release or --reject.');
  const transactionId = release ?? reject;
  if (transactionId === undefined) {
    if (reason !== undefined) throw wrong('--reason belongs to --release or --reject.');
    return undefined;
  }
  if (reason === undefined) throw wrong('A decision needs a reason: --reason <text>.');
  if (date !== undefined || lists) throw wrong('--date and --list do not go with a decision.');
  return { transactionId, action: release === undefined ? 'reject' : 'release', reason };
}

function wrong(message: string): CommandError {
  return new CommandError(message, { exitCode: 2 });
}

async function decideOne(
  call: CallApi,
  { transactionId, action, reason }: Decision,
  json: boolean,
): Promise<number> {
  const decided = await decide(call, transactionId, action, reason);
  if (!decided.done) throw new CommandError(`${transactionId} is not ${pastOf[action]}: ${decided.reason}.`);
  say(
    json
      ? JSON.stringify(decided.body)
      : `${transactionId} is ${pastOf[action]}, in the books of ${printable(decided.businessDate)}; its next run books it.`,
  );
  return 0;
}

async function allHeld(call: CallApi, date: string | undefined): Promise<Held[]> {
  const items: Held[] = [];
  for (const each of date === undefined ? await datesWithHeld(call) : [date]) {
    const ofDate: Held[] = [];
    for await (const held of heldOn(call, each)) ofDate.push(held);
    items.push(...ofDate.toSorted((one, other) => Date.parse(one.occurredAt) - Date.parse(other.occurredAt)));
  }
  return items;
}

function list(items: readonly Held[]): void {
  const colors = colorsFor(process.stdout);
  for (const held of items) say(`${describeHeld(held, colors)}\n`);
  say(
    `${countOf(items.length, 'transaction')} to review. --release <transactionId> --reason <text> releases one, --reject rejects it.`,
  );
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function converse(call: CallApi, items: readonly Held[]): Promise<void> {
  const prompt = createPrompt(process.stdin, process.stdout);
  try {
    const tally = await reviewEach(items, {
      ask: prompt.ask,
      say,
      colors: colorsFor(process.stdout),
      decide: async (...decision) => decide(call, ...decision),
    });
    say(`\n${describeTally(tally, items.length)}`);
  } finally {
    prompt.close();
  }
}

function businessDate(text: string): string {
  if (isCalendarDate(text)) return text;
  throw new InvalidArgumentError('It is a date such as 2026-01-31.');
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
