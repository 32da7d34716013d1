import { awsError, type Interceptor } from '../../local/testing.ts';

/** What goes wrong with the frames that functions push to connections. */
export interface PushFaults {
  readonly interceptor: Interceptor;
  readonly stick: (connectionId: string) => void;
  /** API Gateway refuses so many pushes to the connection, after so many others. */
  readonly refuse: (connectionId: string, after: number, times: number) => void;
}

export function pushFaults(): PushFaults {
  const stuck = new Set<string>();
  const refused = new Map<string, { after: number; times: number }>();
  return {
    interceptor: async ({ service, request, signal }, proceed) => {
      const { connectionId, method } = request;
      if (service !== 'execute-api' || method !== 'POST' || typeof connectionId !== 'string')
        return proceed();
      if (stuck.has(connectionId)) {
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        return awsError('GoneException', 'Nobody hears this.', 410);
      }
      const refusal = refused.get(connectionId);
      if (refusal === undefined || refusal.after-- > 0 || refusal.times-- <= 0) return proceed();
      return awsError('InternalServerException', 'No luck', 500);
    },
    stick: (connectionId) => void stuck.add(connectionId),
    refuse: (connectionId, after, times) => void refused.set(connectionId, { after, times }),
  };
}
