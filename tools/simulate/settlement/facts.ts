import type { SQSRecord } from 'aws-lambda';
import type { FxRates } from '../../../lambda/card-settlement/domain/fx.ts';
import type { MerchantProfile } from '../../../lambda/card-settlement/domain/merchant.ts';
import type { Transaction } from '../../../lambda/card-settlement/domain/transaction.ts';
import type { HttpRequest } from '../../../lambda/shared/http.ts';

/** Whole and plausible things of the card half; a caller changes what it is about. */

export function sale(changes: Partial<Transaction> = {}): Transaction {
  return {
    merchantId: 'mer_12764b37',
    terminalId: 'mer_12764b37-1',
    type: 'sale',
    cardToken: 'tok_d6f66cb8',
    amount: 497,
    currency: 'USD',
    merchantCategoryCode: '5999',
    occurredAt: '2026-03-10T12:00:18-04:00',
    ...changes,
  };
}

export function profile(changes: Partial<MerchantProfile> = {}): MerchantProfile {
  return {
    name: 'Rippin, Kub and Mann',
    country: 'US',
    settlementCurrency: 'USD',
    feeBasisPoints: 250,
    feeFixedMinor: 10,
    ...changes,
  };
}

export function fxRates(changes: Partial<FxRates> = {}): FxRates {
  return {
    base: 'USD',
    source: 'a central bank',
    rateDate: '2026-03-10',
    rates: { EUR: '0.9213', JPY: '147.25', KWD: '0.30815' },
    ...changes,
  };
}

export function httpRequest(changes: Partial<HttpRequest> = {}): HttpRequest {
  return {
    requestId: 'request-1',
    routeKey: 'POST /transactions',
    path: {},
    query: {},
    headers: {},
    caller: { clientId: 'gateway-client', scopes: ['duotempo/transactions.write'] },
    body: '',
    ...changes,
  };
}

export function sqsRecord(messageId: string, body: string): SQSRecord {
  return {
    messageId,
    receiptHandle: `receipt-of-${messageId}`,
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '1773158419000',
      SenderId: 'AROAEXAMPLE:reconcile',
      ApproximateFirstReceiveTimestamp: '1773158419500',
    },
    messageAttributes: {},
    md5OfBody: '9e107d9d372bb6826bd81d3542a419d6',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:Settlement',
    awsRegion: 'us-east-1',
  };
}
