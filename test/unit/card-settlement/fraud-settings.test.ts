import { afterEach, describe, expect, it } from '@jest/globals';
import { environmentNames } from '../../../lambda/card-settlement/contract.ts';
import { fraudSettings } from '../../../lambda/card-settlement/settings.ts';
import { stageConfig } from '../../../lib/config.ts';

const name = environmentNames.fraudSettings;
const { fraud } = stageConfig('production');

afterEach(() => {
  delete process.env[name];
});

describe('the settings of the fraud rules', () => {
  it.each(['sandbox', 'production', 'test'] as const)(
    'of the %s stage are what the worker understands',
    (stage) => {
      process.env[name] = JSON.stringify(stageConfig(stage).fraud);
      expect(fraudSettings()).toEqual(fraud);
    },
  );

  it.each([
    ['no JSON', '{', /Invalid JSON/],
    ['no object', '7', /Expected Object/],
    ['without a rule', JSON.stringify({ ...fraud, burst: undefined }), /at burst/],
    ['with a rule that nobody knows', JSON.stringify({ ...fraud, moonPhase: {} }), /at moonPhase/],
    ['with text for a number', JSON.stringify({ ...fraud, holdScore: '70' }), /at holdScore/],
    [
      'with an hour that is none',
      JSON.stringify({ ...fraud, nightLarge: { ...fraud.nightLarge, fromHour: 24 } }),
      /at nightLarge\.fromHour/,
    ],
  ])('that are %s are refused, by the name of the variable', (_, text, where) => {
    process.env[name] = text;
    expect(() => fraudSettings()).toThrow(where);
    expect(() => fraudSettings()).toThrow(name);
  });

  it('that are not there are named', () => {
    expect(() => fraudSettings()).toThrow(`${name} is not set`);
  });
});
