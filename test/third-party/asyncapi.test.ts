import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { chatLiveFile } from '../../tools/asyncapi/chat-live.ts';
import { program } from '../end-to-end/command.ts';
import { describeJudge } from './judges/judge.ts';
import { HOW_TO_INSTALL, npmCommand, NPM_PROGRAMS } from './judges/programs.mjs';

/** Goal: AsyncAPI's own parser finds nothing in the document. Method: it reads it, and one that is broken on purpose. */

const script = `
  const { Parser } = require('@asyncapi/parser');
  new Parser().parse(process.argv[1]).then(({ document, diagnostics }) => {
    const operations = document?.operations().all().length ?? 0;
    console.log(JSON.stringify({ operations, diagnostics }));
  });
`;

async function parsed(
  text: string,
): Promise<{ readonly operations: number; readonly diagnostics: readonly unknown[] }> {
  const env = { NODE_PATH: join(NPM_PROGRAMS.folder, 'node_modules') };
  const { stdout, stderr } = await program(process.execPath, ['-e', script, text], { env });
  try {
    return JSON.parse(stdout);
  } catch (cause) {
    throw new Error(`The parser gave no report:\n${stdout}${stderr}`, { cause });
  }
}

describeJudge(
  'the parser of AsyncAPI',
  npmCommand('spectral') === undefined ? HOW_TO_INSTALL : undefined,
  (tally) => {
    test('finds nothing in the document', async () => {
      const { operations, diagnostics } = await parsed(readFileSync(chatLiveFile, 'utf8'));
      expect(diagnostics).toEqual([]);
      expect(operations).toBeGreaterThan(3);
      tally.agree(operations);
    });

    test('finds a schema that is none, and an operation on no channel', async () => {
      const text = readFileSync(chatLiveFile, 'utf8');
      for (const [good, bad] of [
        ['"maximum": 1000000', '"maximum": "1000000"'],
        ['"$ref": "#/channels/connection"', '"$ref": "#/channels/none"'],
      ] as const) {
        const broken = text.replace(good, bad);
        expect(broken).not.toBe(text);
        const { diagnostics } = await parsed(broken);
        expect(diagnostics).not.toEqual([]);
      }
    });
  },
);
