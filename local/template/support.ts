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
   * By path: `[]` stands for the items of a list, `*` for any key of a map. Paths go as deep as CloudFormation names
   * properties, so that a name that it does not know is refused at any depth. Source: CloudFormation's resource schemas.
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
const noMail = inert('The host sends no mail.');
const noTextMessages = inert('The host sends no messages.');
const noAttributes = inert('Users have no attributes here.');
const expiry = inert("DynamoDB's deletes lag by days, so programs must filter; the host never deletes.");

type Properties = Readonly<Record<string, Support>>;

/** The same for several properties, whose paths begin alike. @param paths with a space between them */
const each = (prefix: string, support: Support, ...paths: readonly string[]): Properties =>
  Object.fromEntries(paths.flatMap((text) => text.split(' ')).map((path) => [`${prefix}${path}`, support]));

const tagList = (path = 'Tags'): Properties => each(`${path}[].`, tags, 'Key', 'Value');
const tagMap = (path = 'Tags'): Properties => ({ [`${path}.*`]: tags });

/** A type of which everything is inert. */
const inertType = (support: Support, ...paths: readonly string[]): TypeSupport => ({
  support,
  properties: each('', support, ...paths),
});

const keySchema = { 'KeySchema[].AttributeName': honoured, 'KeySchema[].KeyType': honoured };
const index = (prefix: string): Properties => ({
  ...each(prefix, honoured, 'IndexName', ...Object.keys(keySchema)),
  ...each(`${prefix}Projection.`, honoured, 'ProjectionType', 'NonKeyAttributes'),
});

const warmThroughput = (prefix = ''): Properties =>
  each(`${prefix}WarmThroughput.`, capacity, 'ReadUnitsPerSecond', 'WriteUnitsPerSecond');
const throughput = (prefix = ''): Properties => ({
  ...each(`${prefix}ProvisionedThroughput.`, capacity, 'ReadCapacityUnits', 'WriteCapacityUnits'),
  ...each(`${prefix}OnDemandThroughput.`, capacity, 'MaxReadRequestUnits', 'MaxWriteRequestUnits'),
});
/** Of a global table, which says what is read for each replica and what is written for all. */
const globalThroughput = (prefix: string, kind: 'Read' | 'Write'): Properties => ({
  ...each(
    `${prefix}${kind}ProvisionedThroughputSettings.${kind}CapacityAutoScalingSettings.`,
    capacity,
    'MaxCapacity MinCapacity SeedCapacity',
    ...['DisableScaleIn', 'ScaleInCooldown', 'ScaleOutCooldown', 'TargetValue'].map(
      (path) => `TargetTrackingScalingPolicyConfiguration.${path}`,
    ),
  ),
  [`${prefix}${kind}OnDemandThroughputSettings.Max${kind}RequestUnits`]: capacity,
});
const readThroughput = (prefix: string): Properties => ({
  ...globalThroughput(prefix, 'Read'),
  [`${prefix}ReadProvisionedThroughputSettings.ReadCapacityUnits`]: capacity,
});
const insights = (prefix = ''): Properties =>
  each(`${prefix}ContributorInsightsSpecification.`, observability, 'Enabled', 'Mode');
const pointInTimeRecovery = (prefix = ''): Properties =>
  each(
    `${prefix}PointInTimeRecoverySpecification.`,
    recovery,
    'PointInTimeRecoveryEnabled RecoveryPeriodInDays',
  );

const table: Properties = {
  TableName: name,
  ...each('AttributeDefinitions[].', honoured, 'AttributeName', 'AttributeType'),
  ...keySchema,
  ...index('GlobalSecondaryIndexes[].'),
  ...warmThroughput('GlobalSecondaryIndexes[].'),
  ...index('LocalSecondaryIndexes[].'),
  BillingMode: inert('The host never throttles a table, whoever pays for it.'),
  ...warmThroughput(),
  ...each('SSESpecification.', encryption, 'SSEEnabled', 'SSEType'),
  ...each('TimeToLiveSpecification.', expiry, 'AttributeName', 'Enabled'),
  'StreamSpecification.StreamViewType': honoured,
};

