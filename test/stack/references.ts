/** What a part of a template refers to, by intrinsic functions. */
export interface Reference {
  readonly kind: 'Ref' | 'Fn::GetAtt' | 'Fn::ImportValue';
  /** A logical id, a parameter, a pseudo parameter, or the name of an export. */
  readonly target: string;
  readonly attribute?: string;
  readonly path: string;
}

/** What this app's templates use. Another function would need a rule of its own in the checks. */
const known = new Set([
  ...['Ref', 'Fn::GetAtt', 'Fn::ImportValue', 'Fn::Sub', 'Fn::Join', 'Fn::Select', 'Fn::Split'],
]);

/** @throws Error for an intrinsic function that is not known here */
export function referencesIn(part: unknown, path = ''): Reference[] {
  if (Array.isArray(part)) return part.flatMap((item, index) => referencesIn(item, `${path}[${index}]`));
  if (typeof part !== 'object' || part === null) return [];
  const entries = Object.entries(part);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && /^(Ref|Fn::.*)$/.test(first[0])) {
    const [name, argument] = first;
    if (!known.has(name)) throw new Error(`${path}: no check knows ${name}.`);
    if (name === 'Ref') return [{ kind: name, target: String(argument), path }];
    if (name === 'Fn::GetAtt') {
      const [target = '', attribute = ''] = Array.isArray(argument)
        ? argument
        : String(argument).split('.', 2);
      return [{ kind: name, target, attribute, path }];
    }
    if (name === 'Fn::ImportValue') return [{ kind: name, target: String(argument), path }];
    if (name === 'Fn::Sub') return substitutionsIn(argument, path);
  }
  return entries.flatMap(([key, value]) => referencesIn(value, path === '' ? key : `${path}.${key}`));
}

function substitutionsIn(argument: unknown, path: string): Reference[] {
  const [text, own = {}] = Array.isArray(argument) ? argument : [argument];
  return [
    ...[...String(text).matchAll(/\$\{([^!{}][^{}]*)\}/g)].flatMap(([, name = '']): Reference[] => {
      if (name in own) return [];
      const [target = '', attribute] = name.split(/\.(.*)/);
      return [
        attribute === undefined
          ? { kind: 'Ref', target, path }
          : { kind: 'Fn::GetAtt', target, attribute, path },
      ];
    }),
    ...referencesIn(own, path),
  ];
}

/**
 * Orders nodes so that each comes after those it depends on.
 *
 * @throws Error that names the nodes of a circle
 */
export function inDependencyOrder(dependencies: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const ordered = new Set<string>();
  const visit = (node: string, trail: readonly string[]): void => {
    if (ordered.has(node)) return;
    if (trail.includes(node)) throw new Error(`Circular dependency: ${[...trail, node].join(' → ')}`);
    for (const dependency of dependencies.get(node) ?? []) visit(dependency, [...trail, node]);
    ordered.add(node);
  };
  for (const node of dependencies.keys()) visit(node, []);
  return [...ordered];
}
