/** What other programs use: to start the host, watch it, and read the templates that it runs. */
export { startLocalHost } from './host.ts';
export type { LocalHost, LocalHostOptions } from './host.ts';
export type { HostEvent } from './services.ts';
export { itemBytes } from './dynamodb/index.ts';
export { unitsIn, usageBetween } from './usage.ts';
export type { UsageRecord, UsageUnit } from './usage.ts';
export { parseScheduleExpression } from './scheduler/index.ts';
export { loadAssembly } from './template/index.ts';
export { isJsonList, isJsonObject, objectAt, textAt } from './template/index.ts';
export type { JsonObject } from './template/index.ts';
