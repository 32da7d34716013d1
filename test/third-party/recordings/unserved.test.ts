import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { accountFor, describeRecorded, readAnswers, recordedPath } from './recorded.ts';

/** Goal: no recording is forgotten: what nothing here asks is left aside, and counted. */

const REASONS: Readonly<Record<string, string>> = {
  'test_cloudwatch.snapshot.json':
    'CloudWatch: the host has no metrics and no alarms, and refuses calls by name',
  'test_cloudwatch_metrics.snapshot.json':
    'CloudWatch: the host has no metrics and no alarms, and refuses calls by name',
  'test_logs_events.snapshot.json': 'CloudWatch Logs: the host has no log events, and refuses calls by name',
  'test_sts.snapshot.json':
    'STS: only GetCallerIdentity is served; the host gives its functions their credentials itself',
};

/** Of these, tests of their own account for each recorded test. */
const ASKED = [
  'test_dynamodb.snapshot.json',
  'test_dynamodb_streams.snapshot.json',
  'test_events_inputs.snapshot.json',
  'test_events_patterns.snapshot.json',
  'test_lambda_integration_dynamodbstreams.snapshot.json',
  'test_lambda_integration_sqs.snapshot.json',
  'test_scheduler.snapshot.json',
  'test_sqs.snapshot.json',
  'test_sqs_move_task.snapshot.json',
];

describeRecorded('services that the host does not serve', (tally) => {
  test('every recording is asked, or left aside for a reason', () => {
    const files = readdirSync(recordedPath()).filter((file) => file.endsWith('.json'));
    expect(files.toSorted()).toEqual([...Object.keys(REASONS), ...ASKED].toSorted());
    for (const [file, reason] of Object.entries(REASONS)) {
      accountFor(readAnswers(file), { asked: [], leftAside: [[/^/, reason]], tally });
    }
  });
});
