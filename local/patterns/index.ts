/** Event patterns: the filters of event source mappings and pipes. */
export type { EventPattern } from './event-pattern.ts';
export { compileQueueFilter, filterPatterns } from './filter-criteria.ts';
