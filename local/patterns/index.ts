/** Event patterns: the filters of event source mappings and pipes. */
export { compileQueueFilter, filterPatterns, type EventPattern } from './event-pattern.ts';
