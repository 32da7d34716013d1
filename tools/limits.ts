import { usageError } from '../cli/shared/command-error.ts';
import { createCommand, type Call } from '../cli/shared/command.ts';
import { printError } from '../cli/shared/screen.ts';
import { allMet, figuresTable, type Figure } from './harness/figures.ts';
import { defineTool } from './harness/tool.ts';
import { measureBacklog } from './limits/backlog.ts';
import { measureDevices } from './limits/devices.ts';
import { measureHellos } from './limits/hellos.ts';
import { IDENTIFIERS_LOAD, measureIdentifiers } from './limits/identifiers.ts';
import { measureTombstones, measureWaiting } from './limits/inboxes.ts';
import { measureTerminals } from './limits/terminals.ts';

const limits = new Map<
  string,
  readonly [load: string, measure: (projectFolder: string) => readonly Figure[] | Promise<readonly Figure[]>]
>([
  ['identifiers', [IDENTIFIERS_LOAD, measureIdentifiers]],
  [
    'backlog',
    ['3,000,000 staged against 200 settled a second, in a model on the code that plans runs', measureBacklog],
  ],
  [
    'terminals',
    ['100,000 terminal reports of a date of 10,000 transactions, and 2,000 of 100 lines', measureTerminals],
  ],
  ['tombstones', ['150,000 acknowledged notifications of one user', measureTombstones]],
  ['hellos', ['1,000 hellos of one device for whose user 2,000 notifications wait', measureHellos]],
  ['devices', ['1,000 devices of one user', measureDevices]],
  ['waiting', ['5,000 notifications wait for a user who comes online', measureWaiting]],
]);
const names = [...limits.keys()];

export const run = defineTool(
  () =>
    createCommand(
      'limits',
      'Puts loads far beyond an ordinary day on the app, and measures what it makes of them.',
    ).argument('[name...]', `which loads: ${names.join(', ')}; all if none is named`),
  { measure, report: figuresTable, isGood: allMet },
);

async function measure({ args, context }: Call<object>): Promise<readonly Figure[]> {
  const unknown = args.find((name) => !limits.has(name));
  if (unknown !== undefined)
    throw usageError(`There is no load '${unknown}'. The loads are ${names.join(', ')}.`);
  const figures: Figure[] = [];
  for (const [name, [load, measureLoad]] of limits) {
    if (args.length > 0 && !args.includes(name)) continue;
    printError(`${name}: ${load}…`);
    figures.push(...(await measureLoad(context.projectFolder)));
  }
  return figures;
}
