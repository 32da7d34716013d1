import type * as fc from 'fast-check';
import type { Log } from './log.ts';

/** One of the two halves of the app, simulated. */
export interface Tempo<Scenario> {
  readonly scenarios: fc.Arbitrary<Scenario>;
  /** @throws BrokenGuarantee, or any other error of the app */
  readonly play: (scenario: Scenario, log: Log) => Promise<void>;
  /** A line for each thing that happens. */
  readonly tell: (scenario: Scenario) => string[];
}

/** `sale merchant=1 amount=500` */
export function told({
  kind,
  ...rest
}: Readonly<Record<string, unknown>> & { readonly kind: string }): string {
  return [kind, ...Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(' ');
}
