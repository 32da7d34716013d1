import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logger } from '../../shared/log.ts';
import { dayBody } from '../api.ts';
import { metrics as metricNames } from '../contract.ts';
import type { BusinessDay } from '../domain/business-day.ts';

const metrics = new Metrics({ serviceName: 'reconcile-business-day' });

export function reportDueDays(count: number): void {
  logger.info('due days', { count });
  metrics.addMetric(metricNames.scheduleTicks, MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
}

export function reportRun(
  before: BusinessDay,
  after: BusinessDay,
  run: { readonly sent: number; readonly missing: number },
): void {
  const { businessDate, revision, status } = after;
  logger.info('day reconciled', { businessDate, revision, status, ...run });
  if (status === 'balanced' && before.status !== 'balanced') logger.info('day balanced', dayBody(after));
  if (after.status === 'blocked')
    logger.warn('day blocked', { businessDate, ratesMissing: after.ratesMissing });
  if (after.breaks.length > 0) {
    logger.error('breaks found', {
      businessDate,
      breaks: after.breaks.map(({ kind, subject, count }) => ({ kind, subject, count })),
    });
  }
  metrics.addMetric(metricNames.breaksFound, MetricUnit.Count, after.breaks.length);
  metrics.addMetric(metricNames.daysBlocked, MetricUnit.Count, status === 'blocked' ? 1 : 0);
  metrics.publishStoredMetrics();
}
