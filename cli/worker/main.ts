import process from 'node:process';
import { run } from '../worker.ts';

/** The container's entry: `outputs.json`, and what lies beside it, is in the working folder. */
async function main(folder: string): Promise<void> {
  try {
    process.exitCode = await run(process.argv.slice(2), { projectFolder: folder, workingFolder: folder });
  } catch (error) {
    const { message, hint = '', exitCode = 1 } = Object(error);
    process.stderr.write(`${message}\n${hint}\n`);
    process.exitCode = exitCode;
  }
}

void main(process.cwd());
