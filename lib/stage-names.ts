import { metrics } from '../lambda/card-settlement/contract.ts';
import type { Stage } from './config.ts';

type StackPart = 'Identity' | 'CardSettlement' | 'Chat';
type ApiPart = 'card-settlement' | 'chat' | 'chat-live';

/** Stages that are put on AWS, where they live side by side. The others run on one machine, one at a time. */
export const deployableStages = ['sandbox', 'production'] as const satisfies readonly Stage[];
export type DeployableStage = (typeof deployableStages)[number];

/** What the names of a stage carry: nothing but in production, so that the stages of one machine read as sandbox does. */
function mark(stage: Stage): string {
  return stage === 'production' ? stage : '';
}

/** `DuotempoChat`, `DuotempoProductionChat`. */
export function stackNameOf(stage: Stage, part: StackPart): string {
  const marked = mark(stage);
  return `Duotempo${marked.slice(0, 1).toUpperCase()}${marked.slice(1)}${part}`;
}

/** `chat`, `chat-production`; the local host serves the API below a path of this name. */
export function apiNameOf(stage: Stage, part: ApiPart): string {
  return [part, mark(stage)].filter(Boolean).join('-');
}

/** The CloudWatch namespace of a stage's metrics: what one stage tells of itself rings no alarm of another. */
export function metricsNamespaceOf(stage: Stage): string {
  return [metrics.namespace, mark(stage)].filter(Boolean).join('/');
}
