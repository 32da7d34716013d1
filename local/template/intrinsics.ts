import { isJsonList, isJsonObject, type Json, type JsonObject } from './template.ts';

/** What intrinsic functions refer to. Each answers undefined where the thing named does not exist. */
export interface IntrinsicScope {
  readonly ref: (logicalId: string) => Json | undefined;
  readonly attribute: (logicalId: string, attribute: string) => Json | undefined;
  readonly importValue: (exportName: string) => Json | undefined;
  readonly stackOutput: (stackName: string, outputName: string) => Json | undefined;
  readonly condition: (name: string) => Json | undefined;
  readonly mapping: (map: string, first: string, second: string) => Json | undefined;
}

/** An intrinsic function that can't be resolved; `path` leads to it, e.g. `Environment.Variables.TABLE`. */
export class IntrinsicError extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.name = 'IntrinsicError';
    this.path = path;
  }
}

/**
 * Resolves every intrinsic function within `value`.
 *
 * @returns undefined where it resolves to `AWS::NoValue`: the property is then absent.
 * @throws IntrinsicError
 */
export function resolveIntrinsics(value: Json, scope: IntrinsicScope, path = ''): Json | undefined {
  if (isJsonList(value)) {
    return value
      .map((item, index) => resolveIntrinsics(item, scope, `${path}[${index}]`))
      .filter((item) => item !== undefined);
  }
  if (!isJsonObject(value)) return value;
  const call = intrinsicCall(value);
  if (call !== undefined) return evaluate(call.name, call.argument, scope, path);
  const resolved: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    const result = resolveIntrinsics(item, scope, path === '' ? key : `${path}.${key}`);
    if (result !== undefined) resolved[key] = result;
  }
  return resolved;
}

/** The function call that an object spells, if it is one: a single key that is `Ref` or begins with `Fn::`. */
export function intrinsicCall(
  value: JsonObject,
): { readonly name: string; readonly argument: Json } | undefined {
  const [entry, second] = Object.entries(value);
  if (entry === undefined || second !== undefined) return undefined;
  const [name, argument] = entry;
  const isCondition = name === 'Condition' && typeof argument === 'string';
  return name === 'Ref' || name.startsWith('Fn::') || isCondition ? { name, argument } : undefined;
}

/** The logical ids that a value refers to, which must therefore exist before it can be resolved. */
export function referencesOf(value: Json): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: Json): void => {
    if (isJsonList(node)) return node.forEach(visit);
    if (!isJsonObject(node)) return;
    const call = intrinsicCall(node);
    if (call?.name === 'Ref' && typeof call.argument === 'string') found.add(call.argument);
    if (call?.name === 'Fn::GetAtt') {
      const target = attributeTarget(call.argument);
      if (target !== undefined) found.add(target.logicalId);
    }
    if (call?.name === 'Fn::Sub') {
      const text = isJsonList(call.argument) ? call.argument[0] : call.argument;
      const own = isJsonList(call.argument) && isJsonObject(call.argument[1]) ? call.argument[1] : {};
      if (typeof text === 'string') {
        for (const name of substitutions(text)) {
          const logicalId = name.split('.')[0];
          if (logicalId !== undefined && own[name] === undefined) found.add(logicalId);
        }
      }
    }
    Object.values(node).forEach(visit);
  };
  visit(value);
  return found;
}

const SUBSTITUTION = /\$\{([^!{}][^{}]*)\}/g;

function substitutions(text: string): readonly string[] {
  return [...text.matchAll(SUBSTITUTION)].flatMap((match) => match[1]?.trim() ?? []);
}

function attributeTarget(argument: Json): { logicalId: string; attribute: string } | undefined {
  if (typeof argument === 'string') {
    const dot = argument.indexOf('.');
    return dot < 0 ? undefined : { logicalId: argument.slice(0, dot), attribute: argument.slice(dot + 1) };
  }
  if (!isJsonList(argument)) return undefined;
  const [logicalId, attribute] = argument;
  return typeof logicalId === 'string' && typeof attribute === 'string'
    ? { logicalId, attribute }
    : undefined;
}

