import type { Shop } from './shops.ts';

export const kinds = ['card-testing', 'impossible-travel', 'burst', 'spike', 'night', 'duplicate'] as const;
export type Kind = (typeof kinds)[number];

export interface DemoEvent {
  readonly at: number;
  readonly card: string;
  readonly shop: Shop;
  readonly terminal: number;
  /** Minor units. */
  readonly amount: number;
  readonly type: 'sale' | 'refund' | 'reversal';
  readonly original?: DemoEvent;
  readonly kind?: Kind;
  /** One of five equal, honest sales an hour apart. */
  readonly gift?: true;
}

export type NewCard = () => string;

export const minute = 60_000;

export function terminalsOf({ online }: Shop): number {
  return online ? 1 : 2;
}
