import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { createCommand, parseArguments, type CommandContext } from './command-line.ts';
import { documentFile, openApiDocument } from './openapi/document.ts';

/** `npm run openapi`: writes the OpenAPI document anew, formatted as everything here is. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createCommand('openapi', `Writes ${documentFile} anew, from the schemas of the handlers.`);
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;

  const file = path.join(context.projectFolder, documentFile);
  const text = JSON.stringify(openApiDocument(), undefined, 2);
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
  process.stdout.write(`${documentFile} is written.\n`);
  return 0;
}
