import {
  provisionApi,
  provisionAuthorizer,
  provisionIntegration,
  provisionRoute,
  provisionStage,
} from './api-gateway/api.ts';
import { provisionApiGatewayAccount } from './api-gateway/provision-account.ts';
import { provisionTable } from './dynamodb/provision-table.ts';
import { provisionEventSourceMapping } from './lambda/provision-mapping.ts';
import {
  provisionResourceServer,
  provisionUserPool,
  provisionUserPoolClient,
  provisionUserPoolDomain,
} from './cognito/provision-user-pool.ts';
import {
  provisionManagedPolicy,
  provisionPermission,
  provisionPolicy,
  provisionQueuePolicy,
  provisionRole,
} from './iam/provision-iam.ts';
import { provisionInert, provisionLogGroup } from './provision-inert.ts';
import { provisionFunction } from './lambda/provision-function.ts';
import { provisionPipe } from './pipes/provision-pipe.ts';
import type { Provision } from './world.ts';
import { provisionSchedule } from './scheduler/provision-schedule.ts';
import { provisionQueue } from './sqs/provision-queue.ts';
import {
  provisionIntegrationResponse,
  provisionRouteResponse,
} from './api-gateway/provision-web-socket-api.ts';

/** How each type of resource that `support.ts` lists is made. */
export const PROVISIONS: Readonly<Record<string, Provision>> = {
  'AWS::ApiGateway::Account': provisionApiGatewayAccount,
  'AWS::ApiGatewayV2::Api': provisionApi,
  'AWS::ApiGatewayV2::Authorizer': provisionAuthorizer,
  'AWS::ApiGatewayV2::Integration': provisionIntegration,
  'AWS::ApiGatewayV2::IntegrationResponse': provisionIntegrationResponse,
  'AWS::ApiGatewayV2::Route': provisionRoute,
  'AWS::ApiGatewayV2::RouteResponse': provisionRouteResponse,
  'AWS::ApiGatewayV2::Stage': provisionStage,
  'AWS::CDK::Metadata': provisionInert(undefined, (name) => name),
  'AWS::CloudWatch::Alarm': provisionInert(
    'AlarmName',
    (name, { region, accountId }) => `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`,
  ),
  'AWS::CloudWatch::CompositeAlarm': provisionInert(
    'AlarmName',
    (name, { region, accountId }) => `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`,
  ),
  'AWS::CloudWatch::Dashboard': provisionInert(
    'DashboardName',
    (name, { accountId }) => `arn:aws:cloudwatch::${accountId}:dashboard/${name}`,
  ),
  'AWS::Cognito::UserPool': provisionUserPool,
  'AWS::Cognito::UserPoolClient': provisionUserPoolClient,
  'AWS::Cognito::UserPoolDomain': provisionUserPoolDomain,
  'AWS::Cognito::UserPoolResourceServer': provisionResourceServer,
  'AWS::DynamoDB::GlobalTable': provisionTable,
  'AWS::DynamoDB::Table': provisionTable,
  'AWS::IAM::ManagedPolicy': provisionManagedPolicy,
  'AWS::IAM::Policy': provisionPolicy,
  'AWS::IAM::Role': provisionRole,
  'AWS::Lambda::EventSourceMapping': provisionEventSourceMapping,
  'AWS::Lambda::Function': provisionFunction,
  'AWS::Lambda::Permission': provisionPermission,
  'AWS::Logs::LogGroup': provisionLogGroup,
  'AWS::Logs::MetricFilter': provisionInert('FilterName', (name) => name),
  'AWS::Pipes::Pipe': provisionPipe,
  'AWS::SNS::Subscription': provisionInert(undefined, (name) => name, { refIsArn: true }),
  'AWS::SNS::Topic': provisionInert(
    'TopicName',
    (name, { region, accountId }) => `arn:aws:sns:${region}:${accountId}:${name}`,
    { refIsArn: true },
  ),
  'AWS::SNS::TopicPolicy': provisionInert(undefined, (name) => name),
  'AWS::SQS::Queue': provisionQueue,
  'AWS::SQS::QueuePolicy': provisionQueuePolicy,
  'AWS::Scheduler::Schedule': provisionSchedule,
  'AWS::Scheduler::ScheduleGroup': provisionInert(
    'Name',
    (name, { region, accountId }) => `arn:aws:scheduler:${region}:${accountId}:schedule-group/${name}`,
  ),
};
