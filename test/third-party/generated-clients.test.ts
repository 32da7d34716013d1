import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { apiNames, documentFile } from '../../tools/openapi/document.ts';
import { userTokensOf } from '../../cli/shared/tokens.ts';
import { type Ended, program } from '../end-to-end/command.ts';
import { startSystem, type System } from '../end-to-end/system.ts';
import { describeJudge } from './judges/judge.ts';
import { HOW_TO_INSTALL, NPM_PROGRAMS, npmCommand, pythonCommand, pythonFolder } from './judges/programs.mjs';

/**
 * Goal: the documents are good enough for clients that other people's generators make of them. Method: each client makes
 * a sale, the same again, and one that is refused; then a message, and reads what waits for its recipient.
 */

const folder = mkdtempSync(join(tmpdir(), 'duotempo-clients-'));

const openApiTypescript = npmCommand('openapi-typescript');
const openApiPythonClient = pythonCommand('openapi-python-client');

let system: System | undefined;
/** What the clients get to know of the host. */
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  if (openApiTypescript === undefined && openApiPythonClient === undefined) return;
  system = await startSystem();
  const { DuotempoCardSettlement, DuotempoChat } = system.outputs;
  env = {
    CARD_URL: DuotempoCardSettlement.ApiUrl,
    CHAT_URL: DuotempoChat.ApiUrl,
    GATEWAY: await system.token('gateway'),
    ALICE: await userTokensOf('alice', system.outputs).get(),
    BOB: await userTokensOf('bob', system.outputs).get(),
  };
});
afterAll(async () => {
  await system?.stop();
  rmSync(folder, { recursive: true });
});

/** What each client prints. @param name in keys and texts, so that one client's are not another's */
function said(name: string) {
  const hash = expect.stringMatching(/^[0-9a-f]{32}$/);
  return {
    sale: { status: 201, replayed: null, transactionId: hash, staged: 'staged' },
    again: { status: 200, replayed: 'true', transactionId: hash, staged: 'staged' },
    refused: { status: 400, pointers: ['/merchantId'] },
    message: { status: 201, sequence: expect.any(Number) },
    waiting: { status: 200, texts: expect.arrayContaining([`hello from ${name}`]) },
  };
}

function succeeded({ exitCode, stdout, stderr }: Ended): string {
  if (exitCode !== 0) throw new Error(`It ended with ${exitCode}:\n${stdout}${stderr}`);
  return stdout;
}

describeJudge(
  'a client of openapi-typescript',
  openApiTypescript === undefined ? HOW_TO_INSTALL : undefined,
  (tally) => {
    const project = join(folder, 'typescript');

    async function compiled(): Promise<Ended> {
      const tsc = join(NPM_PROGRAMS.folder, 'node_modules', '.bin', 'tsc');
      return program(tsc, ['--project', project], { folder: project });
    }

    test('makes a sale and a message', async () => {
      for (const api of apiNames) {
        const output = join(project, `${api}.ts`);
        succeeded(await program(String(openApiTypescript), [documentFile(api), '--output', output]));
      }
      symlinkSync(join(NPM_PROGRAMS.folder, 'node_modules'), join(project, 'node_modules'));
      writeFileSync(join(project, 'package.json'), '{"type":"module"}');
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
      writeFileSync(join(project, 'client.ts'), typescriptClient);
      succeeded(await compiled());
      const client = await program(process.execPath, [join(project, 'client.js')], { env });
      expect(JSON.parse(succeeded(client))).toEqual(said('typescript'));
      tally.agree(Object.keys(said('typescript')).length);
    });

    test('does not compile with a field that the document lacks', async () => {
      writeFileSync(join(project, 'wrong.ts'), typescriptClient.replace('cardToken:', 'cardNumber:'));
      const { exitCode, stdout } = await compiled();
      expect(exitCode).not.toBe(0);
      expect(stdout).toContain('cardNumber');
    });
  },
);

const compilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: 'es2022',
  lib: ['es2022', 'dom'],
  module: 'nodenext',
  types: [],
};

