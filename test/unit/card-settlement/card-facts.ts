import { factOf, type StagedFact } from '../../../lambda/card-settlement/domain/settlement.ts';
import type { BalancedDay, OpenDay, SealedDay } from '../../../lambda/card-settlement/domain/business-day.ts';

import { sale } from '../../../tools/simulate/settlement/facts.ts';

export { fxRates, httpRequest, profile, sale, sqsRecord } from '../../../tools/simulate/settlement/facts.ts';

/** Whole and plausible things of the card half; a test changes what it is about. */

export function stagedFact(changes: Partial<StagedFact> = {}): StagedFact {
  return {
    ...factOf(sale(), {
      factId: 'c0ffee00c0ffee00c0ffee00c0ffee00',
      clientId: 'gateway-client',
      businessDate: '2026-03-10',
      stagedAt: '2026-03-10T16:00:19.000Z',
      bodyDigest: '00112233445566778899aabbccddeeff',
    }),
    ...changes,
  };
}

export function businessDay(changes: Partial<OpenDay> = {}): OpenDay {
  return { status: 'open', businessDate: '2026-03-10', revision: 1, totals: {}, breaks: [], ...changes };
}

/** A day that was sealed at its cut-off, by a run that knew of it at once. */
export function sealedDay(changes: Partial<SealedDay> = {}): SealedDay {
  const at = '2026-03-10T21:00:00.000Z';
  return { ...businessDay(), status: 'sealed', seal: { at, seenAt: at }, ...changes };
}

export function balancedDay(changes: Partial<BalancedDay> = {}): BalancedDay {
  return { ...sealedDay(), status: 'balanced', balancedAt: '2026-03-10T21:00:31.000Z', ...changes };
}
