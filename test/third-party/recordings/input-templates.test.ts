import { expect, test } from '@jest/globals';
import { compileInputTemplate } from '../../../local/pipes/input-template.ts';
import { differences } from './compare.ts';
import { accountFor, describeRecorded, readAnswers } from './recorded.ts';
import type { LeftAside } from './recorded.ts';

/**
 * Goal: an input template makes of an event what EventBridge makes of it.
 * Method: EventBridge's rules were recorded, and the host has pipes: their templates are alike, but that a rule names
 * its paths in a map and a pipe where they are used. Each template that is JSON is filled in here, and compared with the
 * message that a rule sent.
 */

const PATHS: Readonly<Record<string, string>> = {
  'detail-type': '$.detail-type',
  timestamp: '$.time',
  command: '$.detail.command',
  userId: '$.detail.payload.acc_id',
  payload: '$.detail.payload',
  systemstring: '$.detail.awsAccountId',
  listsingle: '$.detail.listsingle',
  listmulti: '$.detail.listmulti',
  valid: '$.detail.valid',
};

const EVENT = {
  version: '0',
  'detail-type': 'core.update-account-command',
  source: 'core.update-account-command',
  account: '000000000000',
  // As the recorder left it.
  time: 'date',
  region: 'us-east-1',
  resources: [],
  detail: {
    command: 'update-account',
    payload: { acc_id: '0a787ecb-4015', sf_id: 'baz' },
    listsingle: ['HIGH'],
    listmulti: ['ACTIVE', 'INACTIVE'],
    valid: true,
  },
};

const NESTED = 'TestInputTransformer::test_input_transformer_nested_keys_replacement';
const WHOLE = 'TestInputTransformer::test_put_events_with_input_transformer_input_template_json';
/** Of the test `WHOLE`, whose name does not have it. */
const WHOLE_TEMPLATE = '{"detailType": <detail-type>,  "time": <timestamp>, "command": <command>}';

const LEFT_ASIDE: LeftAside = [
  [
    /replacement\["|template_string|missing_keys/,
    'templates that are text: the host refuses a pipe with one',
  ],
  [/TestInputPath|test_put_event_input_path/, 'InputPath: a rule has it, a pipe has not'],
  [
    /predefined_variables/,
    'variables of a rule: a pipe has others, and the host refuses those that it does not know',
  ],
];

describeRecorded('input templates', (tally) => {
  const recorded = readAnswers('test_events_inputs.snapshot.json');
  const templates = [...recorded].flatMap(([name, answers]) => {
    const template = name.startsWith(`${NESTED}[{`) ? name.slice(NESTED.length + 1, -1) : undefined;
    return template === undefined ? [] : [{ name, template, answers }];
  });
  const bodyOf = (answers: object, label: string): unknown => {
    const [message] = Object(answers)[label] as readonly { readonly Body: unknown }[];
    return message?.Body;
  };
  const filled = (template: string, paths = PATHS): unknown => {
    const withPaths = template.replaceAll(/<([\w-]+)>/g, (_, name: string) => `<${paths[name]}>`);
    return JSON.parse(compileInputTemplate(withPaths, {})(EVENT));
  };

  test('each recorded test is asked, or left aside for a reason', () => {
    accountFor(recorded, {
      asked: [WHOLE, ...templates.map(({ name }) => name)],
      leftAside: LEFT_ASIDE,
      tally,
    });
  });

  test.each(templates)('$template', ({ template, answers }) => {
    if (Object.keys(answers).length === 0) {
      // No message came: an object or a list within quotes makes no JSON.
      expect(() => filled(template)).toThrow('within quotes');
    } else {
      const body = bodyOf(answers, 'input-transformed-messages');
      expect(differences(body as never, filled(template))).toEqual([]);
    }
    tally.agree();
  });

  test('a template of which a value is missing', () => {
    const answers = recorded.get(WHOLE) ?? {};
    const missing = { ...PATHS, command: '$.detail.notinmessage' };
    expect(filled(WHOLE_TEMPLATE)).toEqual(bodyOf(answers, 'custom-variables-match-all'));
    expect(filled(WHOLE_TEMPLATE, missing)).toEqual(bodyOf(answers, 'custom-variables-not-match-all'));
    tally.agree();
  });
});
