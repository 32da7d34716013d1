/** The parts of a CloudFormation template that the host reads. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

export interface TemplateResource {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
  readonly dependsOn: readonly string[];
  readonly condition?: string;
  readonly path?: string;
}

export interface TemplateParameter {
  readonly type: string;
  readonly defaultValue?: Json;
}

export interface TemplateOutput {
  readonly value: Json;
  readonly exportName?: Json;
  readonly condition?: string;
}

export interface Template {
  readonly parameters: Readonly<Record<string, TemplateParameter>>;
  readonly conditions: JsonObject;
  readonly mappings: JsonObject;
  readonly resources: readonly TemplateResource[];
  readonly outputs: Readonly<Record<string, TemplateOutput>>;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** Empty where there is no object. */
export function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isJsonObject(value) ? value : {};
}

export function objectsAt(parent: JsonObject, key: string): readonly JsonObject[] {
  const value = parent[key];
  return isJsonList(value) ? value.filter(isJsonObject) : [];
}

export function textAt(parent: JsonObject, key: string): string | undefined {
  const value = parent[key];
  return typeof value === 'string' ? value : undefined;
}

export function jsonObjectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const SECTIONS = new Set([
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Rules', // assertions about the account that `cdk deploy` meets; there is no account here
  'Mappings',
  'Conditions',
  'Resources',
  'Outputs',
]);

/** Source: CloudFormation's template reference, "Resource attributes". */
const RESOURCE_ATTRIBUTES = new Set([
  'Type',
  'Properties',
  'Condition',
  'CreationPolicy',
  'DeletionPolicy',
  'DependsOn',
  'Metadata',
  'UpdatePolicy',
  'UpdateReplacePolicy',
]);

/** @throws Error for a section that the host does not understand */
export function parseTemplate(stackName: string, source: Json): Template {
  if (!isJsonObject(source)) throw new Error(`Stack ${stackName}: the template is not a JSON object.`);
  const unknown = Object.keys(source).filter((section) => !SECTIONS.has(section));
  if (unknown.length > 0) {
    throw new Error(
      `Stack ${stackName}: the local host does not understand ${unknown.join(', ')} in a template.`,
    );
  }
  return {
    parameters: mapObject(objectAt(source, 'Parameters'), (parameter) => ({
      type: textAt(parameter, 'Type') ?? 'String',
      ...(parameter['Default'] === undefined ? {} : { defaultValue: parameter['Default'] }),
    })),
    conditions: objectAt(source, 'Conditions'),
    mappings: objectAt(source, 'Mappings'),
    resources: Object.entries(objectAt(source, 'Resources')).map(([logicalId, resource]) =>
      parseResource(stackName, logicalId, resource),
    ),
    outputs: mapObject(objectAt(source, 'Outputs'), (output) => {
      const condition = textAt(output, 'Condition');
      const exportName = objectAt(output, 'Export')['Name'];
      return {
        value: output['Value'] ?? null,
        ...(exportName === undefined ? {} : { exportName }),
        ...(condition === undefined ? {} : { condition }),
      };
    }),
  };
}

function parseResource(stackName: string, logicalId: string, source: Json): TemplateResource {
  if (!isJsonObject(source) || typeof source['Type'] !== 'string') {
    throw new Error(`Stack ${stackName}: resource ${logicalId} has no Type.`);
  }
  const unknown = Object.keys(source).filter((attribute) => !RESOURCE_ATTRIBUTES.has(attribute));
  if (unknown.length > 0) {
    throw new Error(`Stack ${stackName}: resource ${logicalId} can't have ${unknown.join(', ')}.`);
  }
  const dependsOn = source['DependsOn'];
  const condition = textAt(source, 'Condition');
  const path = textAt(objectAt(source, 'Metadata'), 'aws:cdk:path');
  return {
    stackName,
    logicalId,
    type: source['Type'],
    properties: objectAt(source, 'Properties'),
    dependsOn: (isJsonList(dependsOn) ? dependsOn : [dependsOn]).filter((id) => typeof id === 'string'),
    ...(condition === undefined ? {} : { condition }),
    ...(path === undefined ? {} : { path }),
  };
}

function mapObject<T>(source: JsonObject, map: (value: JsonObject) => T): Record<string, T> {
  return Object.fromEntries(
    Object.entries(source).map(([key, value]) => [key, map(isJsonObject(value) ? value : {})]),
  );
}
