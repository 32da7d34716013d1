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

/** What an alarm tells the person who is woken by it. */
export interface AlarmText {
  /** What has happened, and what that means to the people who rely on the system. */
  readonly impact: string;
  /** A heading of `docs/runbook.md`. */
  readonly runbookHeading: string;
}

export interface RunbookAlarmProps extends AlarmText {
  readonly metric: IMetric;
  /**
   * The alarm rings from this value on.
   * @default 1
   */
  readonly threshold?: number;
  /**
   * So many of the metric's periods in a row must be at the threshold.
   * @default 1
   */
  readonly periods?: number;
  /**
   * True if the alarm rings when the metric falls silent for all its periods: CloudWatch then shows it as having
   * insufficient data. So a stack that is being made, whose metric has not begun, wakes nobody.
   * @default false: no data is good news
   */
  readonly ringsOnSilence?: boolean;
  readonly topic: ITopic;
}

/** An alarm that says what has happened, and where the runbook says what to do. */
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

/** The sum of several counts; one that has no data counts as 0. */
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
