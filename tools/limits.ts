import { figuresTable, isMet } from './bench/report.ts';
import { CommandError } from '../cli/shared/command-error.ts';
import { createCommand, parseArguments, type CommandContext, jsonOption } from '../cli/shared/command.ts';
import { backlog } from './limits/backlog.ts';
import { devices } from './limits/devices.ts';
import { hellos } from './limits/hellos.ts';
import { identifiers } from './limits/identifiers.ts';
import type { Limit } from './limits/limit.ts';
import { terminals } from './limits/terminals.ts';
import { tombstones } from './limits/tombstones.ts';
import { waiting } from './limits/waiting.ts';
import { colorsFor } from '../cli/shared/screen.ts';

const limits: readonly Limit[] = [identifiers, backlog, terminals, tombstones, hellos, devices, waiting];

/** `npm run limits`: measures loads far beyond an ordinary day, each on its own local host. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const names = limits.map(({ name }) => name);
  const command = createCommand(
    'limits',
    'Puts loads far beyond an ordinary day on the app, and measures what it makes of them.',
  )
    .argument('[name...]', `which loads: ${names.join(', ')}; all if none is named`)
    .addOption(jsonOption());
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const unknown = command.args.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new CommandError(`There is no load '${unknown}'. The loads are ${names.join(', ')}.`, {
      exitCode: 2,
    });
  }
  const { json } = command.opts<{ readonly json?: true }>();
  const figures = [];
  for (const { name, load, measure } of limits) {
    if (command.args.length > 0 && !command.args.includes(name)) continue;
    process.stderr.write(`${name}: ${load}…\n`);
    figures.push(...(await measure(context)));
  }
  process.stdout.write(
    json ? `${JSON.stringify(figures)}\n` : `${figuresTable(figures, colorsFor(process.stdout))}\n`,
  );
  return figures.every(isMet) ? 0 : 1;
}
