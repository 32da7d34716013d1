import type { HttpApiEvent, WebSocketEvent } from './api-gateway/index.ts';
import type { AccessDeniedEvent } from './iam/index.ts';
import type { LambdaEvent } from './lambda/index.ts';
import type { PipeEvent } from './pipes/index.ts';
import type { ScheduleEvent } from './scheduler/index.ts';

/** What the host tells whoever listens: the command line prints it, tests await it. Listeners must not throw. */
export type HostEvent =
  | HttpApiEvent
  | WebSocketEvent
  | LambdaEvent
  | AccessDeniedEvent
  | ScheduleEvent
  | PipeEvent;
