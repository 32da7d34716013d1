import {
  inert,
  inertType,
  observability,
  optionalText,
  physicalName,
  type Naming,
  type Place,
  type Provision,
  type ResourceTypes,
} from './template/index.ts';

export interface LogWorld extends Place {
  readonly logGroups: Set<string>;
}

const alarms = inert('The host publishes no metrics, so no alarm can fire.');
const alarmNaming: Naming = {
  nameProperty: 'AlarmName',
  arnOf: (name, { region, accountId }) => `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`,
};

const under = (prefix: string, names: string): readonly string[] =>
  names.split(' ').map((name) => `${prefix}${name}`);

const anyAlarm = [
  'ActionsEnabled AlarmActions AlarmDescription AlarmName InsufficientDataActions',
  'OKActions Tags[].Key Tags[].Value',
  ...under('ActionConfiguration.AlarmTagsPropagation.', 'Enabled ExcludedTagKeys IncludedTagKeys'),
];

/** Roles that may write to a log group do so, but the host drops the lines. */
const provisionLogGroup: Provision<LogWorld> = (resource, { region, accountId, logGroups }) => {
  const name = optionalText(resource, 'LogGroupName') ?? physicalName(resource.stackName, resource.logicalId);
  logGroups.add(name);
  return { ref: name, attributes: { Arn: `arn:aws:logs:${region}:${accountId}:log-group:${name}:*` } };
};

/** Types that do nothing here; other resources may refer to them. */
export const INERT_TYPES: ResourceTypes<LogWorld> = {
  'AWS::Logs::LogGroup': {
    ...inertType(
      observability,
      {},
      'BearerTokenAuthenticationEnabled DataProtectionPolicy DeletionProtectionEnabled',
      'FieldIndexPolicies KmsKeyId LogGroupClass LogGroupName ResourcePolicyDocument',
      'RetentionInDays Tags[].Key Tags[].Value',
    ),
    provision: provisionLogGroup,
  },
  'AWS::CloudWatch::Alarm': inertType(
    alarms,
    alarmNaming,
    ...anyAlarm,
    'ComparisonOperator DatapointsToAlarm Dimensions[].Name Dimensions[].Value',
    'EvaluateLowSampleCountPercentile EvaluationInterval EvaluationPeriods ExtendedStatistic',
    ...under('EvaluationCriteria.PromQLCriteria.', 'PendingPeriod Query RecoveryPeriod'),
    'EvaluationWindow.SlidingWindow EvaluationWindow.WallClockWindow.Timezone',
    ...under('Metrics[].', 'AccountId Expression Id Label Period ReturnData'),
    ...under('Metrics[].MetricStat.', 'Period Stat Unit Metric.MetricName Metric.Namespace'),
    ...under('Metrics[].MetricStat.Metric.Dimensions[].', 'Name Value'),
    'MetricName Namespace Period Statistic Threshold ThresholdMetricId',
    'TreatMissingData Unit WarmUpConfiguration.OnlyStartEvaluatingAfterWarmUpPeriodEnds',
    'WarmUpConfiguration.WarmUpPeriodDurationInMinutes',
  ),
  'AWS::CloudWatch::CompositeAlarm': inertType(
    alarms,
    alarmNaming,
    ...anyAlarm,
    'ActionsSuppressor ActionsSuppressorExtensionPeriod ActionsSuppressorWaitPeriod AlarmRule',
  ),
  'AWS::CloudWatch::Dashboard': inertType(
    observability,
    {
      nameProperty: 'DashboardName',
      arnOf: (name, { accountId }) => `arn:aws:cloudwatch::${accountId}:dashboard/${name}`,
    },
    'DashboardBody DashboardName Tags[].Key Tags[].Value',
  ),
  'AWS::Logs::MetricFilter': inertType(
    observability,
    { nameProperty: 'FilterName' },
    'ApplyOnTransformedLogs EmitSystemFieldDimensions FieldSelectionCriteria FilterName',
    'FilterPattern LogGroupName',
    ...under('MetricTransformations[].', 'DefaultValue MetricName MetricNamespace MetricValue Unit'),
    ...under('MetricTransformations[].Dimensions[].', 'Key Value'),
  ),
  'AWS::SNS::Topic': inertType(
    alarms,
    {
      nameProperty: 'TopicName',
      arnOf: (name, { region, accountId }) => `arn:aws:sns:${region}:${accountId}:${name}`,
      refIsArn: true,
    },
    'ArchivePolicy ContentBasedDeduplication DataProtectionPolicy DisplayName',
    ...under('DeliveryStatusLogging[].', 'FailureFeedbackRoleArn Protocol SuccessFeedbackRoleArn'),
    'DeliveryStatusLogging[].SuccessFeedbackSampleRate',
    'FifoThroughputScope FifoTopic KmsMasterKeyId MaximumMessageSize SignatureVersion',
    'Subscription[].Endpoint Subscription[].Protocol Tags[].Key Tags[].Value TopicName',
    'TracingConfig',
  ),
  'AWS::SNS::TopicPolicy': inertType(alarms, {}, 'PolicyDocument', 'Topics'),
  'AWS::SNS::Subscription': inertType(
    alarms,
    { refIsArn: true },
    'DeliveryPolicy Endpoint FilterPolicy FilterPolicyScope Protocol RawMessageDelivery',
    'RedrivePolicy Region ReplayPolicy SubscriptionRoleArn TopicArn',
  ),
  'AWS::CDK::Metadata': inertType(
    inert('Says which version of CDK wrote the template.'),
    {},
    'Analytics Modules',
  ),
};
