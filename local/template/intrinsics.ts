import { isJsonList, isJsonObject, type Json, type JsonObject } from './template.ts';

export interface IntrinsicScope {
  readonly ref: (logicalId: string) => Json | undefined;
  readonly attribute: (logicalId: string, attribute: string) => Json | undefined;
  readonly importValue: (exportName: string) => Json | undefined;
  readonly stackOutput: (stackName: string, outputName: string) => Json | undefined;
  readonly condition: (name: string) => Json | undefined;
  readonly mapping: (map: string, first: string, second: string) => Json | undefined;
}

/** `path` leads to the function: `Environment.Variables.TABLE`. */
export class IntrinsicError extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.name = 'IntrinsicError';
    this.path = path;
  }
}

/** @returns undefined for `AWS::NoValue`, which removes the property. @throws IntrinsicError */
export function resolveIntrinsics(value: Json, scope: IntrinsicScope, path = ''): Json | undefined {
  if (isJsonList(value)) {
    return value
      .map((item, index) => resolveIntrinsics(item, scope, `${path}[${index}]`))
      .filter((item) => item !== undefined);
  }
  if (!isJsonObject(value)) return value;
  const call = intrinsicCall(value);
  if (call !== undefined) return new Call(call.name, call.argument, scope, path).evaluate();
  const resolved: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    const result = resolveIntrinsics(item, scope, path === '' ? key : `${path}.${key}`);
    if (result !== undefined) resolved[key] = result;
  }
  return resolved;
}

/** A single key that is `Ref` or begins with `Fn::`. */
export function intrinsicCall(
  value: JsonObject,
): { readonly name: string; readonly argument: Json } | undefined {
  const [entry, second] = Object.entries(value);
  if (entry === undefined || second !== undefined) return undefined;
  const [name, argument] = entry;
  const isCondition = name === 'Condition' && typeof argument === 'string';
  return name === 'Ref' || name.startsWith('Fn::') || isCondition ? { name, argument } : undefined;
}

/** The logical ids that must exist before the value resolves. */
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

class Call {
  readonly name: string;
  readonly argument: Json;
  readonly scope: IntrinsicScope;
  readonly #path: string;

  constructor(name: string, argument: Json, scope: IntrinsicScope, path: string) {
    this.name = name;
    this.argument = argument;
    this.scope = scope;
    this.#path = path;
  }

  evaluate(): Json | undefined {
    const intrinsic = INTRINSICS[this.name];
    return intrinsic === undefined
      ? this.fail('is an intrinsic function that the local host does not know')
      : intrinsic(this);
  }

