import type { AssemblyStack } from './assembly.ts';
import { IntrinsicError, referencesOf, resolveIntrinsics, type IntrinsicScope } from './intrinsics.ts';
import { ResourceError, type Place, type ProvisionedResource } from './resource.ts';
import type { ResourceTypes } from './support.ts';
import { isJsonObject, type Json, type Template, type TemplateResource } from './template.ts';
import type { UrlRewriter } from './url-rewriter.ts';

export type StackOutputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Ground extends Place {
  readonly urls: UrlRewriter;
}

/** @returns the outputs of stacks that have any. @throws ResourceError that names stack, logical id and property */
export async function provisionStacks<World extends Ground>(
  stacks: readonly AssemblyStack[],
  types: ResourceTypes<World>,
  world: World,
): Promise<StackOutputs> {
  const exported = new Map<string, Json>();
  const outputs: Record<string, Record<string, string>> = {};
  for (const stack of stacks) {
    const stackOutputs = await provisionStack(stack, types, world, exported, outputs);
    if (Object.keys(stackOutputs).length > 0) outputs[stack.stackName] = stackOutputs;
  }
  return outputs;
}

async function provisionStack<World extends Ground>(
  { stackName, template, assetFolder }: AssemblyStack,
  types: ResourceTypes<World>,
  world: World,
  exported: Map<string, Json>,
  earlierOutputs: StackOutputs,
): Promise<Record<string, string>> {
  const provisioned = new Map<string, ProvisionedResource>();
  const scope = scopeOf(stackName, template, provisioned, exported, earlierOutputs, world);
  const isWanted = ({ condition }: { readonly condition?: string }): boolean =>
    condition === undefined || resolveIntrinsics({ Condition: condition }, scope) === true;

  for (const resource of inCreationOrder(template.resources.filter(isWanted))) {
    const type = types[resource.type];
    if (type === undefined) throw new ResourceError(resource, 'the local host does not know how to make it.');
    const properties = located(resource, () => resolveIntrinsics(resource.properties, scope));
    const rewritten = world.urls.rewrite(properties ?? {});
    provisioned.set(
      resource.logicalId,
      await type.provision(
        {
          stackName,
          logicalId: resource.logicalId,
          type: resource.type,
          properties: isJsonObject(rewritten) ? rewritten : {},
          ...(resource.path === undefined ? {} : { path: resource.path }),
          assetFolder,
        },
        world,
      ),
    );
  }

  const outputs: Record<string, string> = {};
  for (const [name, output] of Object.entries(template.outputs)) {
    if (!isWanted(output)) continue;
    const place = { stackName, logicalId: name, type: 'output' };
    const value = located(place, () => resolveIntrinsics(output.value, scope));
    if (value === undefined) continue;
    const rewritten = world.urls.rewrite(value);
    outputs[name] = typeof rewritten === 'string' ? rewritten : JSON.stringify(rewritten);
    const exportName = located(place, () => resolveIntrinsics(output.exportName ?? null, scope));
    if (typeof exportName === 'string') exported.set(exportName, rewritten);
  }
  return outputs;
}

function located<T>(place: { stackName: string; logicalId: string; type: string }, resolve: () => T): T {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof IntrinsicError)) throw error;
    throw new ResourceError(place, error.path === '' ? error.message : `${error.path}: ${error.message}`);
  }
}

function scopeOf(
  stackName: string,
  template: Template,
  provisioned: ReadonlyMap<string, ProvisionedResource>,
  exported: ReadonlyMap<string, Json>,
  earlierOutputs: StackOutputs,
  place: Place,
): IntrinsicScope {
  const pseudoParameters: Readonly<Record<string, Json>> = {
    'AWS::AccountId': place.accountId,
    'AWS::Region': place.region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': `arn:aws:cloudformation:${place.region}:${place.accountId}:stack/${stackName}/local`,
    'AWS::NotificationARNs': [],
  };
  const parameter = (name: string): Json | undefined => {
    const known = template.parameters[name];
    if (known?.defaultValue === undefined) return undefined;
    // The default is the name of a parameter in an account, whose value the host does not have.
    if (known.type.startsWith('AWS::SSM::')) return undefined;
    const isList = known.type === 'CommaDelimitedList' || known.type.startsWith('List<');
    return isList && typeof known.defaultValue === 'string'
      ? known.defaultValue.split(',').map((item) => item.trim())
      : known.defaultValue;
  };
  return {
    ref: (name) => pseudoParameters[name] ?? provisioned.get(name)?.ref ?? parameter(name),
    attribute: (logicalId, attribute) => provisioned.get(logicalId)?.attributes[attribute],
    importValue: (exportName) => exported.get(exportName),
    stackOutput: (otherStack, outputName) => earlierOutputs[otherStack]?.[outputName],
    condition: (name) => template.conditions[name],
    mapping: (map, first, second) => {
      const rows = template.mappings[map];
      const row = isJsonObject(rows) ? rows[first] : undefined;
      return isJsonObject(row) ? row[second] : undefined;
    },
  };
}

/** Otherwise in the template's order. */
function inCreationOrder(resources: readonly TemplateResource[]): readonly TemplateResource[] {
  const byId = new Map(resources.map((resource) => [resource.logicalId, resource]));
  const ordered = new Set<TemplateResource>();
  const visit = (resource: TemplateResource, trail: readonly string[]): void => {
    if (ordered.has(resource)) return;
    const path = [...trail, resource.logicalId];
    if (trail.includes(resource.logicalId)) {
      throw new ResourceError(resource, `circular dependency: ${path.join(' → ')}.`);
    }
    for (const id of [...resource.dependsOn, ...referencesOf(resource.properties)]) {
      const dependency = byId.get(id);
      if (dependency !== undefined) visit(dependency, path);
    }
    ordered.add(resource);
  };
  for (const resource of resources) visit(resource, []);
  return [...ordered];
}
