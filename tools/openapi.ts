import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format } from 'oxfmt';
import { chatLiveDocument, chatLiveFile } from './asyncapi/chat-live.ts';
import { createCommand, parseArguments, type CommandContext } from '../cli/shared/command.ts';
import { apiNames, documentFile, openApiDocument } from './openapi/document.ts';

const documents = [
  ...apiNames.map((api) => ({ file: documentFile(api), make: () => openApiDocument(api) })),
  { file: chatLiveFile, make: chatLiveDocument },
];

export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const files = documents.map(({ file }) => file).join(', ');
  const command = createCommand('openapi', `Rewrites ${files} from the handlers' schemas.`);
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;

  for (const { file: name, make } of documents) {
    const file = path.join(context.projectFolder, name);
    const { code } = await format(file, JSON.stringify(make(), undefined, 2), { printWidth: 110 });
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, code);
    process.stdout.write(`${name} is written.\n`);
  }
  return 0;
}
