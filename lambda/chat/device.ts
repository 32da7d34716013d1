import type { Context } from 'aws-lambda';
import * as v from 'valibot';
import { parseAs, parseJson } from '../shared/http.ts';
import { lazily } from '../shared/lazily.ts';
import { errorFields, logger, logInvocation } from '../shared/log.ts';
import { parseWritten } from '../shared/parse.ts';
import { commonProblem, Problem } from '../shared/problem.ts';
import { errorFrame } from './frames.ts';
import { webSockets, type PushFrame } from './push.ts';

export interface DeviceRequest {
  readonly connectionId: string;
  /** From the token that opened the connection. */
  readonly userId: string;
  /** Empty when the device has left. */
  readonly body: string;
}

const DeviceEvent = v.object({
  requestContext: v.object({
    connectionId: v.string(),
    routeKey: v.string(),
    requestId: v.string(),
    authorizer: v.object({ userId: v.string() }),
  }),
  body: v.nullish(v.string(), ''),
});

export type DeviceHandler = (
  event: unknown,
  context: Pick<Context, 'awsRequestId'>,
) => Promise<{ readonly statusCode: number }>;

const ownWebSockets = lazily(() => webSockets());

/** Every error becomes an error frame. One that is no `Problem` is logged. The connection survives. */
export function deviceHandler(
  handle: (request: DeviceRequest) => Promise<void>,
  pushFrame: PushFrame = async (...push) => ownWebSockets().pushFrame(...push),
): DeviceHandler {
  return async (event, context) => {
    const { requestContext, body } = parseWritten(DeviceEvent, event);
    const { connectionId, routeKey, requestId, authorizer } = requestContext;
    logInvocation(context, { requestId });
    try {
      await handle({ connectionId, userId: authorizer.userId, body: body ?? '' });
      return { statusCode: 200 };
    } catch (error) {
      if (error instanceof Problem) {
        logger.info('frame refused', { routeKey, status: error.status, problem: error.slug });
      } else logger.error('frame failed', { routeKey, ...errorFields(error) });
      const problem = error instanceof Problem ? error : internalError();
      try {
        await pushFrame(connectionId, errorFrame(problem));
      } catch (pushError) {
        logger.error('error frame failed', { routeKey, ...errorFields(pushError) });
      }
      return { statusCode: problem.status };
    }
  };
}

export function parseFrame<S extends v.GenericSchema>(schema: S, { body }: DeviceRequest): v.InferOutput<S> {
  return parseAs(schema, parseJson(body, FRAME_LIMIT_BYTES));
}

/** API Gateway's own limit. */
const FRAME_LIMIT_BYTES = 128 * 1024;

function internalError(): Problem {
  return commonProblem('internal-error', { detail: 'Send the same frame again: nothing is done twice.' });
}
