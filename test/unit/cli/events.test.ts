import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import { createEventScreen, type EventScreen } from '../../../cli/start/event-screen.ts';
import type { HostEvent } from '../../../local/services.ts';

function log(
  fields: Record<string, unknown>,
  functionName = 'Stack-SettleTransactionsFunctionD570AB31-a1b2c3',
): HostEvent {
  return { type: 'log', functionName, line: JSON.stringify({ level: 'INFO', ...fields }) };
}

const staged = log({
  message: 'transaction staged',
  transactionId: 'x',
  businessDate: '2026-11-20',
  merchantId: 'mer_x',
  type: 'sale',
  amount: 497,
  currency: 'USD',
});

function settled(count: number, rest: Record<string, number> = {}): HostEvent {
  return log({ message: 'batch settled', count, settled: count, milliseconds: 43, ...rest });
}

function screen(): { lines: string[]; screen: EventScreen } {
  const lines: string[] = [];
  return {
    lines,
    screen: createEventScreen({
      write: (line) => lines.push(line),
      colors: picocolors.createColors(false),
      now: () => new Date(2026, 10, 20, 12, 3, 4),
    }),
  };
}

function shown(...events: HostEvent[]): string[] {
  const { lines, screen: show } = screen();
  for (const event of events) show.show(event);
  return lines;
}