const scheduleTarget: Properties = {
  'Target.Arn': only(/^arn:aws:(sqs|lambda):/),
  'Target.RoleArn': honoured,
  'Target.Input': honoured,
  'Target.RetryPolicy.MaximumRetryAttempts': honoured,
  'Target.RetryPolicy.MaximumEventAgeInSeconds': honoured,
  'Target.DeadLetterConfig.Arn': honoured,
  // CDK writes an empty object for a standard queue.
  'Target.SqsParameters.MessageGroupId': refused('FIFO queues are not supported.'),
};

/** What alarms of both kinds have. */
const anyAlarm = [
  'ActionsEnabled AlarmActions AlarmDescription AlarmName InsufficientDataActions',
  'OKActions Tags[].Key Tags[].Value',
  ...['Enabled', 'ExcludedTagKeys', 'IncludedTagKeys'].map(
    (path) => `ActionConfiguration.AlarmTagsPropagation.${path}`,
  ),
];

const stream = 'SourceParameters.DynamoDBStreamParameters';
const pipeSource: Properties = {
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

const redrive: Properties = {
  'RedrivePolicy.deadLetterTargetArn': honoured,
  'RedrivePolicy.maxReceiveCount': honoured,
  RedriveAllowPolicy: inert('Every queue here belongs to the one account.'),
};

const throttling = (path: string): Properties => ({
  ...each(`${path}.`, honoured, 'ThrottlingBurstLimit', 'ThrottlingRateLimit'),
  ...each(`${path}.`, observability, 'DetailedMetricsEnabled', 'DataTraceEnabled', 'LoggingLevel'),
});

export const SUPPORT: Readonly<Record<string, TypeSupport>> = {
  'AWS::DynamoDB::Table': {
    support: honoured,
    properties: {
      ...table,
      ...throughput(),
      ...throughput('GlobalSecondaryIndexes[].'),
      ...insights('GlobalSecondaryIndexes[].'),
      'SSESpecification.KMSMasterKeyId': encryption,
      ...pointInTimeRecovery(),
      DeletionProtectionEnabled: honoured,
      ...insights(),
      TableClass: inert('Storage classes differ in price only.'),
      'ResourcePolicy.PolicyDocument': honoured,
      'StreamSpecification.ResourcePolicy.PolicyDocument': honoured,
      ...tagList(),
      KinesisStreamSpecification: refused('There is no Kinesis here.'),
      ImportSourceSpecification: refused('There is no S3 to import from.'),
    },
  },
  'AWS::DynamoDB::GlobalTable': {
    support: honoured,
    properties: {
      ...table,
      ...globalThroughput('', 'Write'),
      ...globalThroughput('GlobalSecondaryIndexes[].', 'Write'),
      MultiRegionConsistency: refused('The host has one region.'),
      GlobalTableWitnesses: refused('The host has one region.'),
      'Replicas[].Region': only(/^us-east-1$/),
      ...pointInTimeRecovery('Replicas[].'),
      'Replicas[].DeletionProtectionEnabled': recovery,
      ...insights('Replicas[].'),
      'Replicas[].TableClass': inert('Storage classes differ in price only.'),
      'Replicas[].ResourcePolicy.PolicyDocument': honoured,
      'Replicas[].SSESpecification.KMSMasterKeyId': encryption,
      ...tagList('Replicas[].Tags'),
      'Replicas[].GlobalSecondaryIndexes[].IndexName': capacity,
      ...insights('Replicas[].GlobalSecondaryIndexes[].'),
      ...readThroughput('Replicas[].GlobalSecondaryIndexes[].'),
      ...readThroughput('Replicas[].'),
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
      ...tagList(),
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
      'Environment.Variables.*': honoured,
      Timeout: honoured,
      MemorySize: honoured,
      ReservedConcurrentExecutions: honoured,
      PackageType: only(/^Zip$/),
      Architectures: inert('JavaScript runs on the processor of the laptop.'),
      Description: inert('A description is for people.'),
      'EphemeralStorage.Size': inert('/tmp is as large as the laptop allows.'),
      KmsKeyArn: encryption,
      'LoggingConfig.LogFormat': only(/^(JSON|Text)$/),
      'LoggingConfig.LogGroup': honoured,
      'LoggingConfig.ApplicationLogLevel': refused('The host does not leave log lines out.'),
      'LoggingConfig.SystemLogLevel': inert('The host writes no lines of the platform.'),
      RecursiveLoop: only(/^(Allow|Terminate)$/),
      ...each(
        'RuntimeManagementConfig.',
        inert('The Node.js that runs the host runs the functions.'),
        'RuntimeVersionArn UpdateRuntimeOn',
      ),
      'SnapStart.ApplyOn': inert('Workers start in milliseconds.'),
      ...tagList(),
      'TracingConfig.Mode': observability,
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
      'MetricsConfig.Metrics': observability,
      ...tagList(),
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
      ...tagList(),
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
  'AWS::Scheduler::ScheduleGroup': inertType(inert('Groups are for people.'), 'Name Tags[].Key Tags[].Value'),
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
      ...tagMap(),
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
      ...each('AccessLogSettings.', observability, 'DestinationArn', 'Format'),
      Description: inert('A description is for people.'),
      ...tagMap(),
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
      ...each(
        'AccountRecoverySetting.RecoveryMechanisms[].',
        inert('Every password is right here.'),
        'Name Priority',
      ),
      ...each(
        'AdminCreateUserConfig.',
        inert('Everybody may sign in here, and nobody is written to.'),
        'AllowAdminCreateUserOnly UnusedAccountValidityDays',
        ...['EmailMessage', 'EmailSubject', 'SMSMessage'].map((path) => `InviteMessageTemplate.${path}`),
      ),
      AliasAttributes: refused('Users are known by their name alone.'),
      AutoVerifiedAttributes: inert('Every user exists here.'),
      DeletionProtection: recovery,
      ...each(
        'DeviceConfiguration.',
        inert('Devices are not remembered.'),
        'ChallengeRequiredOnNewDevice DeviceOnlyRememberedOnUserPrompt',
      ),
      ...each(
        'EmailConfiguration.',
        noMail,
        'ConfigurationSet EmailSendingAccount From ReplyToEmailAddress SourceArn',
      ),
      EmailVerificationMessage: noMail,
      EmailVerificationSubject: noMail,
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
      ...each(
        'Schema[].',
        noAttributes,
        'AttributeDataType DeveloperOnlyAttribute Mutable Name Required',
        'NumberAttributeConstraints.MaxValue NumberAttributeConstraints.MinValue',
        'StringAttributeConstraints.MaxLength StringAttributeConstraints.MinLength',
      ),
      ...each('SmsConfiguration.', noTextMessages, 'ExternalId', 'SnsCallerArn', 'SnsRegion'),
      SmsVerificationMessage: noTextMessages,
      'UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate': noAttributes,
      ...each(
        'UserPoolAddOns.',
        inert('The host does not look for attacks.'),
        'AdvancedSecurityMode AdvancedSecurityAdditionalFlows.CustomAuthMode',
      ),
      ...tagMap('UserPoolTags'),
      UserPoolTier: inert('Tiers differ in price and in features that are refused.'),
      UsernameAttributes: refused('Users are known by their name alone.'),
      'UsernameConfiguration.CaseSensitive': inert('User names are lower case here.'),
      ...each(
        'VerificationMessageTemplate.',
        noMail,
        'DefaultEmailOption EmailMessage EmailMessageByLink EmailSubject EmailSubjectByLink',
        'SmsMessage',
      ),
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
      ...each('TokenValidityUnits.', honoured, 'AccessToken', 'IdToken', 'RefreshToken'),
      AuthSessionValidity: inert('Sign-in takes one step.'),
      CallbackURLs: inert('There is no sign-in page.'),
      DefaultRedirectURI: inert('There is no sign-in page.'),
      LogoutURLs: inert('There is no sign-in page.'),
      EnableTokenRevocation: inert('Tokens can not be revoked here.'),
      PreventUserExistenceErrors: inert('Every user exists here.'),
      ReadAttributes: noAttributes,
      ...each(
        'RefreshTokenRotation.',
        inert('Refresh tokens do not expire while the host runs.'),
        'Feature RetryGracePeriodSeconds',
      ),
      SupportedIdentityProviders: only(/^COGNITO$/),
      WriteAttributes: noAttributes,
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
      ...each(
        'Scopes[].',
        inert('What a client may ask for stands with the client.'),
        'ScopeDescription ScopeName',
      ),
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
      ...tagMap(),
    },
  },
  'AWS::Logs::LogGroup': inertType(
    observability,
    'BearerTokenAuthenticationEnabled DataProtectionPolicy DeletionProtectionEnabled',
    'FieldIndexPolicies KmsKeyId LogGroupClass LogGroupName ResourcePolicyDocument',
    'RetentionInDays Tags[].Key Tags[].Value',
  ),
  'AWS::CloudWatch::Alarm': inertType(
    alarms,
    ...anyAlarm,
    'ComparisonOperator DatapointsToAlarm Dimensions[].Name Dimensions[].Value',
    'EvaluateLowSampleCountPercentile EvaluationInterval EvaluationPeriods ExtendedStatistic',
    ...['PendingPeriod', 'Query', 'RecoveryPeriod'].map(
      (path) => `EvaluationCriteria.PromQLCriteria.${path}`,
    ),
    'EvaluationWindow.SlidingWindow EvaluationWindow.WallClockWindow.Timezone',
    ...['AccountId', 'Expression', 'Id', 'Label', 'Period', 'ReturnData'].map((path) => `Metrics[].${path}`),
    ...['Period', 'Stat', 'Unit', 'Metric.MetricName', 'Metric.Namespace'].map(
      (path) => `Metrics[].MetricStat.${path}`,
    ),
    ...['Name', 'Value'].map((path) => `Metrics[].MetricStat.Metric.Dimensions[].${path}`),
    'MetricName Namespace Period Statistic Threshold ThresholdMetricId',
    'TreatMissingData Unit WarmUpConfiguration.OnlyStartEvaluatingAfterWarmUpPeriodEnds',
    'WarmUpConfiguration.WarmUpPeriodDurationInMinutes',
  ),
  'AWS::CloudWatch::CompositeAlarm': inertType(
    alarms,
    ...anyAlarm,
    'ActionsSuppressor ActionsSuppressorExtensionPeriod ActionsSuppressorWaitPeriod AlarmRule',
  ),
  'AWS::CloudWatch::Dashboard': inertType(
    observability,
    'DashboardBody DashboardName Tags[].Key Tags[].Value',
  ),
  'AWS::Logs::MetricFilter': inertType(
    observability,
    'ApplyOnTransformedLogs EmitSystemFieldDimensions FieldSelectionCriteria FilterName',
    'FilterPattern LogGroupName',
    ...['DefaultValue', 'MetricName', 'MetricNamespace', 'MetricValue', 'Unit'].map(
      (path) => `MetricTransformations[].${path}`,
    ),
    ...['Key', 'Value'].map((path) => `MetricTransformations[].Dimensions[].${path}`),
  ),
  'AWS::SNS::Topic': inertType(
    alarms,
    'ArchivePolicy ContentBasedDeduplication DataProtectionPolicy DisplayName',
    ...['FailureFeedbackRoleArn', 'Protocol', 'SuccessFeedbackRoleArn', 'SuccessFeedbackSampleRate'].map(
      (path) => `DeliveryStatusLogging[].${path}`,
    ),
    'FifoThroughputScope FifoTopic KmsMasterKeyId MaximumMessageSize SignatureVersion',
    'Subscription[].Endpoint Subscription[].Protocol Tags[].Key Tags[].Value TopicName',
    'TracingConfig',
  ),
  'AWS::SNS::TopicPolicy': inertType(alarms, 'PolicyDocument', 'Topics'),
  'AWS::SNS::Subscription': inertType(
    alarms,
    'DeliveryPolicy Endpoint FilterPolicy FilterPolicyScope Protocol RawMessageDelivery',
    'RedrivePolicy Region ReplayPolicy SubscriptionRoleArn TopicArn',
  ),
  'AWS::CDK::Metadata': inertType(
    inert('Says which version of CDK wrote the template.'),
    'Analytics Modules',
  ),
};
