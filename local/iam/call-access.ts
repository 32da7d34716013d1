import type { AwsCall } from '../endpoint/aws-service.ts';
import { sourceOfTask } from '../sqs/move-tasks.ts';
import { isJsonList, isJsonObject, objectAt, textAt, type JsonObject } from '../template/index.ts';

/** An action on a resource that a call must be allowed. */
export interface NeededAccess {
  readonly action: string;
  readonly resourceArn: string;
}

type Place = { readonly accountId: string; readonly region: string };

/**
 * What a call of the AWS endpoint must be allowed: one action on one resource as a rule, one for each table of a batch,
 * nothing where AWS asks no one.
 *
 * Source: Service Authorization Reference, "Actions, resources, and condition keys" for DynamoDB, SQS, Cognito user
 * pools, API Gateway Management and STS.
 */
export function neededAccess(call: AwsCall, place: Place): readonly NeededAccess[] {
  switch (call.service) {
    case 'dynamodb':
      return dynamoDbAccess(call, place);
    case 'sqs':
      return sqsAccess(call, place);
    case 'cognito-idp':
      return UNAUTHENTICATED.has(call.action)
        ? []
        : [{ action: `cognito-idp:${call.action}`, resourceArn: userPoolArn(call.request, place) }];
    default:
      return [{ action: `${call.service}:${call.action}`, resourceArn: call.resourceArn ?? '*' }];
  }
}

/** Operations of a user pool that its clients' users call without credentials of AWS. */
const UNAUTHENTICATED: ReadonlySet<string> = new Set([
  'ConfirmForgotPassword',
  'ConfirmSignUp',
  'ForgotPassword',
  'GetTokensFromRefreshToken',
  'GetUser',
  'GlobalSignOut',
  'InitiateAuth',
  'ResendConfirmationCode',
  'RespondToAuthChallenge',
  'RevokeToken',
  'SignUp',
]);

function dynamoDbAccess({ action, request }: AwsCall, place: Place): readonly NeededAccess[] {
  const needed = (resourceArn: string, as = action): NeededAccess => ({
    action: `dynamodb:${as}`,
    resourceArn,
  });
  switch (action) {
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.keys(objectAt(request, 'RequestItems')).map((table) => needed(tableArn(table, place)));
    case 'TransactGetItems':
    case 'TransactWriteItems':
      return transactionItems(request).map(([as, item]) =>
        needed(tableArn(textAt(item, 'TableName'), place), as),
      );
    case 'DescribeStream':
    case 'GetShardIterator':
      return [needed(textAt(request, 'StreamArn') ?? '*')];
    case 'GetRecords':
      // The host's iterators begin with their stream.
      return [needed((textAt(request, 'ShardIterator') ?? '*').replace(/#.*$/, ''))];
    case 'ListStreams':
    case 'ListTables':
    case 'DescribeLimits':
    case 'DescribeEndpoints':
      return [needed('*')];
    default: {
      const indexName = action === 'Query' || action === 'Scan' ? textAt(request, 'IndexName') : undefined;
      const table = tableArn(textAt(request, 'TableName'), place);
      return [needed(indexName === undefined ? table : `${table}/index/${indexName}`)];
    }
  }
}

/** The parts of a transaction are allowed or refused as the single calls would be. */
const TRANSACTION_ACTIONS: Readonly<Record<string, string>> = {
  ConditionCheck: 'ConditionCheckItem',
  Delete: 'DeleteItem',
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
};

function transactionItems(request: JsonObject): readonly (readonly [action: string, item: JsonObject])[] {
  const items = isJsonList(request['TransactItems']) ? request['TransactItems'].filter(isJsonObject) : [];
  return items.flatMap((item) =>
    Object.keys(item).map((kind) => [TRANSACTION_ACTIONS[kind] ?? kind, objectAt(item, kind)] as const),
  );
}

function tableArn(table: string | undefined, { accountId, region }: Place): string {
  if (table === undefined) return '*';
  return table.startsWith('arn:') ? table : `arn:aws:dynamodb:${region}:${accountId}:table/${table}`;
}

function sqsAccess({ action, request }: AwsCall, place: Place): readonly NeededAccess[] {
  if (!/MessageMoveTasks?$/.test(action)) {
    return [{ action: `sqs:${sqsAction(action)}`, resourceArn: queueArn(request, place) }];
  }
  // Source: SQS developer guide, "Permissions for a dead-letter queue redrive".
  const source = textAt(request, 'SourceArn') ?? sourceOfTask(textAt(request, 'TaskHandle')) ?? '*';
  const destination = textAt(request, 'DestinationArn');
  return [
    ...[action, 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((as) => ({
      action: `sqs:${as}`,
      resourceArn: source,
    })),
    ...(destination === undefined ? [] : [{ action: 'sqs:SendMessage', resourceArn: destination }]),
  ];
}

/** `SendMessageBatch` needs `sqs:SendMessage`: IAM knows no batch actions of SQS. */
function sqsAction(action: string): string {
  return action.replace(/^(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch$/, '$1');
}

function queueArn(request: JsonObject, { accountId, region }: Place): string {
  const name =
    textAt(request, 'QueueName') ??
    textAt(request, 'QueueUrl')
      ?.split('/')
      .findLast((part) => part !== '');
  return name === undefined ? '*' : `arn:aws:sqs:${region}:${accountId}:${name}`;
}

function userPoolArn(request: JsonObject, { accountId, region }: Place): string {
  const userPoolId = textAt(request, 'UserPoolId');
  return userPoolId === undefined ? '*' : `arn:aws:cognito-idp:${region}:${accountId}:userpool/${userPoolId}`;
}
