import { cpSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A resource as it stands in a template, to be changed in place. */
interface EditableResource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

/** Changes a template's resources. @returns whether it found what it was to change */
export type TemplateEdit = (resources: Record<string, EditableResource>) => boolean;

/**
 * A cloud assembly that differs from another one by what each edit does to one of its templates: to see what a host
 * makes of an app that lacks something.
 *
 * @throws Error where an edit finds nothing to change
 */
export function editedAssembly(assembly: string, edits: readonly TemplateEdit[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'duotempo-edited-'));
  const left = new Set(edits);
  for (const name of readdirSync(assembly)) {
    const [from, to] = [resolve(assembly, name), join(folder, name)];
    if (name.endsWith('.template.json')) {
      const template = JSON.parse(readFileSync(from, 'utf8')) as {
        readonly Resources: Record<string, Omit<EditableResource, 'Properties'> & Partial<EditableResource>>;
      };
      const resources = Object.fromEntries(
        Object.entries(template.Resources).map(([id, resource]) => [id, { Properties: {}, ...resource }]),
      );
      for (const edit of edits) if (edit(resources)) left.delete(edit);
      writeFileSync(to, JSON.stringify({ ...template, Resources: resources }));
    } else if (name.startsWith('asset.')) symlinkSync(from, to);
    else cpSync(from, to, { recursive: true });
  }
  if (left.size > 0) throw new Error('An edit found nothing in the templates to change.');
  return folder;
}

/** Takes an action from a role, whose logical id begins so. */
export function withoutAction(role: string, action: string): TemplateEdit {
  return (resources) => {
    let isFound = false;
    for (const document of policyDocuments(resources, role)) {
      document.Statement = document.Statement.flatMap((statement) => {
        const actions = [statement.Action].flat();
        if (!actions.includes(action)) return [statement];
        isFound = true;
        const rest = actions.filter((each) => each !== action);
        return rest.length === 0 ? [] : [{ ...statement, Action: rest }];
      });
    }
    return isFound;
  };
}

export function withoutTrust(role: string): TemplateEdit {
  return (resources) => {
    const found = Object.entries(resources).filter(
      ([logicalId, { Type }]) => Type === 'AWS::IAM::Role' && logicalId.startsWith(role),
    );
    for (const [, { Properties }] of found) {
      Properties['AssumeRolePolicyDocument'] = { Version: '2012-10-17', Statement: [] };
    }
    return found.length > 0;
  };
}

export function withoutResource(logicalId: RegExp): TemplateEdit {
  return (resources) => {
    const found = Object.keys(resources).filter((id) => logicalId.test(id));
    for (const id of found) delete resources[id];
    return found.length > 0;
  };
}

/** Sets a property, at a path such as `Target.Input`, of the resources of a type. */
export function withProperty(type: string, path: string, value: unknown): TemplateEdit {
  return (resources) => {
    const found = Object.values(resources).filter(({ Type }) => Type === type);
    for (const { Properties } of found) {
      const steps = path.split('.');
      const last = steps.pop() ?? '';
      const parent = steps.reduce((holder, step) => holder[step] as Record<string, unknown>, Properties);
      parent[last] = value;
    }
    return found.length > 0;
  };
}

export function withoutProjected(indexName: string, attribute: string): TemplateEdit {
  return (resources) =>
    Object.values(resources)
      .flatMap(({ Properties }) => (Properties['GlobalSecondaryIndexes'] ?? []) as readonly EditableIndex[])
      .filter(({ IndexName }) => IndexName === indexName)
      .map(({ Projection }) => {
        const left = Projection.NonKeyAttributes.filter((name) => name !== attribute);
        const isFound = left.length < Projection.NonKeyAttributes.length;
        Projection.NonKeyAttributes = left;
        return isFound;
      })
      .includes(true);
}

interface EditableIndex {
  readonly IndexName: string;
  readonly Projection: { NonKeyAttributes: readonly string[] };
}

export interface UnknownProperty {
  readonly logicalId: string;
  readonly type: string;
  /** Such as `GlobalSecondaryIndexes[0].Projection.Colour`. */
  readonly path: string;
}

/** Gives each object in the properties of each resource a property that CloudFormation does not know. */
export function withUnknownProperties(onAdd: (property: UnknownProperty) => void): TemplateEdit {
  return (resources) => {
    for (const [logicalId, { Type: type, Properties }] of Object.entries(resources)) {
      for (const { path, object } of objectsIn(Properties, type, '')) {
        object['Colour'] = 'blue';
        onAdd({ logicalId, type, path: path === '' ? 'Colour' : `${path}.Colour` });
      }
    }
    return true;
  };
}

/** Where names are the app's own: variables, tags by name, routes, mock requests. Policies have elements, not properties. */
const OWN_NAMES =
  /\.(Variables|\w*PolicyDocument|UserPoolTags|RouteSettings|RequestTemplates)$|::(ApiGatewayV2|Pipes)::\w+\.Tags$/;

/** The objects whose names are CloudFormation's: neither those of the app nor calls of intrinsic functions. */
function objectsIn(
  value: unknown,
  type: string,
  path: string,
): { readonly path: string; readonly object: Record<string, unknown> }[] {
  if (typeof value !== 'object' || value === null || OWN_NAMES.test(`${type}.${path}`)) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => objectsIn(item, type, `${path}[${index}]`));
  }
  const object = value as Record<string, unknown>;
  if (Object.keys(object).some((key) => /^(Ref|Fn::\w+)$/.test(key))) return [];
  const below = Object.entries(object).flatMap(([key, item]) =>
    objectsIn(item, type, path === '' ? key : `${path}.${key}`),
  );
  return [{ path, object }, ...below];
}

interface PolicyDocument {
  Statement: { readonly Action: string | readonly string[] }[];
}

function policyDocuments(resources: Record<string, EditableResource>, role: string): PolicyDocument[] {
  return Object.entries(resources)
    .filter(([logicalId]) => logicalId.startsWith(role))
    .flatMap(([, { Type, Properties }]) => {
      if (Type === 'AWS::IAM::Policy') return [Properties['PolicyDocument'] as PolicyDocument];
      const inline = Type === 'AWS::IAM::Role' ? Properties['Policies'] : [];
      return ((inline ?? []) as { readonly PolicyDocument: PolicyDocument }[]).map(
        ({ PolicyDocument: document }) => document,
      );
    });
}
