import { isJsonList, isJsonObject, type Json, type JsonObject } from './template.ts';

export interface Place {
  readonly accountId: string;
  readonly region: string;
}

/** Runs something from when the whole app exists until the host stops. */
export type StartLater = (start: () => { readonly stop: () => Promise<void> }) => void;

export interface ResourceRequest {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
  readonly path?: string;
  readonly assetFolder: (objectKey: string) => string | undefined;
}

export interface ProvisionedResource {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, Json>>;
}

export class ResourceError extends Error {
  constructor(resource: Pick<ResourceRequest, 'stackName' | 'logicalId' | 'type'>, reason: string) {
    super(`${resource.stackName}/${resource.logicalId} (${resource.type}): ${reason}`);
    this.name = 'ResourceError';
  }
}

export function existing<T>(resource: ResourceRequest, found: T | undefined, reason: string): T {
  if (found === undefined) throw new ResourceError(resource, reason);
  return found;
}

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

/** @throws ResourceError for a value that AWS refuses */
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
