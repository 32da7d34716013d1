/** EventBridge Scheduler: schedules and their expressions. */
export type { HostedSchedule } from './provision-schedule.ts';
export { SCHEDULER_TYPES } from './resources.ts';
export { parseScheduleExpression } from './schedule-expression.ts';
