/** The local host, as other programs use it: they start it, watch it, and read the templates that it runs. */
export { startLocalHost } from './host.ts';
export type { LocalHost, LocalHostOptions } from './host.ts';
export type { HostEvent } from './events.ts';
export { itemBytes } from './dynamodb/item.ts';
export { unitsIn, usageBetween } from './usage.ts';
export type { UsageRecord, UsageUnit } from './usage.ts';
export { partsOf, without } from './iam/policies.ts';
export type { Policies, PolicyPart } from './iam/policies.ts';
export { parseScheduleExpression } from './scheduler/schedule-expression.ts';
export { loadAssembly } from './template/assembly.ts';
export { isJsonList, isJsonObject, objectAt, textAt } from './template/template.ts';
export type { JsonObject } from './template/template.ts';