describe('the screen of the local host', () => {
  it('shows a transaction, a batch and a day in a line each', () => {
    const totals = {
      USD: {
        staged: { count: 5039, amount: '33594557' },
        settled: { count: 5030, amount: '33000000' },
        held: { count: 9, amount: '594557' },
        reversed: { count: 0, amount: '0' },
        rejected: { count: 0, amount: '0' },
      },
    };
    const day = { businessDate: '2026-11-20', revision: 1 };
    expect(
      shown(
        staged,
        settled(10),
        settled(9, { held: 1, known: 2 }),
        log({ message: 'day sealed', ...day }),
        log({ message: 'day reconciled', ...day, sent: 2182, missing: 2182 }),
        log({ message: 'day balanced', ...day, status: 'balanced', totals, breaks: [] }),
      ),
    ).toEqual([
      '12:03:04 staged  4.97 USD  mer_x  2026-11-20',
      '12:03:04 settled 10 in 43 ms',
      '12:03:04 settled 9 in 43 ms, held 1, known already 2',
      '12:03:04 2026-11-20  sealed',
      '12:03:04 2026-11-20  sent 2,182 to be settled',
      '12:03:04 2026-11-20  balanced  5,039 staged = 5,030 settled + 9 held, 335,945.57 USD',
    ]);
  });

  it('shows a refund as negative, and amounts by their currency', () => {
    const refund = {
      message: 'transaction staged',
      businessDate: '2026-11-20',
      merchantId: 'm',
      type: 'refund',
    };
    expect(
      shown(
        log({ ...refund, amount: 1500, currency: 'JPY' }),
        log({ ...refund, amount: 1500, currency: 'KWD' }),
      ),
    ).toEqual(['12:03:04 staged  -1,500 JPY  m  2026-11-20', '12:03:04 staged  -1.500 KWD  m  2026-11-20']);
  });

  it('shows reversals, reviews, and the breaks of a day', () => {
    const businessDate = '2026-11-20';
    const decided = { businessDate, transactionId: 'abc', merchantId: 'm' };
    const breaks = ['till-1', 'till-2', 'till-3', 'till-4'].map((subject) => ({
      kind: 'terminal-totals',
      subject,
    }));
    const none = { count: 0, amount: '0' };
    const released = {
      staged: none,
      settled: { count: 1, amount: '500' },
      held: { count: -1, amount: '-500' },
      reversed: none,
      rejected: none,
    };
    expect(
      shown(
        log({ message: 'sale reversed', ...decided, amount: 497, currency: 'USD' }),
        log({ message: 'transaction reviewed', ...decided, decision: 'reject' }),
        settled(0, { decided: 2 }),
        log({ level: 'ERROR', message: 'breaks found', businessDate, breaks }, 'Stack-Reconcile-a1b2c3'),
        log({ message: 'day balanced', businessDate, totals: { USD: released } }),
      ),
    ).toEqual([
      '12:03:04 reversed  -4.97 USD  m  2026-11-20',
      '12:03:04 rejected  abc  2026-11-20',
      '12:03:04 settled 0 in 43 ms, decided 2',
      '12:03:04 error  Reconcile: 2026-11-20 breaks found: terminal-totals till-1, terminal-totals till-2, terminal-totals till-3, and 1 more',
      '12:03:04 2026-11-20  balanced  0 staged = 1 settled + -1 held, 0.00 USD',
    ]);
  });

  it('shows warnings, errors, failed invocations and refused requests, and where they come from', () => {
    const invocation = {
      type: 'invocation' as const,
      functionName: 'Stack-SettleTransactions-a1b2c3',
      milliseconds: 1,
      coldStart: false,
    };
    const request = {
      type: 'http' as const,
      apiId: 'a',
      method: 'POST',
      routeKey: undefined,
      milliseconds: 1,
    };
    expect(
      shown(
        log({ level: 'WARN', message: 'day blocked', businessDate: '2026-11-20' }),
        log({ level: 'ERROR', message: 'message failed', errorName: 'TypeError', errorMessage: 'no\nway' }),
        { ...invocation, outcome: 'error', errorType: 'Sandbox.Timedout', errorMessage: 'after 3 s' },
        { ...invocation, outcome: 'throttled' },
        { ...request, path: '/transactions', status: 401 },
        { ...request, path: '/transactions', status: 500 },
        { type: 'access-denied', message: 'User: … is not authorized to perform: sqs:sendmessage' },
        { type: 'recursion', queueName: 'q', functionName: invocation.functionName, messages: 2 },
      ),
    ).toEqual([
      '12:03:04 warning  SettleTransactions: 2026-11-20 day blocked',
      '12:03:04 error  SettleTransactions: message failed: TypeError: no way',
      '12:03:04 error  SettleTransactions failed: Sandbox.Timedout: after 3 s',
      '12:03:04 warning  SettleTransactions: throttled',
      '12:03:04 refused  401 POST /transactions',
      '12:03:04 error  500 POST /transactions',
      '12:03:04 error  User: … is not authorized to perform: sqs:sendmessage',
      '12:03:04 error  SettleTransactions: invoked 16 times by one chain; 2 messages dropped',
    ]);
  });

  it('keeps quiet about what is no news', () => {
    expect(
      shown(
        log({ message: 'due days', count: 3 }),
        log({ message: 'day reconciled', businessDate: '2026-11-20', sent: 0, missing: 0 }),
        { type: 'log', functionName: 'f', line: 'no JSON' },
        { type: 'log', functionName: 'f', line: '{"message":"transaction staged"}' },
        { type: 'http', apiId: 'a', method: 'GET', path: '/', routeKey: 'x', status: 200, milliseconds: 1 },
        { type: 'invocation', functionName: 'f', outcome: 'success', milliseconds: 1, coldStart: true },
        { type: 'schedule', scheduleName: 's', target: 't' },
      ),
    ).toEqual([]);
  });

  it('folds a flood into a line a second, kind by kind, and unfolds when it has ebbed', () => {
    const { lines, screen: show } = screen();
    for (let index = 0; index < 212; index += 1) show.show(staged);
    show.show(settled(10));
    expect(lines).toHaveLength(21);
    show.tick();
    expect(lines.at(-1)).toBe('12:03:04 staged 192 transactions more in the last second');
    for (let index = 0; index < 43; index += 1) show.show(settled(10));
    for (let index = 0; index < 1500; index += 1) show.show(staged);
    lines.length = 0;
    show.tick();
    expect(lines).toEqual([
      '12:03:04 staged 1,500 transactions in the last second',
      '12:03:04 settled 230 transactions in 23 batches more in the last second',
    ]);
    show.tick();
    show.show(staged);
    expect(lines.at(-1)).toBe('12:03:04 staged  4.97 USD  mer_x  2026-11-20');
  });

  it('prints no control characters that come from outside', () => {
    const [line = ''] = shown(log({ level: 'ERROR', message: 'x\u001B[2J\u0007y' }));
    // oxlint-disable-next-line no-control-regex
    expect(line).not.toMatch(/[\u0000-\u001F]/);
  });
});
