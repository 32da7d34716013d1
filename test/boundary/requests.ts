import { randomUUID } from 'node:crypto';
import { sale } from '../end-to-end/system.ts';
import type { WireRequest } from './wire.ts';

const profile = {
  name: 'Shop',
  country: 'US',
  settlementCurrency: 'USD',
  feeBasisPoints: 1,
  feeFixedMinor: 0,
};

/** Requests that are valid and would do something, by route key. @param today the open business date */
export function validRequests(today: string): Readonly<Record<string, () => Omit<WireRequest, 'method'>>> {
  return {
    'POST /transactions': () => ({
      path: '/transactions',
      headers: { 'idempotency-key': randomUUID() },
      body: JSON.stringify(
        sale({ merchantCountry: 'US', location: { latitude: 40.7128, longitude: -74.006 } }),
      ),
    }),
    'GET /transactions': () => ({ path: `/transactions?status=held&businessDate=${today}` }),
    'GET /transactions/{transactionId}': () => ({ path: '/transactions/abc' }),
    'POST /transactions/{transactionId}/release': () => ({
      path: '/transactions/abc/release',
      body: '{"reason":"why not"}',
    }),
    'POST /transactions/{transactionId}/reject': () => ({
      path: '/transactions/abc/reject',
      body: '{"reason":"why not"}',
    }),
    'PUT /terminals/{terminalId}/totals/{businessDate}': () => ({
      path: `/terminals/till-1/totals/${today}`,
      body: '{"totals":[{"type":"sale","currency":"USD","count":1,"amount":100}]}',
    }),
    'PUT /merchants/{merchantId}': () => ({ path: '/merchants/mer_1', body: JSON.stringify(profile) }),
    'PUT /fx-rates/{businessDate}': () => ({
      path: `/fx-rates/${today}`,
      body: JSON.stringify({
        base: 'USD',
        source: 'me',
        rateDate: today,
        rates: { EUR: '1000' },
      }),
    }),
    'POST /business-days/{businessDate}/reconcile': () => ({
      path: `/business-days/${today}/reconcile`,
    }),
    'GET /business-days': () => ({ path: '/business-days' }),
    'GET /business-days/{businessDate}': () => ({ path: `/business-days/${today}` }),
    'GET /settlements/{businessDate}': () => ({ path: `/settlements/${today}` }),
    'GET /settlements/{businessDate}/merchants/{merchantId}': () => ({
      path: `/settlements/${today}/merchants/mer_1`,
    }),
    'POST /messages': () => ({
      path: '/messages',
      body: JSON.stringify({ to: 'bob', text: 'hello', clientMessageId: randomUUID() }),
    }),
    'GET /conversations': () => ({ path: '/conversations' }),
    'GET /conversations/{conversationId}/messages': () => ({
      path: `/conversations/${'0'.repeat(32)}/messages`,
    }),
    'GET /notifications': () => ({ path: '/notifications' }),
    'DELETE /notifications/{notificationId}': () => ({ path: `/notifications/${'0'.repeat(32)}-0000001` }),
  };
}
