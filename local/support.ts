/**
 * Every resource type and property that the local host has heard of. What is not listed is refused at start, because
 * a program that runs here must not meet a surprise on AWS: the host honours a property, or says why it need not.
 */

export type Support =
  | { readonly kind: 'honoured'; readonly only?: RegExp }
  | { readonly kind: 'inert'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface TypeSupport {
  readonly support: Support;
  /**
   * By path: `[]` stands for the items of a list, `*` for any key of a map. A path without longer ones below it
   * covers all that it holds.
   */
  readonly properties: Readonly<Record<string, Support>>;
}

const honoured: Support = { kind: 'honoured' };
const only = (pattern: RegExp): Support => ({ kind: 'honoured', only: pattern });
const inert = (reason: string): Support => ({ kind: 'inert', reason });
const refused = (reason: string): Support => ({ kind: 'refused', reason });

const tags = inert('Tags change nothing that a program can see.');
const name = honoured;
const encryption = inert('Encryption at rest does not change what a program reads.');
const capacity = inert('Capacity is not simulated: the host never throttles a table.');
const recovery = inert('There is nothing to recover: the data lives as long as the host.');
const assumedByApiGateway = refused(
  'API Gateway invokes functions as their permissions allow; it does not assume a role for it here.',
);
const observability = inert('Nobody watches metrics, logs and traces of a laptop.');
const networking = refused('The host has no network of its own.');
const alarms = inert('The host publishes no metrics, so no alarm can fire.');
const expiry = inert("DynamoDB's deletes lag by days, so programs must filter; the host never deletes.");

/** A type of which everything is inert. */
const inertType = (support: Support): TypeSupport => ({ support, properties: { '*': support } });

const keySchema = { 'KeySchema[].AttributeName': honoured, 'KeySchema[].KeyType': honoured };
const indexes = Object.fromEntries(
  ['GlobalSecondaryIndexes[]', 'LocalSecondaryIndexes[]'].flatMap((index) => [
    [`${index}.IndexName`, honoured],
    ...Object.keys(keySchema).map((path) => [`${index}.${path}`, honoured] as const),
    [`${index}.Projection.ProjectionType`, honoured],
    [`${index}.Projection.NonKeyAttributes`, honoured],
    [`${index}.ContributorInsightsSpecification`, observability],
    [`${index}.ProvisionedThroughput`, capacity],
    [`${index}.OnDemandThroughput`, capacity],
    [`${index}.WriteProvisionedThroughputSettings`, capacity],
    [`${index}.WriteOnDemandThroughputSettings`, capacity],
    [`${index}.WarmThroughput`, capacity],
  ]),
);

const table: Readonly<Record<string, Support>> = {
  TableName: name,
  'AttributeDefinitions[].AttributeName': honoured,
  'AttributeDefinitions[].AttributeType': honoured,
  ...keySchema,
  ...indexes,
  BillingMode: inert('The host never throttles a table, whoever pays for it.'),
  WarmThroughput: capacity,
  SSESpecification: encryption,
  TimeToLiveSpecification: expiry,
  'StreamSpecification.StreamViewType': honoured,
  'StreamSpecification.ResourcePolicy.PolicyDocument': honoured,
};

const scheduleTarget: Readonly<Record<string, Support>> = {
  'Target.Arn': only(/^arn:aws:(sqs|lambda):/),
  'Target.RoleArn': honoured,
  'Target.Input': honoured,
  'Target.RetryPolicy.MaximumRetryAttempts': honoured,
  'Target.RetryPolicy.MaximumEventAgeInSeconds': honoured,
  'Target.DeadLetterConfig.Arn': honoured,
  // CDK writes an empty object for a standard queue.
  'Target.SqsParameters.MessageGroupId': refused('FIFO queues are not supported.'),
};

const stream = 'SourceParameters.DynamoDBStreamParameters';
const pipeSource: Readonly<Record<string, Support>> = {
  'SourceParameters.FilterCriteria.Filters[].Pattern': honoured,
  [`${stream}.BatchSize`]: honoured,
  [`${stream}.DeadLetterConfig.Arn`]: honoured,
  [`${stream}.MaximumBatchingWindowInSeconds`]: honoured,
  [`${stream}.MaximumRecordAgeInSeconds`]: honoured,
  [`${stream}.MaximumRetryAttempts`]: honoured,
  [`${stream}.OnPartialBatchItemFailure`]: inert('Of a batch for SQS only failed entries are tried again.'),
  [`${stream}.ParallelizationFactor`]: only(/^1$/),
  [`${stream}.StartingPosition`]: honoured,
};

const redrive: Readonly<Record<string, Support>> = {
  'RedrivePolicy.deadLetterTargetArn': honoured,
  'RedrivePolicy.maxReceiveCount': honoured,
  RedriveAllowPolicy: inert('Every queue here belongs to the one account.'),
};

const throttling = (path: string): Readonly<Record<string, Support>> => ({
  [`${path}.ThrottlingBurstLimit`]: honoured,
  [`${path}.ThrottlingRateLimit`]: honoured,
  [`${path}.DetailedMetricsEnabled`]: observability,
  [`${path}.DataTraceEnabled`]: observability,
  [`${path}.LoggingLevel`]: observability,
});

export const SUPPORT: Readonly<Record<string, TypeSupport>> = {
  'AWS::DynamoDB::Table': {
    support: honoured,
    properties: {
      ...table,
      ProvisionedThroughput: capacity,
      OnDemandThroughput: capacity,
      PointInTimeRecoverySpecification: recovery,
      DeletionProtectionEnabled: honoured,
      ContributorInsightsSpecification: observability,
      TableClass: inert('Storage classes differ in price only.'),
      'ResourcePolicy.PolicyDocument': honoured,
      Tags: tags,
      KinesisStreamSpecification: refused('There is no Kinesis here.'),
      ImportSourceSpecification: refused('There is no S3 to import from.'),
    },
  },
  'AWS::DynamoDB::GlobalTable': {
    support: honoured,
    properties: {
      ...table,
      WriteProvisionedThroughputSettings: capacity,
      WriteOnDemandThroughputSettings: capacity,
      MultiRegionConsistency: refused('The host has one region.'),
      GlobalTableWitnesses: refused('The host has one region.'),
      'Replicas[].Region': only(/^us-east-1$/),
      'Replicas[].PointInTimeRecoverySpecification': recovery,
      'Replicas[].DeletionProtectionEnabled': recovery,
      'Replicas[].ContributorInsightsSpecification': observability,
      'Replicas[].TableClass': inert('Storage classes differ in price only.'),
      'Replicas[].ResourcePolicy.PolicyDocument': honoured,
      'Replicas[].SSESpecification': encryption,
      'Replicas[].Tags': tags,
      'Replicas[].GlobalSecondaryIndexes': capacity,
      'Replicas[].ReadProvisionedThroughputSettings': capacity,
      'Replicas[].ReadOnDemandThroughputSettings': capacity,
      'Replicas[].KinesisStreamSpecification': refused('There is no Kinesis here.'),
      'Replicas[].ReplicaStreamSpecification.ResourcePolicy.PolicyDocument': honoured,
    },
  },
  'AWS::SQS::Queue': {
    support: honoured,
    properties: {
      QueueName: name,
      VisibilityTimeout: honoured,
      DelaySeconds: honoured,
      MaximumMessageSize: honoured,
      MessageRetentionPeriod: honoured,
      ReceiveMessageWaitTimeSeconds: honoured,
      ...redrive,
      FifoQueue: only(/^false$/),
      SqsManagedSseEnabled: encryption,
      KmsMasterKeyId: encryption,
      KmsDataKeyReusePeriodSeconds: encryption,
      Tags: tags,
    },
  },
  'AWS::SQS::QueuePolicy': { support: honoured, properties: { Queues: honoured, PolicyDocument: honoured } },
  'AWS::Lambda::Function': {
    support: honoured,
    properties: {
      FunctionName: name,
      'Code.S3Bucket': inert('The key alone finds the asset in the cloud assembly.'),
      'Code.S3Key': honoured,
      'Code.ZipFile': honoured,
      'Code.ImageUri': refused('The host runs no containers.'),
      Handler: honoured,
      Runtime: only(/^nodejs\d+\.x$/),
      Role: honoured,
      'Environment.Variables': honoured,
      Timeout: honoured,
      MemorySize: honoured,
      ReservedConcurrentExecutions: honoured,
      PackageType: only(/^Zip$/),
      Architectures: inert('JavaScript runs on the processor of the laptop.'),
      Description: inert('A description is for people.'),
      EphemeralStorage: inert('/tmp is as large as the laptop allows.'),
      KmsKeyArn: encryption,
      'LoggingConfig.LogFormat': only(/^(JSON|Text)$/),
      'LoggingConfig.LogGroup': honoured,
      'LoggingConfig.ApplicationLogLevel': refused('The host does not leave log lines out.'),
      'LoggingConfig.SystemLogLevel': inert('The host writes no lines of the platform.'),
      RecursiveLoop: only(/^(Allow|Terminate)$/),
      RuntimeManagementConfig: inert('The Node.js that runs the host runs the functions.'),
      SnapStart: inert('Workers start in milliseconds.'),
      Tags: tags,
      TracingConfig: observability,
      DeadLetterConfig: refused('Failed asynchronous invocations are not kept.'),
      FileSystemConfigs: networking,
      ImageConfig: refused('The host runs no containers.'),
      Layers: refused('Layers are not mounted; bundle what the function needs.'),
      VpcConfig: networking,
    },
  },
  'AWS::Lambda::EventSourceMapping': {
    support: honoured,
    properties: {
      EventSourceArn: only(/^arn:aws:sqs:/),
      FunctionName: honoured,
      BatchSize: honoured,
      MaximumBatchingWindowInSeconds: honoured,
      Enabled: honoured,
      FunctionResponseTypes: honoured,
      'ScalingConfig.MaximumConcurrency': honoured,
      MetricsConfig: observability,
      Tags: tags,
      'FilterCriteria.Filters[].Pattern': honoured,
    },
  },
  'AWS::Lambda::Permission': {
    support: honoured,
    properties: {
      Action: honoured,
      FunctionName: honoured,
      Principal: honoured,
      SourceArn: honoured,
      SourceAccount: honoured,
      EventSourceToken: refused('Only Alexa sends tokens.'),
      FunctionUrlAuthType: refused('Functions have no URLs here.'),
      InvokedViaFunctionUrl: refused('Functions have no URLs here.'),
      PrincipalOrgID: refused('The host has one account, in no organization.'),
    },
  },
  'AWS::IAM::Role': {
    support: honoured,
    properties: {
      RoleName: name,
      Path: inert('Roles here have no path.'),
      AssumeRolePolicyDocument: honoured,
      ManagedPolicyArns: honoured,
      'Policies[].PolicyName': name,
      'Policies[].PolicyDocument': honoured,
      PermissionsBoundary: honoured,
      Description: inert('A description is for people.'),
      MaxSessionDuration: inert('Credentials here do not expire.'),
      Tags: tags,
    },
  },
  'AWS::IAM::Policy': {
    support: honoured,
    properties: {
      PolicyName: name,
      PolicyDocument: honoured,
      Roles: honoured,
      Groups: refused('There are no groups of users here.'),
      Users: refused('There are no users here.'),
    },
  },
  'AWS::IAM::ManagedPolicy': {
    support: honoured,
    properties: {
      ManagedPolicyName: name,
      PolicyDocument: honoured,
      Roles: honoured,
      Description: inert('A description is for people.'),
      Path: inert('Policies here have no path.'),
      Groups: refused('There are no groups of users here.'),
      Users: refused('There are no users here.'),
    },
  },
  'AWS::Scheduler::Schedule': {
    support: honoured,
    properties: {
      Name: name,
      GroupName: honoured,
      Description: inert('A description is for people.'),
      ScheduleExpression: honoured,
      ScheduleExpressionTimezone: honoured,
      StartDate: honoured,
      EndDate: honoured,
      State: honoured,
      'FlexibleTimeWindow.Mode': honoured,
      'FlexibleTimeWindow.MaximumWindowInMinutes': honoured,
      ...scheduleTarget,
      KmsKeyArn: encryption,
    },
  },
  'AWS::Scheduler::ScheduleGroup': inertType(inert('Groups are for people.')),
  'AWS::ApiGateway::Account': { support: honoured, properties: { CloudWatchRoleArn: honoured } },
  'AWS::ApiGatewayV2::Api': {
    support: honoured,
    properties: {
      Name: name,
      ProtocolType: only(/^(HTTP|WEBSOCKET)$/),
      RouteSelectionExpression: honoured,
      ApiKeySelectionExpression: inert('No route asks for an API key.'),
      DisableSchemaValidation: inert('There are no schemas.'),
      Description: inert('A description is for people.'),
      DisableExecuteApiEndpoint: only(/^false$/),
      IpAddressType: inert('The host listens where the laptop does.'),
      Tags: tags,
      CorsConfiguration: refused('Cross-origin requests are not answered for the function.'),
    },
  },
  'AWS::ApiGatewayV2::Route': {
    support: honoured,
    properties: {
      ApiId: honoured,
      RouteKey: honoured,
      Target: honoured,
      AuthorizationType: only(/^(NONE|JWT|CUSTOM)$/),
      RouteResponseSelectionExpression: only(/^\$default$/),
      AuthorizerId: honoured,
      AuthorizationScopes: honoured,
      OperationName: inert('A name for people.'),
      ApiKeyRequired: only(/^false$/),
    },
  },
  'AWS::ApiGatewayV2::Integration': {
    support: honoured,
    properties: {
      ApiId: honoured,
      IntegrationType: only(/^(AWS_PROXY|MOCK)$/),
      // A mock integration has an empty one.
      IntegrationUri: only(/function:|^$/),
      'RequestTemplates.*': honoured,
      TemplateSelectionExpression: inert('The templates of a mock integration must all say the same.'),
      PassthroughBehavior: inert('Bodies go to functions as they are.'),
      IntegrationMethod: inert('Functions are always invoked by POST.'),
      PayloadFormatVersion: only(/^[12]\.0$/),
      TimeoutInMillis: honoured,
      Description: inert('A description is for people.'),
      ConnectionType: only(/^INTERNET$/),
      CredentialsArn: assumedByApiGateway,
    },
  },
  'AWS::ApiGatewayV2::IntegrationResponse': {
    support: honoured,
    properties: {
      ApiId: honoured,
      IntegrationId: honoured,
      IntegrationResponseKey: honoured,
      ContentHandlingStrategy: refused('Bodies of integrations that are no proxies are not converted.'),
      ResponseParameters: refused('Headers of integrations that are no proxies are not mapped.'),
      ResponseTemplates: refused('Templates of responses are not evaluated.'),
      TemplateSelectionExpression: refused('Templates of responses are not evaluated.'),
    },
  },
  'AWS::ApiGatewayV2::RouteResponse': {
    support: honoured,
    properties: {
      ApiId: honoured,
      RouteId: honoured,
      RouteResponseKey: only(/^\$default$/),
    },
  },
  'AWS::ApiGatewayV2::Stage': {
    support: honoured,
    properties: {
      ApiId: honoured,
      StageName: honoured,
      AutoDeploy: only(/^true$/),
      ...throttling('DefaultRouteSettings'),
      ...throttling('RouteSettings.*'),
      // A WebSocket API needs a role for it, which the host asks for.
      AccessLogSettings: observability,
      Description: inert('A description is for people.'),
      Tags: tags,
    },
  },
  'AWS::ApiGatewayV2::Authorizer': {
    support: honoured,
    properties: {
      ApiId: honoured,
      Name: name,
      AuthorizerType: only(/^(JWT|REQUEST)$/),
      AuthorizerUri: only(/function:/),
      AuthorizerCredentialsArn: assumedByApiGateway,
      IdentitySource: only(
        /^(\$request\.header\.Authorization|route\.request\.(header|querystring)\.[\w.-]+)$/,
      ),
      'JwtConfiguration.Issuer': honoured,
      'JwtConfiguration.Audience': honoured,
    },
  },
  'AWS::Cognito::UserPool': {
    support: honoured,
    properties: {
      UserPoolName: name,
      AccountRecoverySetting: inert('Every password is right here.'),
      AdminCreateUserConfig: inert('Everybody may sign in here, and nobody is written to.'),
      AliasAttributes: refused('Users are known by their name alone.'),
      AutoVerifiedAttributes: inert('Every user exists here.'),
      DeletionProtection: recovery,
      DeviceConfiguration: inert('Devices are not remembered.'),
      EmailConfiguration: inert('The host sends no mail.'),
      EmailVerificationMessage: inert('The host sends no mail.'),
      EmailVerificationSubject: inert('The host sends no mail.'),
      EnabledMfas: refused('There is no second factor here.'),
      LambdaConfig: refused('Triggers of a user pool are not invoked.'),
      MfaConfiguration: only(/^(OFF|OPTIONAL)$/),
      'Policies.PasswordPolicy.MinimumLength': honoured,
      'Policies.PasswordPolicy.PasswordHistorySize': inert('Every password signs in here.'),
      'Policies.PasswordPolicy.RequireLowercase': honoured,
      'Policies.PasswordPolicy.RequireNumbers': honoured,
      'Policies.PasswordPolicy.RequireSymbols': honoured,
      'Policies.PasswordPolicy.RequireUppercase': honoured,
      'Policies.PasswordPolicy.TemporaryPasswordValidityDays': inert('Passwords do not expire here.'),
      'Policies.SignInPolicy': refused('Users sign in by password alone.'),
      Schema: inert('Users have no attributes here.'),
      SmsConfiguration: inert('The host sends no messages.'),
      SmsVerificationMessage: inert('The host sends no messages.'),
      UserAttributeUpdateSettings: inert('Users have no attributes here.'),
      UserPoolAddOns: inert('The host does not look for attacks.'),
      UserPoolTags: tags,
      UserPoolTier: inert('Tiers differ in price and in features that are refused.'),
      UsernameAttributes: refused('Users are known by their name alone.'),
      UsernameConfiguration: inert('User names are lower case here.'),
      VerificationMessageTemplate: inert('The host sends no mail.'),
    },
  },
  'AWS::Cognito::UserPoolClient': {
    support: honoured,
    properties: {
      UserPoolId: honoured,
      ClientName: honoured,
      GenerateSecret: honoured,
      AllowedOAuthFlows: honoured,
      AllowedOAuthFlowsUserPoolClient: inert('Follows from the flows allowed.'),
      AllowedOAuthScopes: honoured,
      ExplicitAuthFlows: honoured,
      AccessTokenValidity: honoured,
      IdTokenValidity: honoured,
      RefreshTokenValidity: inert('Refresh tokens do not expire while the host runs.'),
      TokenValidityUnits: honoured,
      AuthSessionValidity: inert('Sign-in takes one step.'),
      CallbackURLs: inert('There is no sign-in page.'),
      DefaultRedirectURI: inert('There is no sign-in page.'),
      LogoutURLs: inert('There is no sign-in page.'),
      EnableTokenRevocation: inert('Tokens can not be revoked here.'),
      PreventUserExistenceErrors: inert('Every user exists here.'),
      ReadAttributes: inert('Users have no attributes here.'),
      RefreshTokenRotation: inert('Refresh tokens do not expire while the host runs.'),
      SupportedIdentityProviders: only(/^COGNITO$/),
      WriteAttributes: inert('Users have no attributes here.'),
    },
  },
  'AWS::Cognito::UserPoolDomain': {
    support: honoured,
    properties: {
      UserPoolId: honoured,
      Domain: honoured,
      ManagedLoginVersion: inert('There is no sign-in page.'),
      CustomDomainConfig: refused('Only prefix domains are mapped to the local issuer.'),
    },
  },
  'AWS::Cognito::UserPoolResourceServer': {
    support: honoured,
    properties: {
      UserPoolId: honoured,
      Identifier: honoured,
      Name: name,
      Scopes: inert('What a client may ask for stands with the client.'),
    },
  },
  'AWS::Pipes::Pipe': {
    support: honoured,
    properties: {
      Name: name,
      RoleArn: honoured,
      Source: only(/^arn:aws:dynamodb:[^:]+:\d+:table\/.+\/stream\//),
      ...pipeSource,
      Target: only(/^arn:aws:sqs:/),
      'TargetParameters.InputTemplate': honoured,
      'TargetParameters.SqsQueueParameters': refused('FIFO queues are not supported.'),
      DesiredState: only(/^(RUNNING|STOPPED)$/),
      Description: inert('A description is for people.'),
      Enrichment: refused('Enrichments are not called.'),
      EnrichmentParameters: refused('Enrichments are not called.'),
      KmsKeyIdentifier: encryption,
      'LogConfiguration.CloudwatchLogsLogDestination.LogGroupArn': honoured,
      'LogConfiguration.Level': inert('The host tells of every execution.'),
      'LogConfiguration.IncludeExecutionData': inert('The host shows no payloads.'),
      'LogConfiguration.FirehoseLogDestination': refused('There is no Firehose here.'),
      'LogConfiguration.S3LogDestination': refused('There is no S3 here.'),
      Tags: tags,
    },
  },
  'AWS::Logs::LogGroup': inertType(observability),
  'AWS::CloudWatch::Alarm': inertType(alarms),
  'AWS::CloudWatch::CompositeAlarm': inertType(alarms),
  'AWS::CloudWatch::Dashboard': inertType(observability),
  'AWS::Logs::MetricFilter': inertType(observability),
  'AWS::SNS::Topic': inertType(alarms),
  'AWS::SNS::TopicPolicy': inertType(alarms),
  'AWS::SNS::Subscription': inertType(alarms),
  'AWS::CDK::Metadata': inertType(inert('Says which version of CDK wrote the template.')),
};
