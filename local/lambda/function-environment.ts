import { devNull } from 'node:os';
import { logGroupName, type FunctionDefinition } from './function-definition.ts';

/** Variables that a process needs to run at all. Nothing else of the host's environment leaks in. */
const INHERITED = ['PATH', 'TMPDIR', 'TEMP', 'SystemRoot', 'LD_LIBRARY_PATH'] as const;

/**
 * The variables a function sees: what Lambda sets, the credentials of its role, and those of the template, which
 * win as they do on AWS wherever the name is not reserved.
 */
export function functionEnvironment(
  definition: FunctionDefinition,
  region: string,
  awsEndpoint: string,
): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(inherited),
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_LAMBDA_LOG_FORMAT: definition.logFormat ?? 'Text',
    ...definition.environment,
    _HANDLER: definition.handler,
    LAMBDA_TASK_ROOT: definition.codeFolder,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${definition.runtime ?? 'nodejs24.x'}`,
    AWS_LAMBDA_FUNCTION_NAME: definition.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMegabytes),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupName(definition),
    AWS_ACCESS_KEY_ID: definition.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: definition.credentials.secretAccessKey,
    AWS_ENDPOINT_URL: awsEndpoint,
    // Without these the SDK would read the developer's own ~/.aws.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}
