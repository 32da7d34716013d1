import { isJsonList, isJsonObject, type Json, type JsonObject } from './template.ts';

/** The one account and region of the host. */
export interface Place {
  readonly accountId: string;
  readonly region: string;
}

/** Runs what a resource does from when the whole app is made until the host stops. */
export type StartLater = (start: () => { readonly stop: () => Promise<void> }) => void;

/** A resource of a template, its properties resolved. */
export interface ResourceRequest {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
  readonly path?: string;
  readonly assetFolder: (objectKey: string) => string | undefined;
}

/** What `Ref` and `Fn::GetAtt` yield for a resource that exists. */
export interface ProvisionedResource {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, Json>>;
}

/** A resource that can't be made. The message says which one. */
export class ResourceError extends Error {
  constructor(resource: Pick<ResourceRequest, 'stackName' | 'logicalId' | 'type'>, reason: string) {
    super(`${resource.stackName}/${resource.logicalId} (${resource.type}): ${reason}`);
    this.name = 'ResourceError';
  }
}

/** @throws ResourceError where nothing was found */
export function existing<T>(resource: ResourceRequest, found: T | undefined, reason: string): T {
  if (found === undefined) throw new ResourceError(resource, reason);
  return found;
}

/** Reads a path such as `Code.S3Key` of the properties. */
export function propertyAt(resource: ResourceRequest, path: string): Json | undefined {
  return path
    .split('.')
    .reduce<Json | undefined>(
      (value, key) => (isJsonObject(value) ? value[key] : undefined),
      resource.properties,
    );
}

export function optionalText(resource: ResourceRequest, path: string): string | undefined {
  const value = propertyAt(resource, path);
  if (value === undefined || value === null) return undefined;
  if (isJsonObject(value) || isJsonList(value)) throw new ResourceError(resource, `${path} must be a text.`);
  return String(value);
}

export function requiredText(resource: ResourceRequest, path: string): string {
  const text = optionalText(resource, path);
  if (text === undefined || text === '') throw new ResourceError(resource, `${path} is missing.`);
  return text;
}

/** CloudFormation takes numbers as text, too. */
export function optionalNumber(resource: ResourceRequest, path: string): number | undefined {
  const text = optionalText(resource, path);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new ResourceError(resource, `${path} must be a number.`);
  return value;
}

/** @throws ResourceError where AWS refuses the value. */
export function numberWithin(
  resource: ResourceRequest,
  path: string,
  limits: { readonly minimum: number; readonly maximum: number; readonly byDefault: number },
): number {
  const value = optionalNumber(resource, path) ?? limits.byDefault;
  if (value < limits.minimum || value > limits.maximum) {
    throw new ResourceError(
      resource,
      `${path} must be between ${limits.minimum} and ${limits.maximum}, not ${value}.`,
    );
  }
  return value;
}

export function optionalBoolean(resource: ResourceRequest, path: string): boolean | undefined {
  const text = optionalText(resource, path);
  return text === undefined ? undefined : text === 'true';
}

export function textListAt(resource: ResourceRequest, path: string): readonly string[] {
  const value = propertyAt(resource, path);
  return isJsonList(value) ? value.map(String) : [];
}

export function objectListAt(resource: ResourceRequest, path: string): readonly JsonObject[] {
  const value = propertyAt(resource, path);
  return isJsonList(value) ? value.filter(isJsonObject) : [];
}
