import { scopes } from '../../lambda/card-settlement/contract.ts';
import {
  answer,
  common,
  jsonBody,
  link,
  page,
  pathParameter,
  problem,
  reference,
  replayed,
  response,
  type Json,
} from './parts.ts';

/** Headings for readers and generated clients. */
export const cardSettlementTags = {
  transactions: 'What points of sale report: transactions, and the totals of their terminals.',
  reviews: 'Held transactions, and what an operator decides on them.',
  settings: 'What settlement needs to know: merchants and exchange rates.',
  'business days': 'The books of a date: their state, and what merchants get.',
};

const oauth = (scope: string, tag: keyof typeof cardSettlementTags): Json => ({
  security: [{ clientCredentials: [scope] }],
  tags: [tag],
});
const report = oauth(scopes.write, 'transactions');
const readBooks = oauth(scopes.read, 'business days');
const operate = oauth(scopes.operate, 'settings');

const businessDate = pathParameter('businessDate', 'BusinessDate');
const merchantId = pathParameter('merchantId', 'Identifier');
/** Paths, queries and bodies are all searched for card numbers. */
const ofCards = { ...common, 400: problem('validation-failed', 'card-number') };
const withBody = {
  ...ofCards,
  400: problem('malformed-json', 'validation-failed', 'card-number'),
  413: response('bodyTooLarge'),
};
const location = { Location: { description: 'Where to look.', schema: { type: 'string' } } };
const toStaged = link('getTransaction', { transactionId: '/transactionId' });
const notFound = problem('not-found');
const transactionId = pathParameter('transactionId', 'Identifier');

function review(operationId: string, summary: string): Json {
  return {
    ...oauth(scopes.operate, 'reviews'),
    operationId,
    summary,
    description:
      'There is one decision on a transaction: the same again answers with what stands. It belongs to the business date that is open now.',
    parameters: [transactionId],
    requestBody: jsonBody('Review'),
    responses: {
      200: answer('The decision.', 'Reviewed'),
      ...withBody,
      404: notFound,
      409: problem('not-held', 'already-decided'),
    },
  };
}

