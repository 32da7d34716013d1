import { metrics } from '../lambda/card-settlement/contract.ts';
import type { Stage } from './config.ts';

type StackPart = 'Identity' | 'CardSettlement' | 'Chat';
type ApiPart = 'card-settlement' | 'chat' | 'chat-live';

/** Side by side on AWS. The others run on one machine, one at a time. */
export const deployableStages = ['sandbox', 'production'] as const satisfies readonly Stage[];
export type DeployableStage = (typeof deployableStages)[number];

/** Only production is marked: local stages have the names of the sandbox. */
function mark(stage: Stage): string {
  return stage === 'production' ? stage : '';
}

/** `DuotempoChat`, `DuotempoProductionChat`. */
export function stackNameOf(stage: Stage, part: StackPart): string {
  const marked = mark(stage);
  return `Duotempo${marked.slice(0, 1).toUpperCase()}${marked.slice(1)}${part}`;
}

/** `chat`, `chat-production`: on the local host, the API's path. */
export function apiNameOf(stage: Stage, part: ApiPart): string {
  return [part, mark(stage)].filter(Boolean).join('-');
}

/** Metrics of one stage must not raise alarms of another. */
export function metricsNamespaceOf(stage: Stage): string {
  return [metrics.namespace, mark(stage)].filter(Boolean).join('/');
}
