import type { IncomingMessage } from 'node:http';
import { jsonObjectIn, type JsonObject } from '../template/index.ts';
import { sessionArn, type CredentialStore } from './caller.ts';
import { awsError, deniedAnswer, unservedAnswer, unservedText } from './refusals.ts';
import {
  intercepted,
  type AwsAnswer,
  type AwsCall,
  type AwsHandler,
  type AwsService,
  type Interceptor,
  type NeededAccess,
  type RestService,
} from './service.ts';

export type Authorize = (
  call: AwsCall,
  neededAccess: AwsService['neededAccess'],
) => { readonly allowed: true } | { readonly allowed: false; readonly message: string };

export interface DispatcherOptions {
  readonly credentials: CredentialStore;
  /** @default every call is allowed */
  readonly authorize?: Authorize;
  /** They see every allowed call, from HTTP or from within the host. The first is the outermost. */
  readonly interceptors?: readonly Interceptor[];
}

type CallOrigin = Pick<AwsCall, 'caller' | 'signal' | 'traceHeader'>;

export type Dispatcher = ReturnType<typeof createDispatcher>;

export function createDispatcher({ credentials, authorize, interceptors = [] }: DispatcherOptions) {
  const services = new Map<string, AwsService>();
  const restServices: RestService[] = [];

  const run = async (
    call: AwsCall,
    handle: AwsHandler,
    neededAccess: AwsService['neededAccess'],
  ): Promise<AwsAnswer> => {
    const decision = authorize?.(call, neededAccess) ?? { allowed: true };
    return decision.allowed ? handle(call) : deniedAnswer(call.service, decision.message);
  };

  const perform = async (
    targetAction: string,
    request: JsonObject | undefined,
    origin: CallOrigin,
  ): Promise<AwsAnswer> => {
    const [target = '', action = ''] = targetAction.split('.');
    const known = services.get(target);
    if (known === undefined || action === '') {
      return awsError('UnknownOperationException', unservedText(targetAction));
    }
    if (request === undefined) {
      return awsError('com.amazon.coral.service#SerializationException', 'The body is not a JSON object.');
    }
    return run({ service: known.service, action, request, ...origin }, known.handle, known.neededAccess);
  };

  const answer = async (request: IncomingMessage, body: Buffer, signal: AbortSignal): Promise<AwsAnswer> => {
    if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true) {
      return formAnswer(request, body, credentials);
    }
    const caller = credentials.callerOf(request.headers.authorization);
    const path = (request.url ?? '/').replace(/[?#].*$/, '');
    for (const { service, read } of restServices) {
      const found = read(request.method ?? '', path);
      if (found === undefined) continue;
      const { handle, ...known } = found;
      const handler = intercepted(() => handle(body), interceptors);
      return run({ service, ...known, caller, signal }, handler, restAccess);
    }
    const targetAction = String(request.headers['x-amz-target'] ?? '');
    if (!services.has(targetAction.split('.', 1)[0] ?? '')) return unservedAnswer(request, body);
    const traceHeader = request.headers['x-amzn-trace-id'];
    const parsed = body.length === 0 ? {} : jsonObjectIn(body.toString('utf8'));
    return perform(targetAction, parsed, {
      caller,
      signal,
      ...(typeof traceHeader === 'string' ? { traceHeader } : {}),
    });
  };

  return {
    answer,
    perform,
    addRestService: (service: RestService): void => void restServices.push(service),
    addService: (service: AwsService): void => {
      services.set(service.target, { ...service, handle: intercepted(service.handle, interceptors) });
    },
  };
}

export function restAccess({ service, action, resourceArn = '*' }: AwsCall): readonly NeededAccess[] {
  return [{ action: `${service}:${action}`, resourceArn }];
}

/** Serves one call of the older, form-encoded protocol: `aws sts get-caller-identity`, which anybody may make. */
function formAnswer(request: IncomingMessage, body: Buffer, { callerOf }: CredentialStore): AwsAnswer {
  const action = new URLSearchParams(body.toString('utf8')).get('Action');
  if (action !== 'GetCallerIdentity') return unservedAnswer(request, body);
  const caller = callerOf(request.headers.authorization);
  const arn = caller.kind === 'role' ? sessionArn(caller) : 'arn:aws:iam::000000000000:root';
  return {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body:
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
      `<Arn>${arn}</Arn><UserId>000000000000</UserId><Account>000000000000</Account>` +
      '</GetCallerIdentityResult></GetCallerIdentityResponse>',
  };
}
