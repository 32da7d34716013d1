import path from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Stage } from '../lib/config.ts';
import { deployableStages } from '../lib/stage-names.ts';

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
 * Parses the arguments. A profile that is named becomes that of the process.
 *
 * @returns undefined when parsing went well, else the exit code: 0 after a help text, 2 after a usage error, which
 *   commander has already explained on stderr.
 */
export function parseArguments(command: Command, argv: readonly string[]): 0 | 2 | undefined {
  try {
    command.parse([...argv], { from: 'user' });
    const { profile } = command.opts<{ profile?: string }>();
    if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
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

const localStages: readonly Stage[] = [...deployableStages, 'test'];

/** `--stage` of what runs on this machine: several stand side by side. */
export function localStagesOption(): Option {
  return new Option('--stage <stage...>', 'configuration of the app; more than one run side by side')
    .choices(localStages)
    .default(['sandbox']);
}

/** `--stage` of a command that runs one on this machine. */
export function localStageOption(): Option {
  return new Option('--stage <stage>', 'configuration of the app').choices(localStages).default('sandbox');
}

/** `--stage` of what goes to AWS, or is there. */
export function stageOption(): Option {
  return new Option('--stage <stage>', 'which of the deployments of an account').choices(deployableStages);
}

/** `--profile` for the SDK and the CDK alike: what reads the credentials finds it in the environment. */
export function profileOption(): Option {
  return new Option('--profile <name>', 'profile of ~/.aws to call AWS with (default: AWS_PROFILE)');
}

/** A command that is about a deployment: `findDeployment` understands the options that say which. */
export function createDeploymentCommand(name: string, description: string): Command {
  return createCommand(name, description)
    .option('--outputs <file>', 'outputs of the deployment (default: outputs.json of the project)')
    .addOption(stageOption())
    .addOption(profileOption());
}

/** The outputs file a command writes: the named one, else `outputs.json` of the project. */
export function outputsFile(named: string | undefined, context: CommandContext): string {
  return named === undefined
    ? path.join(context.projectFolder, 'outputs.json')
    : path.resolve(context.workingFolder, named);
}
