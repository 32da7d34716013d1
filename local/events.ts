import type { HttpApiEvent, WebSocketEvent } from './api-gateway/index.ts';
import type { AccessDeniedEvent } from './iam/index.ts';
import type { LambdaEvent } from './lambda/index.ts';

/** What the host tells whoever listens: the command line prints it, tests await it. Listeners must not throw. */
export type HostEvent =
  | HttpApiEvent
  | LambdaEvent
  | AccessDeniedEvent
  | { readonly type: 'schedule'; readonly scheduleName: string; readonly target: string }
  | WebSocketEvent
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
