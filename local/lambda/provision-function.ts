import { existsSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { physicalName } from '../template/physical-name.ts';
import { isJsonObject } from '../template/template.ts';
import {
  numberWithin,
  optionalNumber,
  optionalText,
  propertyAt,
  requiredText,
  ResourceError,
} from '../template/resource.ts';
import { requireAssumable } from '../iam/provision-iam.ts';
import type { ResourceRequest } from '../template/resource.ts';
import type { Provision, World } from '../world.ts';

/** What of the world the resources of this file touch. */
type Reach = Pick<World, 'access' | 'accountId' | 'credentials' | 'functionPool' | 'functions' | 'region'>;

/** AWS::Lambda::Function */
export const provisionFunction: Provision<Reach> = (resource, world) => {
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
  const logGroupName = optionalText(resource, 'LoggingConfig.LogGroup');
  const reservedConcurrency = optionalNumber(resource, 'ReservedConcurrentExecutions');
  const definition = {
    logicalId: `${resource.stackName}/${resource.logicalId}`,
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
    logFormat:
      optionalText(resource, 'LoggingConfig.LogFormat') === 'JSON' ? ('JSON' as const) : ('Text' as const),
    credentials: world.credentials.credentialsOf(roleArn, functionName),
    ...(logGroupName === undefined ? {} : { logGroupName }),
  };
  world.functionPool.register(definition);
  world.functions.set(functionArn, {
    stackName: resource.stackName,
    logicalId: resource.logicalId,
    ...(resource.path === undefined ? {} : { path: resource.path }),
    definition,
  });
  return { ref: functionName, attributes: { Arn: functionArn } };
};

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
