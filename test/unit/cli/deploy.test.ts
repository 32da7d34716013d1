import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RunCdk } from '../../../cli/deploy/cdk.ts';
import { deployWith } from '../../../cli/deploy.ts';
import { destroyWith } from '../../../cli/destroy.ts';
import type { CommandContext } from '../../../cli/shared/command.ts';
import { stackNameOf, type DeployableStage } from '../../../lib/stage-names.ts';

/** Goal: what a deployment tells is kept by stage. Method: cdk is played, as far as its arguments and its outputs file. */

let folder: string;
let file: string;
let said: string;
const calls: (readonly string[])[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'duotempo-deploy-'));
  file = path.join(folder, 'outputs.json');
  said = '';
  calls.length = 0;
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
  }
  delete process.env['AWS_PROFILE'];
});
afterEach(async () => {
  jest.restoreAllMocks();
  delete process.env['AWS_PROFILE'];
  await rm(folder, { recursive: true });
});

const deploy = async (argv: string[], where: CommandContext, cdk: RunCdk) => deployWith(cdk)(argv, where);
const destroy = async (argv: string[], where: CommandContext, cdk: RunCdk) => destroyWith(cdk)(argv, where);
const context = () => ({ projectFolder: folder, workingFolder: folder });

/** Outputs of a stage as cdk writes them; `generation` tells one deployment from the next. */
const outputsOf = (stage: DeployableStage, generation: string, more: object = {}) => ({
  [stackNameOf(stage, 'Identity')]: { Issuer: generation },
  [stackNameOf(stage, 'CardSettlement')]: { ApiUrl: generation, ...more },
  [stackNameOf(stage, 'Chat')]: { ApiUrl: generation },
});

function cdkThatWrites(outputs: object, status = 0): RunCdk {
  return async (_context, argv) => {
    calls.push(argv);
    const place = argv[argv.indexOf('--outputs-file') + 1];
    if (argv[0] === 'deploy' && place !== undefined) await writeFile(place, JSON.stringify(outputs));
    return status;
  };
}
const kept = async (): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

describe('npm run deploy', () => {
  it('keeps the outputs of a stage beside those of another, in the place of its own earlier ones', async () => {
    expect(await deploy(['--yes'], context(), cdkThatWrites(outputsOf('sandbox', 'one')))).toBe(0);
    const production = cdkThatWrites(outputsOf('production', 'one'));
    expect(await deploy(['--stage', 'production', '--yes'], context(), production)).toBe(0);
    await deploy(['--yes'], context(), cdkThatWrites(outputsOf('sandbox', 'two')));
    expect(await kept()).toEqual({ ...outputsOf('production', 'one'), ...outputsOf('sandbox', 'two') });
    expect(calls[1]).toEqual(expect.arrayContaining(['--all', 'stage=production']));
  });

  it('with --yes asks nothing, uses the profile for cdk and SDK, and says what comes next', async () => {
    const cdk = cdkThatWrites(outputsOf('production', 'one'));
    await deploy(['--stage', 'production', '--yes', '--profile', 'pilot', '--verbose'], context(), cdk);
    const [argv = []] = calls;
    expect(argv.join(' ')).toContain('--require-approval never --profile pilot --verbose');
    expect(process.env['AWS_PROFILE']).toBe('pilot');
    expect(said).toContain('npm run smoke -- --stage production --profile pilot');
    expect(said).toContain('Nobody is told of alarms');
  });

  it('without a terminal and without --yes says to pass it, before anything is done', async () => {
    await expect(deploy([], context(), cdkThatWrites({}))).rejects.toMatchObject({
      exitCode: 2,
      hint: expect.stringContaining('pass --yes'),
    });
    await expect(destroy([], context(), cdkThatWrites({}))).rejects.toMatchObject({ exitCode: 2 });
    expect(calls).toEqual([]);
  });

  it('subscribes addresses, keeps them at a later deployment, and ends them on request', async () => {
    const address = 'me@example.com,you@example.com';
    const cdk = cdkThatWrites(outputsOf('sandbox', 'one', { AlarmEmail: address }));
    await deploy(
      ['--yes', '--alarm-email', 'me@example.com', '--alarm-email', 'you@example.com'],
      context(),
      cdk,
    );
    await deploy(['--yes'], context(), cdk);
    await deploy(['--yes', '--alarm-email', 'none'], context(), cdk);
    expect(calls.map((argv) => argv.includes(`alarmEmail=${address}`))).toEqual([true, true, false]);
    expect(await deploy(['--alarm-email', 'nobody'], context(), cdk)).toBe(2);
  });

  it('that fails keeps what the file told, and says that the same command goes on', async () => {
    await writeFile(file, JSON.stringify(outputsOf('sandbox', 'one')));
    expect(await deploy(['--yes'], context(), cdkThatWrites(outputsOf('sandbox', 'half'), 1))).toBe(1);
    expect(await kept()).toEqual(outputsOf('sandbox', 'one'));
    expect(said).toContain('concurrent modification');
  });

  it.each([
    ['{"mine": true}', 'is not what npm run deploy writes'],
    ['', 'is not what npm run deploy writes'],
    [JSON.stringify({ ...outputsOf('sandbox', 'x'), DuotempoLocal: {} }), 'is of a local host'],
  ])('does not write over %s', async (content, message) => {
    await writeFile(file, content);
    await expect(deploy(['--yes'], context(), cdkThatWrites({}))).rejects.toThrow(message);
    expect([await readFile(file, 'utf8'), calls]).toEqual([content, []]);
  });

  it('knows only the stages that go to AWS', async () => {
    expect(await deploy(['--stage', 'test', '--yes'], context(), cdkThatWrites({}))).toBe(2);
  });
});

describe('npm run destroy', () => {
  it('takes the outputs of its stage away, and the file with the last of them', async () => {
    await writeFile(
      file,
      JSON.stringify({ ...outputsOf('sandbox', 'one'), ...outputsOf('production', 'one') }),
    );
    expect(await destroy(['--stage', 'production', '--yes'], context(), cdkThatWrites({}))).toBe(0);
    expect(calls[0]).toEqual(['destroy', '--all', '--context', 'stage=production', '--force']);
    expect(said).toContain('The tables and the user pool are kept');
    expect(said).toContain('DuotempoProductionCardSettlement');
    expect(await kept()).toEqual(outputsOf('sandbox', 'one'));
    await destroy(['--yes'], context(), cdkThatWrites({}));
    expect(await readdir(folder)).toEqual([]);
  });

  it('that fails, or of a stage that the file does not tell of, leaves the file alone', async () => {
    await writeFile(file, JSON.stringify(outputsOf('sandbox', 'one')));
    expect(await destroy(['--yes'], context(), cdkThatWrites({}, 1))).toBe(1);
    await destroy(['--stage', 'production', '--yes'], context(), cdkThatWrites({}));
    expect(await kept()).toEqual(outputsOf('sandbox', 'one'));
  });
});
