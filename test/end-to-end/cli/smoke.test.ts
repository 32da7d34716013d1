import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { command } from '../command.ts';
import { withoutResource, type TemplateEdit } from '../edited-assembly.ts';
import { startSystem, type System } from '../system.ts';

/**
 * Goal: the smoke test passes where all is well and leaves nothing behind, and where something is not well, it says where
 * to look. Method: the command, against the app as it is and against one that lacks a resource.
 */

interface Report {
  readonly ok: boolean;
  readonly steps: readonly {
    readonly name: string;
    readonly status: string;
    readonly detail: string;
    readonly look?: readonly string[];
  }[];
}

const folder = mkdtempSync(join(tmpdir(), 'duotempo-smoke-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function smoke(
  edits: readonly TemplateEdit[],
  look: (system: System, report: Report) => Promise<void> | void,
): Promise<void> {
  const system = await startSystem({ edits });
  try {
    const file = join(folder, 'outputs.json');
    const local = { DuotempoLocal: { AwsEndpoint: system.host.awsEndpoint } };
    writeFileSync(file, JSON.stringify({ ...system.host.outputs, ...local }));
    const { stdout, stderr, exitCode } = await command(['smoke', '--outputs', file, '--json']);
    const report = JSON.parse(stdout) as Report;
    expect([stderr, exitCode]).toEqual(['', report.ok ? 0 : 1]);
    await look(system, report);
  } finally {
    await system.stop();
  }
}

test('where all is well, every step is; what it made is taken back, and nothing is held, blocked or given up', async () => {
  await smoke([], async (system, { ok, steps }) => {
    expect(steps.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect([ok, steps.length]).toEqual([true, 13]);
    const file = join(folder, 'outputs.json');
    expect((await command(['users', 'list', '--outputs', file])).stdout).toBe('0 users\n');
    // The next run of the day takes the reversal along.
    await system.call('operator', 'POST', `/business-days/${system.today}/reconcile`);
    const day = await system.dayWith(system.today, ({ totals }) =>
      JSON.stringify(totals).includes('"reversed":{"count":2,"amount":"0"}'),
    );
    expect(day).toMatchObject({ status: 'open', breaks: [] });
    const left = await system.scan(system.environment('NOTIFICATIONS_TABLE'));
    expect(left.filter((item) => 'text' in item)).toEqual([]);
  });
});

test('without the mapping of the notification worker, it names the step, the queue and what lies there', async () => {
  await smoke([withoutResource(/^NotificationMapping/)], (system, { ok, steps }) => {
    expect(ok).toBe(false);
    const [failed, ...more] = steps.filter(({ status }) => status === 'failed');
    expect(more).toEqual([]);
    expect(failed?.name).toBe('a message to an offline device waits for it');
    const { NotificationQueueUrl: queue = '', NotificationWorkerFunction: worker = '' } =
      system.outputs.DuotempoChat;
    expect(failed?.look?.[0]).toBe(`look at the queue ${queue} holds 1 message`);
    expect(failed?.look).toContain(`look at the function ${worker}`);
    const runbook = readFileSync('docs/runbook.md', 'utf8');
    const headings = failed?.look?.flatMap((place) => /runbook\.md, "(.*)"/.exec(place)?.[1] ?? []) ?? [];
    expect(headings.length).toBeGreaterThan(1);
    for (const heading of headings) expect(runbook).toContain(`\n## ${heading}\n`);
    // What needs the message is not tried, and all else still is.
    expect(steps.filter(({ status }) => status === 'skipped')).toHaveLength(3);
    expect(steps.filter(({ status }) => status === 'ok')).toHaveLength(9);
  });
});

test('without the mapping of the settlement worker, it names that queue, and the chat is well', async () => {
  await smoke([withoutResource(/^SettlementMapping/)], async (system, { steps }) => {
    const failed = steps.filter(({ status }) => status === 'failed');
    expect(failed.map(({ name }) => name)).toEqual(['its day is reconciled, and the sale settled']);
    const { SettlementQueueUrl: queue } = system.outputs.DuotempoCardSettlement;
    expect(failed[0]?.look).toContainEqual(
      expect.stringMatching(`^look at the queue ${queue} holds [1-9]\\d* messages?$`),
    );
    // The sale is reversed all the same: once it is settled, nothing is to be paid.
    const facts = await system.scan(system.outputs.DuotempoCardSettlement['StagedTransactionsTable'] ?? '');
    expect(facts.map(({ type }) => type).toSorted()).toEqual(['reversal', 'sale']);
  });
});
