import {
  description,
  each,
  encryption,
  honours,
  inert,
  observability,
  only,
  refused,
  tagList,
  type ResourceTypes,
} from '../template/index.ts';
import { provisionFunction, provisionPermission } from './provision-function.ts';
import { provisionEventSourceMapping, type MappingWorld } from './provision-mapping.ts';

const networking = refused('The host has no network of its own.');

export const LAMBDA_TYPES: ResourceTypes<MappingWorld> = {
  'AWS::Lambda::Function': {
    provision: provisionFunction,
    properties: {
      ...honours(
        'FunctionName Code.S3Key Code.ZipFile Handler Role Environment.Variables.* Timeout',
        'MemorySize ReservedConcurrentExecutions LoggingConfig.LogGroup',
      ),
      'Code.S3Bucket': inert('The key alone finds the asset in the cloud assembly.'),
      'Code.ImageUri': refused('The host runs no containers.'),
      Runtime: only(/^nodejs\d+\.x$/),
      PackageType: only(/^Zip$/),
      Architectures: inert('JavaScript runs on the processor of the laptop.'),
      Description: description,
      'EphemeralStorage.Size': inert('/tmp is as large as the laptop allows.'),
      KmsKeyArn: encryption,
      'LoggingConfig.LogFormat': only(/^(JSON|Text)$/),
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
    provision: provisionEventSourceMapping,
    properties: {
      ...honours(
        'FunctionName BatchSize MaximumBatchingWindowInSeconds Enabled FunctionResponseTypes',
        'ScalingConfig.MaximumConcurrency FilterCriteria.Filters[].Pattern',
      ),
      EventSourceArn: only(/^arn:aws:sqs:/),
      'MetricsConfig.Metrics': observability,
      ...tagList(),
    },
  },
  'AWS::Lambda::Permission': {
    provision: provisionPermission,
    properties: {
      ...honours('Action FunctionName Principal SourceArn SourceAccount'),
      EventSourceToken: refused('Only Alexa sends tokens.'),
      FunctionUrlAuthType: refused('Functions have no URLs here.'),
      InvokedViaFunctionUrl: refused('Functions have no URLs here.'),
      PrincipalOrgID: refused('The host has one account, in no organization.'),
    },
  },
};
