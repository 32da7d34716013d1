import path from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option, type OptionValues } from 'commander';
import { isCalendarDate } from '../../lambda/card-settlement/domain/business-date.ts';
import { USER_ID } from '../../lambda/chat/domain/identifiers.ts';
import type { Stage } from '../../lib/config.ts';
import { deployableStages } from '../../lib/stage-names.ts';

export interface CommandContext {
  readonly projectFolder: string;
  /** Where the user is: paths on the command line are relative to it. */
  readonly workingFolder: string;
}

/** @returns the exit code: 0 all is well, 1 something failed, 2 it was called wrongly */
export type Run = (argv: readonly string[], context: CommandContext) => Promise<number>;

export interface Call<Options> {
  readonly options: Options;
  readonly args: readonly string[];
  readonly context: CommandContext;
}

export function defineCommand<Options extends OptionValues>(
  command: Command,
  work: (call: Call<Options>) => Promise<number>,
): Run {
  return async (argv, context) => {
    const exitCode = parseArguments(command, argv);
    if (exitCode !== undefined) return exitCode;
    return work({ options: command.opts<Options>(), args: command.args, context });
  };
}

export function createCommand(name: string, description: string): Command {
  return new Command(name === 'start' ? 'npm start --' : `npm run ${name} --`)
    .description(description)
    .helpOption('-h, --help', 'show this text')
    .exitOverride()
    .showHelpAfterError('(--help explains the options)');
}

export function createDeploymentCommand(name: string, description: string): Command {
  return createCommand(name, description)
    .option('--outputs <file>', 'outputs of the deployment (default: outputs.json of the project)')
    .addOption(stageOption())
    .addOption(profileOption());
}

/** @returns undefined if the work can begin, else the exit code */
export function parseArguments(command: Command, argv: readonly string[]): 0 | 2 | undefined {
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  // The SDK and the CDK both read the profile from the environment.
  const { profile } = command.opts<{ profile?: string }>();
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
  return undefined;
}

/** Stages that a local host runs. */
export const localStages: readonly Stage[] = [...deployableStages, 'test'];

export function localStagesOption(): Option {
  return new Option('--stage <stage...>', 'configuration of the app; more than one run side by side')
    .choices(localStages)
    .default(['sandbox']);
}

export function localStageOption(): Option {
  return new Option('--stage <stage>', 'configuration of the app').choices(localStages).default('sandbox');
}

export function stageOption(): Option {
  return new Option('--stage <stage>', 'which of the deployments of an account').choices(deployableStages);
}

export function profileOption(): Option {
  return new Option('--profile <name>', 'profile of ~/.aws to call AWS with (default: AWS_PROFILE)');
}

export function jsonOption(): Option {
  return new Option('--json', 'print the result as JSON and nothing else');
}

export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It is a whole number from ${minimum} to ${maximum}.`);
  };
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

export function isInstant(text: string): boolean {
  return INSTANT.test(text) && !Number.isNaN(Date.parse(text));
}

export function instant(text: string): Date {
  if (isInstant(text)) return new Date(text);
  throw new InvalidArgumentError('It is a time with its zone, such as 2026-11-03T17:01:00-05:00.');
}

export function businessDate(text: string): string {
  if (isCalendarDate(text)) return text;
  throw new InvalidArgumentError('It is a date such as 2026-01-31.');
}

export function chatUser(text: string): string {
  if (USER_ID.test(text)) return text;
  throw new InvalidArgumentError(
    'A chat user is called 1 to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit.',
  );
}

export function repeated<T>(
  parse: (text: string) => T,
): (text: string, earlier?: readonly T[]) => readonly T[] {
  return (text, earlier = []) => [...earlier, parse(text)];
}

/** For writing: the named file, else `outputs.json` of the project. */
export function outputsFile(named: string | undefined, context: CommandContext): string {
  return named === undefined
    ? path.join(context.projectFolder, 'outputs.json')
    : path.resolve(context.workingFolder, named);
}
