import { describe, expect, test } from '@jest/globals';
import { headerOfInvocation, invocationsInChain } from '../../../local/lambda/trace.ts';

const [worker, other] = ['worker', 'other'].map(
  (name) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
) as [string, string];

describe('the trace header of an invocation', () => {
  test('has the form of those recorded on AWS', () => {
    expect(headerOfInvocation(worker, undefined)).toMatch(
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=[0-9a-f]{8}:0$/,
    );
  });

  test('goes on with its chain, and counts each function for itself', () => {
    let header: string | undefined;
    for (const functionArn of [worker, worker, other, worker])
      header = headerOfInvocation(functionArn, header);
    expect([invocationsInChain(header, worker), invocationsInChain(header, other)]).toEqual([3, 1]);
    expect(header).toMatch(/;Lineage=[0-9a-f]{8}:2\|[0-9a-f]{8}:0$/);
    const [root] = headerOfInvocation(worker, header).split(';');
    expect(header).toContain(root);
  });

  test('begins a chain where the cause is none, or no lineage', () => {
    const chains = [
      undefined,
      '',
      'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1',
      'Lineage=zz:1|:|1:99',
    ];
    for (const cause of chains) {
      expect(invocationsInChain(cause, worker)).toBe(0);
      expect(invocationsInChain(headerOfInvocation(worker, cause), worker)).toBe(1);
    }
  });

  test('stays short, whatever the cause says', () => {
    const lineage = Array.from(
      { length: 5000 },
      (_, index) => `${index.toString(16).padStart(8, '0')}:99999`,
    );
    const header = headerOfInvocation(worker, `Lineage=${lineage.join('|')}`);
    expect(header.length).toBeLessThan(1000);
    expect(invocationsInChain(header, worker)).toBe(1);
  });
});
