import { readdirSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { compileEventPattern } from '../../../local/event-pattern.ts';
import type { Json } from '../../../local/template.ts';
import { describeRecorded, readRecorded, recordedPath } from './recorded.ts';

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

  test('every file is read', () => {
    expect(cases).toHaveLength(files.length - 1);
    expect(cases.length).toBeGreaterThanOrEqual(156);
  });

  test.each(cases)('$name', ({ name, Event, EventPattern }) => {
    expect(verdict(EventPattern, Event)).toBe(recordedVerdict(name));
    tally.agree();
  });
});
