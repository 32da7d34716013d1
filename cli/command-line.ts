import path from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Stage } from '../lib/config.ts';

/** Where a command stands. */
export interface CommandContext {
  /** Absolute folder of the project: its sources, `.build` and, unless another is named, `outputs.json`. */
  readonly projectFolder: string;
  /** Absolute folder that relative paths on the command line are relative to. */
  readonly workingFolder: string;
}

/** A command as `npm run` calls it, for its help text. */
export function createCommand(name: string, description: string): Command {
  return new Command(name === 'start' ? 'npm start --' : `npm run ${name} --`)
    .description(description)
    .helpOption('-h, --help', 'show this text')
    .exitOverride()
    .showHelpAfterError('(--help explains the options)');
}

/**
 * Parses the arguments.
 *
 * @returns undefined when parsing went well, else the exit code: 0 after a help text, 2 after a usage error, which
 *   commander has already explained on stderr.
 */
export function parseArguments(command: Command, argv: readonly string[]): 0 | 2 | undefined {
  try {
    command.parse([...argv], { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

/** A parser for commander of whole numbers within bounds. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It is a whole number from ${minimum} to ${maximum}.`);
  };
}

/** `--stage`, by the names of `lib/config.ts`. */
export function stageOption(): Option {
  const stages: readonly Stage[] = ['sandbox', 'production', 'test'];
  return new Option('--stage <stage>', 'configuration of the app').choices(stages).default('sandbox');
}

/** The outputs file a command works with: the named one, else `outputs.json` of the project. */
export function outputsFile(named: string | undefined, context: CommandContext): string {
  return named === undefined
    ? path.join(context.projectFolder, 'outputs.json')
    : path.resolve(context.workingFolder, named);
}
