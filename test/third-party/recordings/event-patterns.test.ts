import { readdirSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { compileEventPattern } from '../../../local/patterns/event-pattern.ts';
import type { Json } from '../../../local/template/template.ts';
import { accountFor, describeRecorded, readAnswers, readRecorded, recordedPath } from './recorded.ts';
import type { LeftAside } from './recorded.ts';

/**
 * Goal: the host judges an event pattern as AWS does.
 * Method: each pattern that AWS's TestEventPattern judged is judged here: a file's name tells AWS's verdict.
 */

type Verdict = 'matches' | 'does not match' | 'is refused';

function recordedVerdict(name: string): Verdict {
  if (name.endsWith('_EXC')) return 'is refused';
  return name.endsWith('_NEG') ? 'does not match' : 'matches';
}

function verdict(pattern: Json, event: Json): Verdict {
  let matches;
  try {
    matches = compileEventPattern(pattern);
  } catch {
    return 'is refused';
  }
  return matches(event) ? 'matches' : 'does not match';
}

interface RuleCase {
  readonly name: string;
  readonly pattern: Json;
  readonly events: readonly Json[];
  readonly verdicts: readonly Verdict[];
}

const COMMAND = 'core.update-account-command';
const commandEvent = (detail: Json): Json => ({ source: COMMAND, 'detail-type': COMMAND, detail });
const commandPattern = (detail: Json): Json => ({ source: [COMMAND], 'detail-type': [COMMAND], detail });
const keyed = commandEvent({ key: 'value', payload: 'baz' });
const unkeyed = commandEvent({ 'no-key': 'no-value', payload: 'baz' });

/** Tests whose patterns stand in no file of their own. */
const CASES: readonly RuleCase[] = [
  {
    name: 'TestEventPattern::test_event_pattern_source',
    pattern: { source: ['order'], 'detail-type': ['Test'] },
    events: ['order', 'shipment'].map((source) => ({ source, 'detail-type': 'Test' })),
    verdicts: ['matches', 'does not match'],
  },
  {
    name: 'TestEventPattern::test_event_with_large_and_complex_payload',
    pattern: { detail: { 'payload.nested.another-level.deep': { 'inside-list': [{ prefix: 'q-test' }] } } },
    events: [
      {
        detail: {
          payload: {
            nested: { 'another-level': { deep: [{ 'inside-list': 'q-test-value' }, { other: 'A' }] } },
          },
        },
      },
    ],
    verdicts: ['matches'],
  },
  {
    name: 'TestRuleWithPattern::test_put_events_with_rule_pattern_anything_but',
    pattern: commandPattern({ command: [{ 'anything-but': ['no-message'] }] }),
    events: ['display-message', null, 'no-message'].map((command) =>
      commandEvent({ command, payload: 'baz' }),
    ),
    verdicts: ['matches', 'matches', 'does not match'],
  },
  {
    name: 'TestRuleWithPattern::test_put_events_with_rule_pattern_exists_true',
    pattern: commandPattern({ key: [{ exists: true }] }),
    events: [keyed, unkeyed],
    verdicts: ['matches', 'does not match'],
  },
  {
    name: 'TestRuleWithPattern::test_put_events_with_rule_pattern_exists_false',
    pattern: commandPattern({ key: [{ exists: false }] }),
    events: [keyed, unkeyed],
    verdicts: ['does not match', 'matches'],
  },
  {
    name: 'TestRuleWithPattern::test_put_event_with_content_base_rule_in_pattern',
    pattern: {
      source: [{ exists: true }],
      'detail-type': [{ prefix: 'core.app' }],
      detail: {
        description: ['this-is-event-details'],
        amount: [200],
        user: ['user1', 'user2', 'user3'],
        admins: ['skyli', { prefix: 'hey' }, { prefix: 'ad' }],
        test2: [{ 'anything-but': 'test2' }],
        test3: [{ 'anything-but': ['test3', 'test33'] }],
        test4: [{ 'anything-but': { prefix: 'test4' } }],
        'num-test1': [{ numeric: ['<', 200] }],
        'num-test2': [{ numeric: ['<=', 200] }],
        'num-test5': [{ numeric: ['>=', 200, '<=', 500] }],
        'num-test7': [{ numeric: ['>=', 200, '<', 500] }],
      },
    },
    events: [
      {
        source: COMMAND,
        'detail-type': 'core.app.backend',
        detail: {
          description: 'this-is-event-details',
          amount: 200,
          user: 'user3',
          admins: 'admin',
          test2: 'test22',
          test3: 'test333',
          test4: 'this test4',
          'num-test1': 100,
          'num-test2': 200,
          'num-test5': 500,
          'num-test7': 300,
        },
      },
    ],
    verdicts: ['matches'],
  },
];

/** They stand in their tests' names. */
const INVALID_JSON = 'TestEventPattern::test_invalid_json_event_pattern[';

const LEFT_ASIDE: LeftAside = [
  [/_payload$/, 'TestEventPattern refuses an event that is no object: the host makes its events itself'],
];

describeRecorded('event patterns', (tally) => {
  // JSON5 is an expression of JavaScript.
  const readJson5 = (file: string): { readonly Event: Json; readonly EventPattern: Json } =>
    JSON.parse(JSON.stringify(runInNewContext(`(${readRecorded('event-patterns', file)})`)));
  const files = readdirSync(recordedPath('event-patterns'));
  const cases = files
    .filter((file) => file.endsWith('.json5'))
    .map((file) => ({ name: file.replace('.json5', ''), ...readJson5(file) }));
  // The one pair of files: its pattern names a key twice, of which JSON5's reader in Python would lose one.
  const pair = ['complex_multi_key_event.json', 'complex_multi_key_event_pattern.json'];
  const [event = null, pattern = null] = pair.map((file) =>
    JSON.parse(readRecorded('event-patterns', file)),
  ) as Json[];
  cases.push({ name: 'complex_multi_key', Event: event, EventPattern: pattern });

  const recorded = readAnswers('test_events_patterns.snapshot.json');
  const invalid = [...recorded.keys()].filter((name) => name.startsWith(INVALID_JSON));

  test('every file is read, and each other recorded test is asked or left aside', () => {
    const named = cases.map(({ name }) => `TestEventPattern::test_event_pattern[${name}]`);
    const asked = [
      ...named.filter((name) => recorded.has(name)),
      ...CASES.map(({ name }) => name),
      ...invalid,
    ];
    accountFor(recorded, { asked, leftAside: LEFT_ASIDE, tally });
    expect(cases).toHaveLength(files.length - 1);
    expect(cases.length).toBeGreaterThanOrEqual(156);
  });

  test.each(cases)('$name', ({ name, Event, EventPattern }) => {
    expect(verdict(EventPattern, Event)).toBe(recordedVerdict(name));
    tally.agree();
  });

  test.each(CASES)('$name', ({ pattern: asked, events, verdicts }) => {
    expect(events.map((one) => verdict(asked, one))).toEqual(verdicts);
    tally.agree();
  });

  test.each(invalid)('%s is refused', (name) => {
    const text = name.slice(INVALID_JSON.length, -1);
    expect(() => compileEventPattern(JSON.parse(text))).toThrow('JSON');
    tally.agree();
  });
});