export const cardSettlementPaths: Readonly<Record<string, Json>> = {
  '/transactions': {
    get: {
      ...oauth(scopes.read, 'reviews'),
      operationId: 'listHeldTransactions',
      summary: 'The held transactions of a business date that wait for review',
      description:
        'A gateway sees its own transactions only; an operator all. What was held a moment ago may be missing.',
      parameters: [
        { $ref: '#/components/parameters/status' },
        { $ref: '#/components/parameters/businessDate' },
        ...page,
      ],
      responses: {
        200: answer('A page of them.', 'HeldTransactionPage', {
          links: {
            ...link('releaseTransaction', { transactionId: '/items/0/transactionId' }),
            ...link('rejectTransaction', { transactionId: '/items/0/transactionId' }),
          },
        }),
        ...ofCards,
      },
    },
    post: {
      ...report,
      operationId: 'postTransaction',
      summary: 'Stages a transaction, once, however often the request comes',
      description:
        'A reversal belongs to the date of the sale that it undoes, and answers with the sale’s id; there is at most one.',
      parameters: [{ $ref: '#/components/parameters/idempotencyKey' }],
      requestBody: jsonBody('Transaction'),
      responses: {
        200: answer('It was staged before, by the same key and body.', 'StagedTransaction', {
          headers: { ...location, ...replayed },
          links: toStaged,
        }),
        201: answer(
          'It is staged, into the earliest business date that is not sealed; a reversal into that of its sale.',
          'StagedTransaction',
          { headers: location, links: toStaged },
        ),
        ...withBody,
        409: problem('day-closed', 'already-decided'),
        422: problem(
          'idempotency-key-reused',
          'occurred-at-in-future',
          'occurred-at-too-old',
          'original-not-found',
          'reversal-mismatch',
        ),
      },
    },
  },
  '/transactions/{transactionId}': {
    get: {
      ...oauth(scopes.read, 'transactions'),
      operationId: 'getTransaction',
      summary: 'A transaction, what became of it, the decision on it, and its ledger entries',
      description: 'A gateway sees its own transactions only; an operator all.',
      parameters: [transactionId],
      responses: { 200: answer('The transaction.', 'TransactionView'), ...ofCards, 404: notFound },
    },
  },
  '/transactions/{transactionId}/release': {
    post: review('releaseTransaction', 'Releases a held transaction: it is settled as it would have been'),
  },
  '/transactions/{transactionId}/reject': {
    post: review('rejectTransaction', 'Rejects a held transaction: it is never settled'),
  },
  '/terminals/{terminalId}/totals/{businessDate}': {
    put: {
      ...report,
      operationId: 'putTerminalTotals',
      summary: 'Records a terminal’s own counts and amounts of a date',
      description:
        'The last report stands. Every later run of the date compares it with what was staged; a difference is a break. Up to 31 days back, and of at most some four million terminals of a client and date.',
      parameters: [pathParameter('terminalId', 'Identifier'), businessDate],
      requestBody: jsonBody('TerminalTotals'),
      responses: {
        204: { description: 'Recorded.' },
        ...withBody,
        422: problem('date-out-of-range', 'too-many-terminals'),
      },
    },
  },
  '/merchants/{merchantId}': {
    put: {
      ...operate,
      operationId: 'putMerchant',
      summary: 'Records how a merchant is paid',
      description: 'A first profile applies to every date, a change from the next business date on.',
      parameters: [merchantId],
      requestBody: jsonBody('MerchantProfile'),
      responses: { 204: { description: 'Recorded.' }, ...withBody },
    },
  },
  '/fx-rates/{businessDate}': {
    put: {
      ...operate,
      operationId: 'putFxRates',
      summary: 'Records the rates of a date',
      description:
        'Up to 7 days ahead and 400 back. The first conversion freezes them; then only currencies that are absent may be added. The same again is answered like the first time.',
      parameters: [businessDate],
      requestBody: jsonBody('FxRates'),
      responses: {
        204: { description: 'Recorded.' },
        ...withBody,
        409: problem('rates-frozen'),
        422: problem('date-out-of-range'),
      },
    },
  },
  '/business-days/{businessDate}/reconcile': {
    post: {
      ...oauth(scopes.operate, 'business days'),
      operationId: 'requestReconcile',
      summary: 'Asks for a run, which seals the day if its cut-off has passed',
      description:
        'The run comes after the answer, and sends to settlement what the ledger lacks; more requests do no harm. For the open date, and 390 days back.',
      parameters: [businessDate],
      requestBody: {
        required: false,
        content: { 'application/json': { schema: { type: 'object', maxProperties: 0 } } },
      },
      responses: {
        202: answer('A run will come.', 'ReconcileRequested', {
          headers: location,
          links: link('getBusinessDay', { businessDate: '/businessDate' }),
        }),
        ...withBody,
        422: problem('date-out-of-range'),
      },
    },
  },
  '/business-days': {
    get: {
      ...readBooks,
      operationId: 'listBusinessDays',
      summary: 'The business days, newest first',
      description:
        'A page ends at `limit`, or at some 4 MB: days whose books differ at many terminals are long.',
      parameters: page,
      responses: {
        200: answer('A page of them.', 'BusinessDayPage', {
          links: {
            ...link('getBusinessDay', { businessDate: '/items/0/businessDate' }),
            ...link('getSettlement', { businessDate: '/items/0/businessDate' }),
            ...link('requestReconcile', { businessDate: '/items/0/businessDate' }),
          },
        }),
        ...ofCards,
      },
    },
  },
  '/business-days/{businessDate}': {
    get: {
      ...readBooks,
      operationId: 'getBusinessDay',
      summary: 'A business day as of the last pass over its books',
      description:
        'What was staged since `asOf` is not counted yet. A date of which nothing is known answers 404.',
      parameters: [businessDate],
      responses: { 200: answer('The day.', 'BusinessDay'), ...ofCards, 404: notFound },
    },
  },
  '/settlements/{businessDate}': {
    get: {
      ...readBooks,
      operationId: 'getSettlement',
      summary: 'What merchants get, as pages of JSON or as the settlement file',
      description:
        'Before the day is balanced it is added up for each request, from at most 100,000 ledger entries: a page may be empty while a large merchant is added up, and `cursor` carries on; a merchant with that many in more than 50 currencies is refused until then (`settlement-too-long`). With `Accept: text/csv` the whole settlement as one file, which takes neither `limit` nor `cursor`; what is more than 45,000 lines, or before the day is balanced more than 100,000 entries, is refused (`settlement-file-too-long`): read it as JSON, page by page.',
      parameters: [businessDate, ...page],
      responses: {
        200: {
          description: 'The settlement: preliminary until the day is balanced.',
          headers: { 'Content-Disposition': { description: 'Names the file.', schema: { type: 'string' } } },
          links: link('listMerchantSettlement', {
            businessDate: '/businessDate',
            merchantId: '/items/0/merchantId',
          }),
          content: {
            'application/json': { schema: reference('SettlementPage') },
            'text/csv': {
              schema: {
                type: 'string',
                description:
                  'RFC 4180. `H,duotempo,1,<date>,final or preliminary,<as of>`; `D,<merchantId>,<currency>,<count>,<gross>,<fees>,<net>`; per currency `T,<currency>,<detail lines>,<transactions>,<gross>,<fees>,<net>`.',
              },
            },
          },
        },
        ...ofCards,
        404: notFound,
        422: problem('settlement-file-too-long', 'settlement-too-long'),
      },
    },
  },
  '/settlements/{businessDate}/merchants/{merchantId}': {
    get: {
      ...readBooks,
      operationId: 'listMerchantSettlement',
      summary: 'A merchant’s ledger entries of a business date',
      description: 'What the merchant’s line of the settlement is added up of.',
      parameters: [businessDate, merchantId, ...page],
      responses: {
        200: answer('A page of them.', 'MerchantSettlementPage'),
        ...ofCards,
        404: notFound,
      },
    },
  },
};
