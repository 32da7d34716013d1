import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { pythonFolder } from '../judges/programs.mjs';

/** What CloudFormation knows of a type, by path: `[]` stands for the items of a list, `*` for any key of a map. */
export type KnownProperties = ReadonlyMap<string, { readonly values?: readonly string[] }>;

interface Schema {
  readonly $ref?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly items?: Schema | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly patternProperties?: Readonly<Record<string, Schema>> | undefined;
  readonly oneOf?: readonly Schema[] | undefined;
  readonly anyOf?: readonly Schema[] | undefined;
  readonly allOf?: readonly Schema[] | undefined;
}

const schema: v.GenericSchema<Schema> = v.object({
  $ref: v.optional(v.string()),
  enum: v.optional(v.array(v.unknown())),
  items: v.optional(v.lazy(() => schema)),
  properties: v.optional(
    v.record(
      v.string(),
      v.lazy(() => schema),
    ),
  ),
  patternProperties: v.optional(
    v.record(
      v.string(),
      v.lazy(() => schema),
    ),
  ),
  oneOf: v.optional(v.array(v.lazy(() => schema))),
  anyOf: v.optional(v.array(v.lazy(() => schema))),
  allOf: v.optional(v.array(v.lazy(() => schema))),
});
const typeSchema = v.object({
  properties: v.record(v.string(), schema),
  definitions: v.optional(v.record(v.string(), schema), {}),
  readOnlyProperties: v.optional(v.array(v.string()), []),
});

/** CloudFormation's resource schemas, which cfn-lint brings along, as a look-up by type. */
export function cloudFormationSchemas(): (type: string) => KnownProperties {
  const lib = join(pythonFolder('cfn-lint'), 'lib');
  const [python = ''] = readdirSync(lib);
  const folder = join(lib, python, 'site-packages', 'cfnlint', 'data', 'schemas');
  const files = v.parse(
    v.record(v.string(), v.string()),
    jsonAt(join(folder, 'providers', 'us-east-1.json')),
  );
  return (type) => {
    const { properties, definitions, readOnlyProperties } = v.parse(
      typeSchema,
      jsonAt(join(folder, 'resources', `${files[type]}.json`)),
    );
    const known = new Map<string, { readonly values?: readonly string[] }>();
    collect({ properties }, '', definitions, known);
    for (const pointer of readOnlyProperties) {
      known.delete(pointer.replace('/properties/', '').replaceAll('/*/', '[].').replaceAll('/', '.'));
    }
    return known;
  };
}

function collect(
  node: Schema,
  path: string,
  definitions: Readonly<Record<string, Schema>>,
  known: Map<string, { readonly values?: readonly string[] }>,
): void {
  if (node.$ref !== undefined) {
    const referred = definitions[node.$ref.split('/').at(-1) ?? ''];
    if (referred !== undefined) collect(referred, path, definitions, known);
  }
  if (path !== '') {
    const values = [known.get(path)?.values ?? [], node.enum?.map(String) ?? []].flat();
    known.set(path, values.length === 0 ? {} : { values });
  }
  for (const branch of [node.oneOf, node.anyOf, node.allOf].flatMap((branches) => branches ?? [])) {
    collect(branch, path, definitions, known);
  }
  if (node.items !== undefined) collect(node.items, `${path}[]`, definitions, known);
  for (const [name, below] of Object.entries(node.properties ?? {})) {
    collect(below, path === '' ? name : `${path}.${name}`, definitions, known);
  }
  for (const below of Object.values(node.patternProperties ?? {})) {
    collect(below, `${path}.*`, definitions, known);
  }
}

function jsonAt(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
