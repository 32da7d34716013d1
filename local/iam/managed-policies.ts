import type { Json } from '../template/index.ts';

const allow = (...Action: readonly string[]): Json => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
});
const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'] as const;

/** What the role needs that writes API Gateway's logs. Source: API Gateway developer guide, "Set up CloudWatch logging". */
export const API_GATEWAY_LOG_ACTIONS = [
  ...LOGS,
  'logs:DescribeLogGroups',
  'logs:DescribeLogStreams',
  'logs:GetLogEvents',
  'logs:FilterLogEvents',
] as const;

/**
 * The policies managed by AWS that CDK's constructs attach, by what follows `arn:aws:iam::aws:policy/`.
 * Source: AWS Managed Policy Reference.
 */
export const AWS_MANAGED_POLICIES: Readonly<Record<string, Json>> = {
  'service-role/AWSLambdaBasicExecutionRole': allow(...LOGS),
  'service-role/AWSLambdaSQSQueueExecutionRole': allow(
    'sqs:ReceiveMessage',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    ...LOGS,
  ),
  'service-role/AWSLambdaDynamoDBExecutionRole': allow(
    'dynamodb:DescribeStream',
    'dynamodb:GetRecords',
    'dynamodb:GetShardIterator',
    'dynamodb:ListStreams',
    ...LOGS,
  ),
  'service-role/AmazonAPIGatewayPushToCloudWatchLogs': allow(...API_GATEWAY_LOG_ACTIONS),
  AWSXRayDaemonWriteAccess: allow(
    'xray:PutTraceSegments',
    'xray:PutTelemetryRecords',
    'xray:GetSamplingRules',
    'xray:GetSamplingTargets',
    'xray:GetSamplingStatisticSummaries',
  ),
};
