import type { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  MathExpression,
  TreatMissingData,
  type IMetric,
  type Metric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

export interface AlarmText {
  /** What has happened, and what it means to the people who rely on the system. */
  readonly impact: string;
  /** A heading of `docs/runbook.md`. */
  readonly runbookHeading: string;
}

export interface RunbookAlarmProps extends AlarmText {
  readonly metric: IMetric;
  /** @default 1 */
  readonly threshold?: number;
  /** In a row. @default 1 */
  readonly periods?: number;
  /**
   * Rings when the metric has had data and then none for all periods. A new stack's metric wakes nobody.
   * @default false: no data is good news
   */
  readonly ringsOnSilence?: boolean;
  readonly topic: ITopic;
}

export class RunbookAlarm extends Alarm {
  constructor(scope: Construct, id: string, props: RunbookAlarmProps) {
    super(scope, id, {
      alarmDescription: `${props.impact} Runbook: "${props.runbookHeading}".`,
      metric: props.metric,
      threshold: props.threshold ?? 1,
      evaluationPeriods: props.periods ?? 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData:
        props.ringsOnSilence === true ? TreatMissingData.MISSING : TreatMissingData.NOT_BREACHING,
    });
    const action = new SnsAction(props.topic);
    if (props.ringsOnSilence === true) this.addInsufficientDataAction(action);
    else this.addAlarmAction(action);
  }
}

/** A count without data is 0. */
export function sumOf(metrics: readonly Metric[], period: Duration): MathExpression {
  const using = Object.fromEntries(metrics.map((metric, number) => [`m${number}`, metric]));
  return new MathExpression({
    expression: Object.keys(using)
      .map((name) => `FILL(${name}, 0)`)
      .join(' + '),
    usingMetrics: using,
    period,
  });
}
