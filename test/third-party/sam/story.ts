import { expect } from '@jest/globals';
import { addDays, businessDateOf } from '../../../lambda/card-settlement/domain/business-date.ts';
import { stageConfig, type Stage } from '../../../lib/config.ts';
import { command, type Started } from '../../end-to-end/command.ts';
import { eventText, storyDate, withToken } from '../../end-to-end/recorded-events.ts';

export type Answer = { readonly answer: unknown } | { readonly error: string };

/** A function that is invoked with its event, and what must come of it. */
export interface Step {
  readonly title: string;
  /** The function, by the name of its event. */
  readonly name: string;
  /** @param token an access token of the user alice */
  readonly event: (token: string) => unknown;
  readonly expected: Answer;
}

/** The events of `events/`, which tell a story, in its order: each function is invoked at least once. */
export function containerStory(stage: Stage): Step[] {
  const date = addDays(businessDateOf(new Date(), stageConfig(stage).calendar), -2);
  // Sales are taken for 30 days.
  const recent = (name: string): string => eventText(name).replaceAll(storyDate(), date);
  const { pathParameters: reviewed } = JSON.parse(eventText('review-transaction')) as {
    pathParameters: { transactionId: string };
  };
  const ok = { statusCode: 200 };
  const noContent = { statusCode: 204 };
  const batchDone = { batchItemFailures: [] };
  const notFound = { statusCode: 404, body: { status: 404 } };
  const step = (name: string, answer: unknown, other: Partial<Step> = {}): Step => ({
    ...{ title: name, name, event: () => JSON.parse(recent(name)), expected: { answer } },
    ...other,
  });
  return [
    step('put-merchant', noContent),
    step('put-fx-rates', noContent),
    step('accept-transaction', { statusCode: 201, body: { businessDate: date, status: 'staged' } }),
    step(
      'accept-transaction',
      { statusCode: 201, body: reviewed },
      {
        title: 'accept-transaction, an equal sale of the card a moment later, which is then held',
        event: () =>
          JSON.parse(
            recent('accept-transaction').replaceAll('sale-1', 'sale-2').replace('12:00:00Z', '12:00:59Z'),
          ),
      },
    ),
    step('put-terminal-totals', noContent),
    step('request-reconcile', { statusCode: 202, body: { businessDate: date } }),
    step('reconcile-worker', null),
    step('settlement-worker', batchDone),
    step('list-transactions', { ...ok, body: { items: [{ status: 'held', amount: 497 }] } }),
    step('review-transaction', { ...ok, body: { decision: 'release', reason: 'the customer called' } }),
    step('get-transaction', { ...ok, body: { amount: 497, businessDate: date } }),
    step('get-business-day', { ...ok, body: { businessDate: date } }),
    step('get-settlement', { ...ok, body: { businessDate: date } }),
    step('not-found', notFound),
    step(
      'authorize',
      { principalId: 'alice', policyDocument: expect.any(Object), context: { userId: 'alice' } },
      {
        title: 'authorize, with a token',
        event: (token) => JSON.parse(withToken(recent('authorize'), token)),
      },
    ),
    step('authorize', undefined, {
      title: 'authorize, which refuses what stands in place of a token',
      expected: { error: 'Unauthorized' },
    }),
    step('post-message', { statusCode: 201, body: { sequence: 1 } }),
    step('notification-worker', batchDone),
    step('list-notifications', { ...ok, body: { items: [{ text: 'are you there?' }] } }),
    step('list-conversations', { ...ok, body: { items: [{ lastSequence: 1 }] } }),
    step('list-messages', { ...ok, body: { items: [{ text: 'are you there?', sequence: 1 }] } }),
    step('hello', ok),
    step('drain-worker', batchDone),
    step('read', ok),
    step('ack', ok),
    step('unknown-action', { statusCode: 400 }),
    step('disconnect', ok),
    step('delete-notification', noContent),
    step('unknown-path', notFound),
  ];
}

/** An access token of the user alice, by the command that people take. */
export async function aliceToken({ outputsFile }: Pick<Started, 'outputsFile'>): Promise<string> {
  const { stdout } = await command(['token', 'user', 'alice', '--outputs', outputsFile]);
  return stdout.trim();
}

/** @throws the difference, if an answer is not the one that the story expects */
export function checkAnswer({ expected }: Step, answer: Answer): void {
  expect('answer' in answer ? { answer: withParsedBody(answer.answer) } : answer).toMatchObject(expected);
}

/** An answer of a function behind an HTTP API, its body parsed. */
function withParsedBody(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('body' in answer)) return answer;
  const { body } = answer;
  return { ...answer, body: typeof body === 'string' && body.startsWith('{') ? JSON.parse(body) : body };
}
