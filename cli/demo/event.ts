import type { Shop } from './shops.ts';

/** What a labelled transaction of the demo day is an example of. The first five are attacks. */
export const kinds = ['card-testing', 'impossible-travel', 'burst', 'spike', 'night', 'duplicate'] as const;
export type Kind = (typeof kinds)[number];

/** A transaction of the demo day, before it gets its place in the day's order. */
export interface DemoEvent {
  /** Epoch milliseconds, whole seconds. */
  readonly at: number;
  readonly card: string;
  readonly shop: Shop;
  /** Which of the shop's terminals, from 1. */
  readonly terminal: number;
  /** Minor units. */
  readonly amount: number;
  readonly type: 'sale' | 'refund' | 'reversal';
  readonly original?: DemoEvent;
  /** What it is an example of; absent from an honest one. */
  readonly kind?: Kind;
  /** One of five equal gifts, bought an hour apart: honest, though it looks like a duplicate. */
  readonly gift?: true;
}

/** Cards of a day, each named once. */
export type NewCard = () => string;

export const minute = 60_000;

/** How many terminals a shop has. */
export function terminalsOf({ online }: Shop): number {
  return online ? 1 : 2;
}
