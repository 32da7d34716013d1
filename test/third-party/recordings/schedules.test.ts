import { expect, test } from '@jest/globals';
import { parseScheduleExpression } from '../../../local/scheduler/schedule-expression.ts';
import { accountFor, describeRecorded, readAnswers } from './recorded.ts';

/**
 * Goal: the host takes the schedule expressions that EventBridge Scheduler takes, and no others.
 * Method: each expression that AWS judged is judged here: AWS made a schedule of it, or refused the call. It stands in
 * the test's name.
 */

const EXPRESSION = /schedule_expression\[(.*)\]$|cron_expressions\[(.*)\]$/;
/** Its expression is not in its name. */
const AT = 'tests_create_schedule_with_valid_schedule_expression';

describeRecorded('schedule expressions', (tally) => {
  const recorded = readAnswers('test_scheduler.snapshot.json');
  const cases = [...recorded].flatMap(([name, answers]) => {
    const [, invalid, valid] = EXPRESSION.exec(name) ?? [];
    const expression = name === AT ? 'at(2022-12-31T23:59:59)' : (invalid ?? valid);
    const isTaken = !JSON.stringify(answers).includes('"Error"');
    return expression === undefined ? [] : [{ name, expression, isTaken }];
  });

  test('each recorded test is asked, or left aside for a reason', () => {
    accountFor(recorded, {
      asked: cases.map(({ name }) => name),
      leftAside: [[/tag_resource/, 'tags of schedule groups: nothing here reads them']],
      tally,
    });
    expect(cases.map(({ isTaken }) => isTaken)).toEqual(expect.arrayContaining([true, false]));
  });

  test.each(cases)('$expression', ({ expression, isTaken }) => {
    const parse = () => parseScheduleExpression({ expression, createdAt: new Date('2022-01-01T00:00:00Z') });
    if (isTaken) expect(parse().next(new Date('2022-01-01T00:00:00Z'))).toBeInstanceOf(Date);
    else expect(parse).toThrow(expression);
    tally.agree();
  });
});
