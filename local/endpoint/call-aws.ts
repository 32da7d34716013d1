import { isJsonObject, textAt, type JsonObject } from '../template/index.ts';
import type { AwsAnswer } from './service.ts';

export class AwsCallError extends Error {
  /** @param name without its namespace: `AccessDeniedException` */
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/**
 * Calls an API as one role, without the cost of HTTP. Rejects with an AwsCallError where the call is refused, and at
 * once when the signal aborts.
 * @param target such as `AmazonSQS.SendMessage`
 */
export type CallAws = (target: string, request: JsonObject, signal?: AbortSignal) => Promise<JsonObject>;

export function createCallAws(
  perform: (target: string, request: JsonObject, signal: AbortSignal) => Promise<AwsAnswer>,
): CallAws {
  return async (target, request, signal) => {
    signal?.throwIfAborted();
    const gone = new AbortController();
    const aborted = new Promise<never>((_, reject) => {
      gone.signal.addEventListener('abort', () =>
        reject(new AwsCallError('AbortError', 'The call was aborted.')),
      );
    });
    // Nobody may be waiting for it.
    aborted.catch(() => undefined);
    const abort = (): void => gone.abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([answered(perform(target, copyOf(request), gone.signal)), aborted]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  };
}

async function answered(performing: Promise<AwsAnswer>): Promise<JsonObject> {
  const { status, body } = await performing;
  const answer = copyOf(body);
  if (status < 300) return answer;
  const name = (textAt(answer, '__type') ?? 'InternalFailure').replace(/^.*#/, '');
  throw new AwsCallError(name, textAt(answer, 'message') ?? textAt(answer, 'Message') ?? name);
}

/** As over the network, neither side sees later changes by the other. */
function copyOf(value: unknown): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(value) ?? '{}');
  return isJsonObject(copy) ? copy : {};
}
