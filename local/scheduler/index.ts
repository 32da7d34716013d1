/** EventBridge Scheduler: schedules and their expressions. */
export { SCHEDULER_TYPES, type ScheduleEvent } from './resources.ts';
export { parseScheduleExpression } from './schedule-expression.ts';
