import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { CommandError, errorCode } from './command-error.ts';

/** Undefined if there is no such file. @throws CommandError if it cannot be read */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new CommandError(`${file} cannot be read (${errorCode(error) ?? 'unknown error'}).`, {
      cause: error,
    });
  }
}

/** @returns undefined for text that is not JSON: no schema here accepts that */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Readers see the old text or the new one, never half of either. */
export async function writeAtomically(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, file);
  } catch (error) {
    await unlink(unfinished).catch(() => undefined);
    throw unwritable(file, error);
  }
}

export function unwritable(file: string, error: unknown): CommandError {
  return new CommandError(`${file} cannot be written (${errorCode(error) ?? 'unknown error'}).`, {
    cause: error,
  });
}
