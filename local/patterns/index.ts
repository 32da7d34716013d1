/** Event patterns: the filters of event source mappings and pipes. */
export { compileQueueFilter, filterPatterns } from './event-pattern.ts';