  fail(reason: string): never {
    throw new IntrinsicError(this.#path, `${this.name} ${reason}`);
  }

  resolve(value: Json): Json | undefined {
    return resolveIntrinsics(value, this.scope, this.#path);
  }

  text(value: Json): string {
    const result = this.#resolved(value);
    if (isJsonList(result) || isJsonObject(result) || result === null) return this.fail('needs a text');
    return String(result);
  }

  list(value: Json): readonly Json[] {
    const result = this.#resolved(value);
    return isJsonList(result) ? result : this.fail('needs a list');
  }

  truth(value: Json | undefined): boolean {
    const result = value === undefined ? undefined : this.resolve(value);
    if (result === true || result === 'true') return true;
    return result === false || result === 'false' ? false : this.fail('needs a condition');
  }

  literal(what: string): string {
    return typeof this.argument === 'string' ? this.argument : this.fail(`needs ${what}`);
  }

  parts(count: number): readonly Json[] {
    const { argument } = this;
    return isJsonList(argument) && argument.length === count
      ? argument
      : this.fail(`needs a list of ${count}`);
  }

  conditions(): readonly Json[] {
    return isJsonList(this.argument) ? this.argument : this.fail('needs a list');
  }

  reference(logicalId: string): Json {
    return this.scope.ref(logicalId) ?? this.fail(`names ${logicalId}, which does not exist`);
  }

  attribute(logicalId: string, attribute: string): Json {
    return (
      this.scope.attribute(logicalId, attribute) ??
      this.fail(`names ${logicalId}.${attribute}, which the local host does not know`)
    );
  }

  #resolved(value: Json): Json {
    return this.resolve(value) ?? this.fail('resolves to AWS::NoValue');
  }
}

const INTRINSICS: Readonly<Record<string, (call: Call) => Json | undefined>> = {
  Ref: (call) => {
    const logicalId = call.literal('a logical id');
    return logicalId === 'AWS::NoValue' ? undefined : call.reference(logicalId);
  },
  'Fn::GetAtt': (call) => {
    const target = attributeTarget(call.argument) ?? call.fail('needs a logical id and an attribute');
    return call.attribute(target.logicalId, target.attribute);
  },
  'Fn::Join': (call) => {
    const [delimiter = '', values = []] = call.parts(2);
    const texts = call.list(values).map((value) => call.text(value));
    return texts.join(call.text(delimiter));
  },
  'Fn::Sub': substitute,
  'Fn::Select': (call) => {
    const [index = 0, values = []] = call.parts(2);
    return call.list(values)[Number(call.text(index))] ?? call.fail('selects beyond the end of its list');
  },
  'Fn::Split': (call) => {
    const [delimiter = '', source = ''] = call.parts(2);
    return call.text(source).split(call.text(delimiter));
  },
  'Fn::If': (call) => {
    const [condition = '', whenTrue = null, whenFalse = null] = call.parts(3);
    return call.resolve(call.truth({ Condition: condition }) ? whenTrue : whenFalse);
  },
  Condition: (call) => {
    const name = call.literal('a name');
    return call.truth(call.scope.condition(name) ?? call.fail(`names ${name}, which does not exist`));
  },
  'Fn::Equals': (call) => {
    const [left = null, right = null] = call.parts(2);
    return call.text(left) === call.text(right);
  },
  'Fn::And': (call) => call.conditions().every((condition) => call.truth(condition)),
  'Fn::Or': (call) => call.conditions().some((condition) => call.truth(condition)),
  'Fn::Not': (call) => !call.truth(call.parts(1)[0]),
  'Fn::FindInMap': (call) => {
    const [map = '', first = '', second = ''] = call.parts(3);
    const keys = [call.text(map), call.text(first), call.text(second)] as const;
    return call.scope.mapping(...keys) ?? call.fail(`finds nothing at ${keys.join('.')}`);
  },
  'Fn::ImportValue': (call) => {
    const name = call.text(call.argument);
    return call.scope.importValue(name) ?? call.fail(`names the export ${name}, which no earlier stack has`);
  },
  'Fn::GetStackOutput': stackOutput,
  'Fn::Base64': (call) => Buffer.from(call.text(call.argument)).toString('base64'),
  'Fn::GetAZs': () => ['a', 'b', 'c'].map((zone) => `us-east-1${zone}`),
};

function substitute(call: Call): string {
  const [template = '', own = {}] = isJsonList(call.argument) ? call.parts(2) : [call.argument];
  if (typeof template !== 'string' || !isJsonObject(own)) {
    return call.fail('needs a text, and optionally a map');
  }
  return template
    .replaceAll(SUBSTITUTION, (_, key: string) => {
      const variable = key.trim();
      const value = own[variable];
      if (value !== undefined) return call.text(value);
      const [logicalId = '', ...rest] = variable.split('.');
      return call.text(
        rest.length === 0 ? call.reference(variable) : call.attribute(logicalId, rest.join('.')),
      );
    })
    .replaceAll('${!', '${');
}

/** CDK's weak references between stacks. */
function stackOutput(call: Call): Json {
  if (!isJsonObject(call.argument)) return call.fail('needs StackName and OutputName');
  const { StackName = null, OutputName = null, Region = 'us-east-1', ...others } = call.argument;
  const names = [call.text(StackName), call.text(OutputName)] as const;
  if (call.text(Region) !== 'us-east-1' || Object.keys(others).length > 0) {
    return call.fail('reads outputs of this account and region only');
  }
  return (
    call.scope.stackOutput(...names) ?? call.fail(`names ${names.join('.')}, which no earlier stack has`)
  );
}
