import { expect, test } from '@jest/globals';
import { readable, synthesized } from '../templates.ts';

test('DuotempoCardSettlement in the sandbox stage is as it was reviewed', async () => {
  expect(await readable(await synthesized('sandbox'), 'DuotempoCardSettlement')).toMatchSnapshot();
});
