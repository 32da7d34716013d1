import { intrinsicCall } from './intrinsics.ts';
import { physicalName } from './physical-name.ts';
import { optionalText, type Place, type ProvisionedResource, type ResourceRequest } from './resource.ts';
import { isJsonList, isJsonObject, type Json, type TemplateResource } from './template.ts';

/*
 * The start refuses what is not listed, so that no program meets a surprise on AWS: the host honours a property, or
 * says why it need not.
 */

interface Inert {
  readonly kind: 'inert';
  readonly reason: string;
}

export type Support =
  | { readonly kind: 'honoured'; readonly only?: RegExp }
  | Inert
  | { readonly kind: 'refused'; readonly reason: string };

export type Properties = Readonly<Record<string, Support>>;

export interface TypeSupport {
  /** @default honoured */
  readonly support?: Inert;
  /**
   * By path: `[]` for the items of a list, `*` for any key of a map. Paths are as deep as CloudFormation's, so that
   * unknown names are refused at any depth. Source: CloudFormation's resource schemas.
   */
  readonly properties: Properties;
}

/** @typeParam World the parts of the host that it touches */
export type Provision<World> = (
  resource: ResourceRequest,
  world: World,
) => ProvisionedResource | Promise<ProvisionedResource>;

export type ResourceTypes<World> = Readonly<
  Record<string, TypeSupport & { readonly provision: Provision<World> }>
>;

export const honoured: Support = { kind: 'honoured' };
export const only = (pattern: RegExp): Support => ({ kind: 'honoured', only: pattern });
export const inert = (reason: string): Inert => ({ kind: 'inert', reason });
export const refused = (reason: string): Support => ({ kind: 'refused', reason });

export const description = inert('A description is for people.');
export const encryption = inert('Encryption at rest does not change what a program reads.');
export const observability = inert('Nobody watches metrics, logs and traces of a laptop.');
export const recovery = inert('There is nothing to recover: the data lives as long as the host.');
const tags = inert('Tags change nothing that a program can see.');

/** @param paths with a space between them */
export const each = (prefix: string, support: Support, ...paths: readonly string[]): Properties =>
  Object.fromEntries(paths.flatMap((text) => text.split(' ')).map((path) => [`${prefix}${path}`, support]));

export const honours = (...paths: readonly string[]): Properties => each('', honoured, ...paths);
export const tagList = (path = 'Tags'): Properties => each(`${path}[].`, tags, 'Key', 'Value');
export const tagMap = (path = 'Tags'): Properties => ({ [`${path}.*`]: tags });

export interface Naming {
  readonly nameProperty?: string;
  readonly arnOf?: (name: string, place: Place) => string;
  readonly refIsArn?: boolean;
}

export function inertType(
  support: Inert,
  naming: Naming,
  ...paths: readonly string[]
): ResourceTypes<Place>[string] {
  return {
    support,
    properties: each('', support, ...paths),
    provision: (resource, place) => {
      const { nameProperty, arnOf = (itself: string) => itself, refIsArn = false } = naming;
      const given = nameProperty === undefined ? undefined : optionalText(resource, nameProperty);
      const name = given ?? physicalName(resource.stackName, resource.logicalId);
      const arn = arnOf(name, place);
      return {
        ref: refIsArn ? arn : name,
        attributes: { Arn: arn, TopicArn: arn, TopicName: name, Id: name },
      };
    },
  };
}

/** Its message names everything that is not supported. */
class UnsupportedTemplateError extends Error {
  readonly offences: readonly string[];
  constructor(offences: readonly string[]) {
    super(
      `The local host can't run this app as AWS would:\n${offences.map((offence) => `  ${offence}`).join('\n')}\n` +
        'The files local/*/resources.ts list what it does, what it ignores, and why.',
    );
    this.name = 'UnsupportedTemplateError';
    this.offences = offences;
  }
}

export function checkSupport(
  resources: readonly TemplateResource[],
  types: Readonly<Record<string, TypeSupport>>,
): void {
  const offences = resources.flatMap((resource) => offencesOf(resource, types[resource.type]));
  if (offences.length > 0) throw new UnsupportedTemplateError(offences);
}

function offencesOf(resource: TemplateResource, type: TypeSupport | undefined): readonly string[] {
  const where = `${resource.stackName}/${resource.logicalId} (${resource.type})`;
  if (type === undefined) return [`${where}: resources of this type are not supported.`];
  const found: string[] = [];
  check(type, resource.properties, '', '', (path, reason) => found.push(`${where} ${path}: ${reason}`));
  return found;
}

function check(
  type: TypeSupport,
  value: Json,
  path: string,
  pattern: string,
  refuse: (path: string, reason: string) => void,
): void {
  const support = type.properties[pattern];
  if (support?.kind === 'inert') return;
  if (support?.kind === 'refused') return refuse(path, support.reason);

  const call = isJsonObject(value) ? intrinsicCall(value) : undefined;
  if (call?.name === 'Fn::If' && isJsonList(call.argument)) {
    for (const branch of call.argument.slice(1)) check(type, branch, path, pattern, refuse);
    return;
  }
  // Checked when the function is resolved.
  if (call !== undefined) return;

  const below = Object.keys(type.properties).filter(
    (known) => known !== pattern && startsWithPath(known, pattern),
  );
  if (isJsonList(value)) {
    if (below.length > 0 || support === undefined) {
      value.forEach((item, index) => check(type, item, `${path}[${index}]`, `${pattern}[]`, refuse));
      return;
    }
    value.forEach((item, index) => checkValue(support, item, `${path}[${index}]`, refuse));
    return;
  }
  if (isJsonObject(value) && (below.length > 0 || (support === undefined && pattern === ''))) {
    for (const [key, item] of Object.entries(value)) {
      const named = join(pattern, key);
      const isListed = Object.keys(type.properties).some(
        (known) => known === named || startsWithPath(known, named),
      );
      check(
        type,
        item,
        join(path, key),
        isListed ? named : join(pattern, hasWildcard(type, pattern) ? '*' : key),
        refuse,
      );
    }
    return;
  }
  if (support === undefined) return refuse(path, 'this property is not supported.');
  checkValue(support, value, path, refuse);
}

function checkValue(
  support: Support,
  value: Json,
  path: string,
  refuse: (path: string, reason: string) => void,
): void {
  if (support.kind !== 'honoured' || support.only === undefined) return;
  if (isJsonObject(value) || isJsonList(value) || support.only.test(String(value))) return;
  refuse(path, `${JSON.stringify(value)} is not supported (supported: ${support.only.source}).`);
}

function hasWildcard(type: TypeSupport, pattern: string): boolean {
  const wildcard = join(pattern, '*');
  return Object.keys(type.properties).some((known) => known === wildcard || startsWithPath(known, wildcard));
}

function startsWithPath(known: string, pattern: string): boolean {
  return pattern === '' || known.startsWith(`${pattern}.`) || known.startsWith(`${pattern}[]`);
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
