/** What a worker thread tells its host; see function-runtime.mjs for the other side. */
export type FunctionMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'initError'; readonly errorType: string; readonly errorMessage: string }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'result'; readonly requestId: string; readonly payload: string }
  | {
      readonly kind: 'error';
      readonly requestId: string | undefined;
      readonly errorType: string;
      readonly errorMessage: string;
      /** The worker ends itself after this message. */
      readonly exiting: boolean;
    };

/** Undefined for anything else: a function can reach its thread's port and post what it likes. */
export function parseFunctionMessage(message: unknown): FunctionMessage | undefined {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return undefined;
  const { kind, requestId, payload, line, errorType, errorMessage, exiting } = message as Record<
    string,
    unknown
  >;
  if (kind === 'ready') return { kind };
  if (kind === 'log' && typeof line === 'string') return { kind, line };
  if (kind === 'result' && typeof requestId === 'string' && typeof payload === 'string') {
    return { kind, requestId, payload };
  }
  if (typeof errorType !== 'string' || typeof errorMessage !== 'string') return undefined;
  if (kind === 'initError') return { kind, errorType, errorMessage };
  if (kind === 'error' && (requestId === undefined || typeof requestId === 'string')) {
    return { kind, requestId, errorType, errorMessage, exiting: exiting === true };
  }
  return undefined;
}
