import { expect, it } from '@jest/globals';

it('what is no terminal is not coloured, in CI neither', async () => {
  // Whether colours are supported is decided when the library is loaded; in CI it says yes.
  process.env['CI'] = 'true';
  delete process.env['NO_COLOR'];
  const { createColors } = (await import('picocolors')).default;
  expect(createColors().isColorSupported).toBe(true);
  const { colorsFor } = await import('../../../cli/shared/screen.ts');
  expect(colorsFor({}).isColorSupported).toBe(false);
});
