import { expect, test } from '@jest/globals';
import { afterDestruction } from '../../cli/destroy.ts';
import { shell } from '../end-to-end/command.ts';
import { stackNames } from './templates.ts';

test('cdk ls names the stacks in the order of their deployment, without a notice or a warning', async () => {
  expect(await shell('npx cdk ls')).toEqual({
    exitCode: 0,
    stdout: `${stackNames.join('\n')}\n`,
    stderr: '',
  });
});

test('a stage that is not there is refused in a line', async () => {
  const { exitCode, stdout, stderr } = await shell('npx cdk ls -c stage=moon');
  expect([exitCode, stdout]).toEqual([1, '']);
  expect(stderr.split('\n')[0]).toMatch(/^There is no stage 'moon'. The stages are sandbox, production, /);
});

test('who destroys a stage is told what is left of it', () => {
  expect(afterDestruction('sandbox')).toContain('Nothing of the app is left');
  expect(afterDestruction('production')).toContain('The tables and the user pool are kept');
});