function evaluate(name: string, argument: Json, scope: IntrinsicScope, path: string): Json | undefined {
  const fail = (reason: string): never => {
    throw new IntrinsicError(path, `${name} ${reason}`);
  };
  const resolved = (value: Json): Json =>
    resolveIntrinsics(value, scope, path) ?? fail('resolves to AWS::NoValue');
  const text = (value: Json): string => {
    const result = resolved(value);
    return isJsonList(result) || isJsonObject(result) || result === null
      ? fail('needs a text')
      : String(result);
  };
  const list = (value: Json): readonly Json[] => {
    const result = resolved(value);
    return isJsonList(result) ? result : fail('needs a list');
  };
  const parts = (count: number): readonly Json[] =>
    isJsonList(argument) && argument.length === count ? argument : fail(`needs a list of ${count}`);
  const truth = (value: Json | undefined): boolean => {
    const result = value === undefined ? undefined : resolveIntrinsics(value, scope, path);
    if (result === true || result === 'true') return true;
    return result === false || result === 'false' ? false : fail('needs a condition');
  };
  const reference = (logicalId: string): Json =>
    scope.ref(logicalId) ?? fail(`names ${logicalId}, which does not exist`);
  const attribute = (logicalId: string, attributeName: string): Json =>
    scope.attribute(logicalId, attributeName) ??
    fail(`names ${logicalId}.${attributeName}, which the local host does not know`);

  switch (name) {
    case 'Ref': {
      const logicalId = typeof argument === 'string' ? argument : fail('needs a logical id');
      return logicalId === 'AWS::NoValue' ? undefined : reference(logicalId);
    }
    case 'Fn::GetAtt': {
      const target = attributeTarget(argument) ?? fail('needs a logical id and an attribute');
      return attribute(target.logicalId, target.attribute);
    }
    case 'Fn::Join': {
      const [delimiter = '', values = []] = parts(2);
      return list(values)
        .map((value) => text(value))
        .join(text(delimiter));
    }
    case 'Fn::Sub': {
      const [template = '', own = {}] = isJsonList(argument) ? parts(2) : [argument];
      if (typeof template !== 'string' || !isJsonObject(own))
        return fail('needs a text, and optionally a map');
      return template
        .replaceAll(SUBSTITUTION, (_, key: string) => {
          const variable = key.trim();
          const value = own[variable];
          if (value !== undefined) return text(value);
          const [logicalId = '', ...rest] = variable.split('.');
          return text(rest.length === 0 ? reference(variable) : attribute(logicalId, rest.join('.')));
        })
        .replaceAll('${!', '${');
    }
    case 'Fn::Select': {
      const [index = 0, values = []] = parts(2);
      return list(values)[Number(text(index))] ?? fail('selects beyond the end of its list');
    }
    case 'Fn::Split': {
      const [delimiter = '', source = ''] = parts(2);
      return text(source).split(text(delimiter));
    }
    case 'Fn::If': {
      const [condition = '', whenTrue = null, whenFalse = null] = parts(3);
      return resolveIntrinsics(truth({ Condition: condition }) ? whenTrue : whenFalse, scope, path);
    }
    case 'Condition': {
      const conditionName = typeof argument === 'string' ? argument : fail('needs a name');
      return truth(scope.condition(conditionName) ?? fail(`names ${conditionName}, which does not exist`));
    }
    case 'Fn::Equals': {
      const [left = null, right = null] = parts(2);
      return text(left) === text(right);
    }
    case 'Fn::And':
      return isJsonList(argument) ? argument.every((condition) => truth(condition)) : fail('needs a list');
    case 'Fn::Or':
      return isJsonList(argument) ? argument.some((condition) => truth(condition)) : fail('needs a list');
    case 'Fn::Not':
      return !truth(parts(1)[0]);
    case 'Fn::FindInMap': {
      const [map = '', first = '', second = ''] = parts(3);
      const keys = [text(map), text(first), text(second)] as const;
      return scope.mapping(...keys) ?? fail(`finds nothing at ${keys.join('.')}`);
    }
    case 'Fn::ImportValue': {
      const exportName = text(argument);
      return (
        scope.importValue(exportName) ?? fail(`names the export ${exportName}, which no earlier stack has`)
      );
    }
    case 'Fn::GetStackOutput': {
      // CDK's weak references between stacks.
      if (!isJsonObject(argument)) return fail('needs StackName and OutputName');
      const { StackName = null, OutputName = null, Region = 'us-east-1', ...others } = argument;
      const names = [text(StackName), text(OutputName)] as const;
      if (text(Region) !== 'us-east-1' || Object.keys(others).length > 0) {
        return fail('reads outputs of this account and region only');
      }
      return scope.stackOutput(...names) ?? fail(`names ${names.join('.')}, which no earlier stack has`);
    }
    case 'Fn::Base64':
      return Buffer.from(text(argument)).toString('base64');
    case 'Fn::GetAZs':
      return ['a', 'b', 'c'].map((zone) => `us-east-1${zone}`);
    default:
      return fail('is an intrinsic function that the local host does not know');
  }
}
