import type { LambdaEvent } from './lambda/index.ts';

/** What the host tells whoever listens: the command line prints it, tests await it. Listeners must not throw. */
export type HostEvent =
  | {
      readonly type: 'http';
      readonly apiId: string;
      readonly method: string;
      readonly path: string;
      readonly routeKey: string | undefined;
      readonly status: number;
      readonly milliseconds: number;
    }
  | LambdaEvent
  /** A request that policies do not allow, in AWS's words; the same one is told once. */
  | { readonly type: 'access-denied'; readonly message: string }
  | { readonly type: 'schedule'; readonly scheduleName: string; readonly target: string }
  /** What became of an event of a WebSocket API; `status` as HTTP would have it, 101 for a connection. */
  | {
      readonly type: 'web-socket';
      readonly apiId: string;
      readonly connectionId: string;
      readonly routeKey: string;
      readonly status: number;
      readonly milliseconds: number;
    }
  /** A batch that a pipe sent, or tried to. */
  | {
      readonly type: 'pipe';
      readonly pipeName: string;
      readonly size: number;
      /** How many records of the batch are to be tried again, or given up. */
      readonly failed: number;
      /** For each record that was sent: how long ago it was written. */
      readonly waitedMilliseconds: readonly number[];
      readonly errorMessage?: string;
    };
