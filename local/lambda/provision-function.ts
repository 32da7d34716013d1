import { existsSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mayWriteTo, policyOf, requireAssumable, type Access } from '../iam/index.ts';
import {
  isJsonObject,
  numberWithin,
  optionalNumber,
  optionalText,
  physicalName,
  propertyAt,
  requiredText,
  ResourceError,
  type Json,
  type Place,
  type Provision,
  type ResourceRequest,
} from '../template/index.ts';
import { logGroupName, type FunctionDefinition } from './function-definition.ts';
import type { FunctionPool } from './function-pool.ts';

export interface FunctionWorld extends Place {
  readonly access: Access;
  readonly credentials: {
    readonly credentialsOf: (roleArn: string, sessionName: string) => FunctionDefinition['credentials'];
  };
  readonly functionPool: FunctionPool;
}

export const provisionFunction: Provision<FunctionWorld> = (resource, world) => {
  const functionName =
    optionalText(resource, 'FunctionName') ?? physicalName(resource.stackName, resource.logicalId, 64);
  const functionArn = `arn:aws:lambda:${world.region}:${world.accountId}:function:${functionName}`;
  const roleArn = requiredText(resource, 'Role');
  requireAssumable(resource, world, {
    roleArn,
    service: 'lambda.amazonaws.com',
    sourceArn: functionArn,
    words: 'The role defined for the function cannot be assumed by Lambda.',
  });
  const ownLogGroup = optionalText(resource, 'LoggingConfig.LogGroup');
  const reservedConcurrency = optionalNumber(resource, 'ReservedConcurrentExecutions');
  world.functionPool.register({
    stackName: resource.stackName,
    logicalId: resource.logicalId,
    ...(resource.path === undefined ? {} : { path: resource.path }),
    functionName,
    functionArn,
    codeFolder: codeFolder(resource),
    handler: requiredText(resource, 'Handler'),
    runtime: requiredText(resource, 'Runtime'),
    environment: environment(resource),
    timeoutSeconds: numberWithin(resource, 'Timeout', { minimum: 1, maximum: 900, byDefault: 3 }),
    memoryMegabytes: numberWithin(resource, 'MemorySize', { minimum: 128, maximum: 10_240, byDefault: 128 }),
    ...(reservedConcurrency === undefined ? {} : { reservedConcurrency }),
    allowsRecursion: optionalText(resource, 'RecursiveLoop') === 'Allow',
    logFormat: optionalText(resource, 'LoggingConfig.LogFormat') === 'JSON' ? 'JSON' : 'Text',
    credentials: world.credentials.credentialsOf(roleArn, functionName),
    ...(ownLogGroup === undefined ? {} : { logGroupName: ownLogGroup }),
  });
  return { ref: functionName, attributes: { Arn: functionArn } };
};

/** A statement of the function's resource-based policy. */
export const provisionPermission: Provision<FunctionWorld> = (resource, world) => {
  const { functionArn } = functionOf(resource, world.functionPool);
  const principal = requiredText(resource, 'Principal');
  const sourceArn = optionalText(resource, 'SourceArn');
  const sourceAccount = optionalText(resource, 'SourceAccount');
  const document: Json = {
    Statement: {
      Effect: 'Allow',
      Principal: principal.endsWith('.amazonaws.com') ? { Service: principal } : { AWS: principal },
      Action: requiredText(resource, 'Action'),
      Resource: functionArn,
      Condition: {
        ...(sourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': sourceArn } }),
        ...(sourceAccount === undefined ? {} : { StringEquals: { 'aws:SourceAccount': sourceAccount } }),
      },
    },
  };
  world.access.attachToResource(functionArn, policyOf(resource, 'Permission', document, 'resource'));
  return { ref: physicalName(resource.stackName, resource.logicalId), attributes: {} };
};

/** @throws ResourceError where `FunctionName`, a name or an ARN, is not of this app */
export function functionOf(resource: ResourceRequest, functionPool: FunctionPool): FunctionDefinition {
  const name = requiredText(resource, 'FunctionName');
  const found = functionPool.find(name);
  if (found === undefined)
    throw new ResourceError(resource, `FunctionName ${name} names no function of this app.`);
  return found;
}

function environment(resource: ResourceRequest): Record<string, string> {
  const variables = propertyAt(resource, 'Environment.Variables');
  if (!isJsonObject(variables)) return {};
  return Object.fromEntries(
    Object.keys(variables).map((name) => [
      name,
      optionalText(resource, `Environment.Variables.${name}`) ?? '',
    ]),
  );
}

function codeFolder(resource: ResourceRequest): string {
  const inline = optionalText(resource, 'Code.ZipFile');
  if (inline !== undefined) {
    // CloudFormation puts inline code into index.js, as CommonJS.
    const folder = join(mkdtempSync(join(tmpdir(), 'inline-function-')), resource.logicalId);
    mkdirSync(folder);
    writeFileSync(join(folder, 'index.cjs'), inline);
    return folder;
  }
  const key = requiredText(resource, 'Code.S3Key');
  const folder = resource.assetFolder(key);
  if (folder === undefined || !existsSync(folder)) {
    throw new ResourceError(resource, `the cloud assembly has no asset ${key}. Run \`cdk synth\` again.`);
  }
  if (!statSync(folder).isDirectory()) {
    throw new ResourceError(resource, `${folder} is an archive; the host runs code from folders.`);
  }
  return folder;
}

/**
 * A function whose role may not write logs still runs, as on AWS, but its lines are lost.
 * @param hasLogGroup whether the app makes the group; Lambda makes any other where the role may. Source: Lambda
 *   developer guide, "Sending Lambda function logs to CloudWatch Logs", and the Service Authorization Reference for
 *   CloudWatch Logs.
 */
export function mayWriteLogs(
  access: Pick<Access, 'refusalOf'>,
  definition: FunctionDefinition,
  hasLogGroup: (name: string) => boolean,
): boolean {
  const { functionArn, functionName } = definition;
  const group = logGroupName(definition);
  const [, , , region, accountId] = functionArn.split(':');
  const groupArn = `arn:aws:logs:${region}:${accountId}:log-group:${group}`;
  return mayWriteTo(access, definition.credentials, {
    groupArn,
    streamName: `${functionName}[$LATEST]`,
    isThere: hasLogGroup(group),
  });
}