const typescriptClient = `
import createClient from 'openapi-fetch';
import type { paths as CardPaths } from './card-settlement.js';
import type { paths as ChatPaths } from './chat.js';

declare const process: { env: Record<string, string> };
const { CARD_URL, CHAT_URL, GATEWAY, ALICE, BOB } = process.env as Record<string, string>;

const as = (token: string | undefined) => ({ headers: { authorization: 'Bearer ' + token } });
const card = createClient<CardPaths>({ baseUrl: String(CARD_URL), ...as(GATEWAY) });
const sale = {
  merchantId: 'mer_corner_shop',
  terminalId: 'till-1',
  type: 'sale',
  cardToken: 'tok_1',
  amount: 497,
  currency: 'USD',
  merchantCategoryCode: '5411',
  occurredAt: new Date().toISOString(),
} as const;
const params = { header: { 'Idempotency-Key': 'typescript-1' } };

async function post() {
  const { data, response } = await card.POST('/transactions', { params, body: sale });
  return {
    status: response.status,
    replayed: response.headers.get('idempotent-replayed'),
    transactionId: data?.transactionId,
    staged: data?.status,
  };
}

async function refuse() {
  const body = { ...sale, merchantId: 'no identifier' };
  const { error, response } = await card.POST('/transactions', { params, body });
  const pointers = error !== undefined && 'errors' in error ? error.errors?.map(({ pointer }) => pointer) : [];
  return { status: response.status, pointers };
}

async function write() {
  const chat = createClient<ChatPaths>({ baseUrl: String(CHAT_URL), ...as(ALICE) });
  const body = { to: 'bob', text: 'hello from typescript', clientMessageId: 'typescript-1' };
  const { data, response } = await chat.POST('/messages', { body });
  return { status: response.status, sequence: data?.sequence };
}

async function readWhatWaits() {
  const chat = createClient<ChatPaths>({ baseUrl: String(CHAT_URL), ...as(BOB) });
  for (let attempt = 1; ; attempt++) {
    const { data, response } = await chat.GET('/notifications', { params: { query: { limit: 10 } } });
    const texts = data?.items.map(({ text }) => text);
    const isDone = texts?.includes('hello from typescript') !== false || attempt === 600;
    if (isDone) return { status: response.status, texts };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const [saleSaid, again, refused, message] = [await post(), await post(), await refuse(), await write()];
console.log(JSON.stringify({ sale: saleSaid, again, refused, message, waiting: await readWhatWaits() }));
`;

describeJudge(
  'a client of openapi-python-client',
  openApiPythonClient === undefined ? HOW_TO_INSTALL : undefined,
  (tally) => {
    test('makes a sale and a message', async () => {
      const bin = join(pythonFolder('openapi-python-client'), 'bin');
      for (const api of apiNames) {
        succeeded(
          await program(
            String(openApiPythonClient),
            [
              ...['generate', '--path', resolve(documentFile(api)), '--meta', 'none', '--fail-on-warning'],
              ...['--output-path', join(folder, api.replace('-', '_'))],
            ],
            // Its formatter lies beside it.
            { folder, env: { PATH: `${bin}:${dirname(process.execPath)}:${process.env['PATH']}` } },
          ),
        );
      }
      writeFileSync(join(folder, 'client.py'), pythonClient);
      // What a generated client needs, its generator needs, too.
      const client = await program(join(bin, 'python'), [join(folder, 'client.py')], { env });
      expect(JSON.parse(succeeded(client))).toEqual(said('python'));
      tally.agree(Object.keys(said('python')).length);
    });
  },
);

const pythonClient = `
import datetime
import json
import os
import time

from card_settlement import AuthenticatedClient as CardClient
from card_settlement.api.transactions import post_transaction
from card_settlement.models import CurrencyCode, Transaction, TransactionType
from chat import AuthenticatedClient as ChatClient
from chat.api.messages import post_message
from chat.api.notifications import list_notifications
from chat.models import PostedMessage

card = CardClient(base_url=os.environ["CARD_URL"], token=os.environ["GATEWAY"])
sale = Transaction(
    merchant_id="mer_corner_shop",
    terminal_id="till-1",
    type_=TransactionType.SALE,
    card_token="tok_1",
    amount=497,
    currency=CurrencyCode.USD,
    merchant_category_code="5411",
    occurred_at=datetime.datetime.now(datetime.timezone.utc),
)


def post():
    answer = post_transaction.sync_detailed(client=card, body=sale, idempotency_key="python-1")
    return {
        "status": answer.status_code,
        "replayed": answer.headers.get("idempotent-replayed"),
        "transactionId": answer.parsed.transaction_id,
        "staged": answer.parsed.status,
    }


def refuse():
    body = Transaction.from_dict({**sale.to_dict(), "merchantId": "no identifier"})
    answer = post_transaction.sync_detailed(client=card, body=body, idempotency_key="python-2")
    return {"status": answer.status_code, "pointers": [error.pointer for error in answer.parsed.errors]}


def write():
    chat = ChatClient(base_url=os.environ["CHAT_URL"], token=os.environ["ALICE"])
    body = PostedMessage(to="bob", text="hello from python", client_message_id="python-1")
    answer = post_message.sync_detailed(client=chat, body=body)
    return {"status": answer.status_code, "sequence": answer.parsed.sequence}


def read_what_waits():
    chat = ChatClient(base_url=os.environ["CHAT_URL"], token=os.environ["BOB"])
    for attempt in range(600):
        answer = list_notifications.sync_detailed(client=chat, limit=10)
        texts = [item.text for item in answer.parsed.items]
        if "hello from python" in texts:
            break
        time.sleep(0.1)
    return {"status": answer.status_code, "texts": texts}


said = {"sale": post(), "again": post(), "refused": refuse(), "message": write()}
print(json.dumps({**said, "waiting": read_what_waits()}))
`;
