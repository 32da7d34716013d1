import { expect, test } from '@jest/globals';
import { normalised, stackNames, synthesized, template } from './templates.ts';

test.each(stackNames)('%s in the sandbox stage is as it was reviewed', async (stackName) => {
  expect(normalised(template(await synthesized('sandbox'), stackName))).toMatchSnapshot();
});
