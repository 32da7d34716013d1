import { hash } from 'node:crypto';

export const IDENTIFIER = /^[A-Za-z0-9_-]{1,64}$/;

/** 32 hex digits, the same for the same arguments: a retry finds its transaction on whatever day it comes. */
export function transactionIdOf(clientId: string, merchantId: string, idempotencyKey: string): string {
  // JSON keeps the parts apart: ("ab", "c") differs from ("a", "bc").
  return hash('sha256', JSON.stringify([clientId, merchantId, idempotencyKey])).slice(0, 32);
}

const DECISION_SUFFIX = '#decision';

/** No identifier that a caller chooses has a `#`. */
export function decisionIdOf(transactionId: string): string {
  return `${transactionId}${DECISION_SUFFIX}`;
}

export function isDecisionId(factId: string): boolean {
  return factId.endsWith(DECISION_SUFFIX);
}

export function originalIdOf(factId: string): string {
  return isDecisionId(factId) ? factId.slice(0, -DECISION_SUFFIX.length) : factId;
}

/** `#` sorts before every character of an identifier. */
export function sortKeyOf({ merchantId, factId }: { merchantId: string; factId: string }): string {
  return `${merchantId}#${factId}`;
}

/** Clients name their terminals, so two clients may use the same name. */
export function terminalKeyOf(terminal: { readonly clientId: string; readonly terminalId: string }): string {
  return `${terminal.clientId}#${terminal.terminalId}`;
}

/** Independent of the order of members. */
export function bodyDigest(body: unknown): string {
  return hash('sha256', JSON.stringify(sorted(body))).slice(0, 32);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
