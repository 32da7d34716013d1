import { expect, test } from '@jest/globals';
import { normalised, synthesized, template } from '../templates.ts';

test('DuotempoChat in the sandbox stage is as it was reviewed', async () => {
  expect(normalised(template(await synthesized('sandbox'), 'DuotempoChat'))).toMatchSnapshot();
});
