/** EventBridge Scheduler: schedules and their expressions. */
export { SCHEDULER_TYPES, type HostedSchedule, type ScheduleEvent } from './resources.ts';
export { parseScheduleExpression } from './schedule-expression.ts';
