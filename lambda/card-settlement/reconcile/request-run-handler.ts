import * as v from 'valibot';
import { systemClock } from '../../shared/clock.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { logger } from '../../shared/log.ts';
import { Problem, validationProblem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import { addDays, businessDateOf, type BusinessCalendar } from '../domain/business-date.ts';
import { RECONCILED_DAYS } from '../domain/retention.ts';
import {
  createSqsClient,
  reconcileQueueSender,
  type SendReconcileMessage,
} from '../store/reconcile-queue.ts';
import { businessDateIn, knownQuery, parseBody } from '../requests.ts';
import { businessCalendar } from '../settings.ts';

interface Services {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly sendReconcileMessage: SendReconcileMessage;
}

/** `POST /business-days/{businessDate}/reconcile`: asks for a run, which seals the day if its cut-off has passed. */
export async function requestReconcile(request: HttpRequest, services: Services): Promise<HttpResponse> {
  const businessDate = businessDateIn(request);
  knownQuery(request, []);
  checkEmpty(request);
  const today = businessDateOf(services.now(), services.calendar);
  if (businessDate > today || businessDate < addDays(today, -RECONCILED_DAYS)) {
    throw new Problem(422, 'date-out-of-range', 'The business date is out of range', {
      detail: `The open business date is ${today}; a day can be reconciled until ${RECONCILED_DAYS} days later.`,
    });
  }
  await services.sendReconcileMessage({ kind: 'business-day', businessDate, trigger: 'operator' });
  logger.info('reconcile requested', { businessDate });
  return { status: 202, headers: { location: `/business-days/${businessDate}` }, body: { businessDate } };
}

/** The request takes no parameters; an empty object is let pass, because clients like to send one. */
function checkEmpty(request: HttpRequest): void {
  if (request.body === '') return;
  const value = parseBody(v.unknown(), request);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw validationProblem([{ pointer: '', detail: 'must be empty' }]);
  }
  const names = Object.keys(value).slice(0, 100);
  if (names.length > 0) {
    throw validationProblem(
      names.map((name) => ({ pointer: `/${name.slice(0, 64)}`, detail: 'is not a known field' })),
    );
  }
}

function buildServices(): Services {
  return {
    calendar: businessCalendar(),
    now: systemClock,
    sendReconcileMessage: reconcileQueueSender(
      createSqsClient(),
      environmentVariable(environmentNames.reconcileQueueUrl),
    ),
  };
}

let services: Services | undefined;

export const handler = httpHandler((request) => requestReconcile(request, (services ??= buildServices())));
