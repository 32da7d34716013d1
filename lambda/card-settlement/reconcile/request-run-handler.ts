import * as v from 'valibot';
import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { validationProblem } from '../../shared/problem.ts';
import { businessDateIn, knownQuery, parseBody, route } from '../requests.ts';
import { requestRun, type RequestRunServices } from './request-run.ts';
import { buildRequestServices } from './services.ts';

/** `POST /business-days/{businessDate}/reconcile` */
async function requestReconcile(request: HttpRequest, services: RequestRunServices): Promise<HttpResponse> {
  const businessDate = businessDateIn(request);
  knownQuery(request, []);
  checkEmpty(request);
  await requestRun(businessDate, services);
  return { status: 202, headers: { location: `/business-days/${businessDate}` }, body: { businessDate } };
}

/** Clients like to send an empty object. */
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

export const handler = route(requestReconcile, buildRequestServices);
