import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { createCommand, parseArguments, type CommandContext } from './command-line.ts';
import { apiNames, documentFile, openApiDocument } from './openapi/document.ts';

/** `npm run openapi`: rewrites the OpenAPI documents, formatted like the rest of the repository. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const files = apiNames.map(documentFile).join(' and ');
  const command = createCommand('openapi', `Rewrites ${files} from the handlers' schemas.`);
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;

  for (const api of apiNames) {
    const file = path.join(context.projectFolder, documentFile(api));
    const text = JSON.stringify(openApiDocument(api), undefined, 2);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
    process.stdout.write(`${documentFile(api)} is written.\n`);
  }
  return 0;
}
