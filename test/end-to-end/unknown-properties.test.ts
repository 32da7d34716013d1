import { rmSync } from 'node:fs';
import { afterAll, expect, test } from '@jest/globals';
import { startLocalHost } from '../../local/index.ts';
import { synthesized } from '../stack/templates.ts';
import {
  editedAssembly,
  type TemplateEdit,
  type UnknownProperty,
  withProperty,
  withUnknownProperties,
} from './edited-assembly.ts';

/**
 * Goal: what CloudFormation would refuse, minutes into a deployment, the host refuses at its start.
 * Method: each object in the app's templates gets a property that CloudFormation does not know.
 */

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** @throws what the host says of the app, edited like that */
async function startWith(edit: TemplateEdit): Promise<void> {
  const assembly = editedAssembly(await synthesized('sandbox'), [edit]);
  folders.push(assembly);
  const host = await startLocalHost({ assembly, port: 0, awsPort: 0 });
  await host.stop();
}

test('a property that CloudFormation does not know is refused by resource and path, wherever it stands', async () => {
  const added: UnknownProperty[] = [];
  const refusal: unknown = await startWith(withUnknownProperties((property) => added.push(property))).catch(
    (error: unknown) => error,
  );
  const offences =
    refusal instanceof Error && 'offences' in refusal && Array.isArray(refusal.offences)
      ? refusal.offences.map((offence) => String(offence).replace(/^\w+\//, ''))
      : [refusal];
  expect(offences.toSorted()).toEqual(
    added
      .map(({ logicalId, type, path }) => `${logicalId} (${type}) ${path}: this property is not supported.`)
      .toSorted(),
  );
  expect(new Set(added.map(({ type }) => type)).size).toBeGreaterThan(20);
  expect(added.filter(({ path }) => path.includes('.')).length).toBeGreaterThan(200);
}, 180_000);

test.each([
  ['the policy of a role', 'AWS::IAM::Policy', 'PolicyDocument.Colour'],
  ['a statement of it', 'AWS::IAM::Policy', 'PolicyDocument.Statement.0.Colour'],
  ['a statement on who may take the role', 'AWS::IAM::Role', 'AssumeRolePolicyDocument.Statement.0.Colour'],
  ['a statement of the policy of a queue', 'AWS::SQS::QueuePolicy', 'PolicyDocument.Statement.0.Colour'],
])('an element that no policy has is refused in %s', async (_what, type, path) => {
  await expect(startWith(withProperty(type, path, 'blue'))).rejects.toThrow(/\bColour\b/);
});

test('the same app unedited starts', async () => {
  await startWith(() => true);
});
