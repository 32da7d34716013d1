import { intrinsicCall } from './intrinsics.ts';
import { SUPPORT } from './support.ts';
import type { Support, TypeSupport } from './support.ts';
import { isJsonList, isJsonObject } from './template.ts';
import type { Json, TemplateResource } from './template.ts';

/** A template asks for what the host does not do. Its message names every offence. */
class UnsupportedTemplateError extends Error {
  readonly offences: readonly string[];
  constructor(offences: readonly string[]) {
    super(
      `The local host can't run this app as AWS would:\n${offences.map((offence) => `  ${offence}`).join('\n')}\n` +
        'local/template/support.ts lists what it does, what it ignores, and why.',
    );
    this.name = 'UnsupportedTemplateError';
    this.offences = offences;
  }
}

/** @throws UnsupportedTemplateError */
export function checkSupport(resources: readonly TemplateResource[]): void {
  const offences = resources.flatMap((resource) => offencesOf(resource));
  if (offences.length > 0) throw new UnsupportedTemplateError(offences);
}

function offencesOf(resource: TemplateResource): readonly string[] {
  const where = `${resource.stackName}/${resource.logicalId} (${resource.type})`;
  const type = SUPPORT[resource.type];
  if (type === undefined) return [`${where}: resources of this type are not supported.`];
  if (type.support.kind === 'refused') return [`${where}: ${type.support.reason}`];
  const found: string[] = [];
  check(type, resource.properties, '', '', (path, reason) => found.push(`${where} ${path}: ${reason}`));
  return found;
}

/** @param pattern the path with `[]` for any item and `*` for any key, as it stands in the list. */
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
  // What an intrinsic function yields is checked when it is resolved.
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
