import * as v from 'valibot';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../template/index.ts';
import { compileCondition, PolicyError, type Condition } from './condition.ts';
import { compileArnPattern, compileWildcard, type Matches } from './wildcard.ts';

/** With `NotAction` and `NotResource`, a statement covers everything that matches none of them. */
export interface Patterns {
  readonly isNegated: boolean;
  readonly patterns: readonly { readonly text: string; readonly matches: Matches }[];
}

export type PrincipalPattern =
  | { readonly kind: 'everyone' }
  /** The whole account: an Allow leaves the decision to identity-based policies, a Deny holds for each principal. */
  | { readonly kind: 'account'; readonly accountId: string }
  | { readonly kind: 'arn'; readonly arn: string }
  | { readonly kind: 'service'; readonly service: string };

export interface Statement {
  /** For people and tests: `Shop/RolePolicy PolicyDocument.Statement[2]`. */
  readonly source: string;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: Patterns;
  readonly resources: Patterns;
  readonly principals?: readonly PrincipalPattern[];
  readonly conditions: readonly Condition[];
}

/** `identity` covers its holder; `resource` and `trust` name principals; `trust` covers its role alone. */
export type PolicyKind = 'identity' | 'resource' | 'trust';

const TextOrTexts = v.union([
  v.pipe(
    v.string(),
    v.transform((text) => [text]),
  ),
  v.array(v.string()),
]);
const StatementSchema = v.strictObject({
  Sid: v.exactOptional(v.string()),
  Effect: v.picklist(['Allow', 'Deny']),
  Principal: v.exactOptional(v.union([v.literal('*'), v.record(v.string(), TextOrTexts)])),
  Action: v.exactOptional(TextOrTexts),
  NotAction: v.exactOptional(TextOrTexts),
  Resource: v.exactOptional(TextOrTexts),
  NotResource: v.exactOptional(TextOrTexts),
  Condition: v.exactOptional(v.custom<JsonObject>(isJsonObject, 'it must be an object')),
});
type StatementSource = v.InferOutput<typeof StatementSchema>;
const DocumentSchema = v.strictObject({
  Version: v.exactOptional(v.picklist(['2012-10-17', '2008-10-17'])),
  Id: v.exactOptional(v.string()),
  Statement: v.custom<Json>(
    (value) => isJsonObject(value) || isJsonList(value),
    'it must be a statement or a list',
  ),
});

/** @param source of the document; statements extend it. @throws PolicyError that names what is not understood */
export function compilePolicy(document: Json, kind: PolicyKind, source: string): readonly Statement[] {
  const { Statement: statements } = parsed(DocumentSchema, document, 'the document');
  return (isJsonList(statements) ? statements : [statements]).map((statement, index) => {
    const place = `Statement[${index}]`;
    try {
      return compileStatement(
        parsed(StatementSchema, statement, 'the statement'),
        kind,
        `${source}.${place}`,
      );
    } catch (error) {
      throw error instanceof PolicyError ? new PolicyError(`${place}: ${error.message}`) : error;
    }
  });
}

function parsed<T extends v.GenericSchema>(schema: T, value: Json, name: string): v.InferOutput<T> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new PolicyError(`${v.getDotPath(issue) ?? name}: ${issue.message}.`);
}

function compileStatement(statement: StatementSource, kind: PolicyKind, source: string): Statement {
  const { Action, NotAction, Resource, NotResource, Principal } = statement;
  refuseVariables(statement);
  if (Principal !== undefined && kind === 'identity') {
    throw new PolicyError('Principal belongs into resource-based policies.');
  }
  if (Principal === undefined && kind !== 'identity') {
    throw new PolicyError('Principal is missing, which a resource-based policy must have.');
  }
  return {
    source,
    effect: statement.Effect,
    actions: patterns('Action', Action, NotAction, (text) => compileWildcard(text, { ignoresCase: true })),
    // A trust policy covers its own role and names no resource.
    resources: patterns('Resource', kind === 'trust' ? ['*'] : Resource, NotResource, compileArnPattern),
    ...(Principal === undefined ? {} : { principals: principalsOf(Principal) }),
    conditions: conditionsOf(statement.Condition ?? {}),
  };
}

function conditionsOf(conditions: JsonObject): readonly Condition[] {
  return Object.entries(conditions).flatMap(([operator, keys]) => {
    if (!isJsonObject(keys)) throw new PolicyError(`the condition ${operator} must be an object.`);
    return Object.entries(keys).map(([key, value]) => {
      const values = isJsonList(value) ? value : [value];
      if (values.some((each) => each === null || typeof each === 'object')) {
        throw new PolicyError(`the condition ${operator} compares ${key} with what is no text.`);
      }
      return compileCondition(operator, key, values.map(String));
    });
  });
}

function patterns(
  name: string,
  given: readonly string[] | undefined,
  excepted: readonly string[] | undefined,
  compile: (text: string) => Matches,
): Patterns {
  const texts = given ?? excepted;
  if (texts === undefined || (given !== undefined && excepted !== undefined)) {
    throw new PolicyError(`it needs either ${name} or Not${name}.`);
  }
  return {
    isNegated: given === undefined,
    patterns: texts.map((text) => ({ text, matches: compile(text) })),
  };
}

function principalsOf(principal: '*' | Readonly<Record<string, readonly string[]>>): PrincipalPattern[] {
  if (principal === '*') return [{ kind: 'everyone' }];
  return Object.entries(principal).flatMap(([type, names]) => {
    if (type === 'Service') return names.map((service) => ({ kind: 'service', service }) as const);
    if (type === 'AWS') return names.map(awsPrincipal);
    throw new PolicyError(`the local host does not know principals of the type ${type}.`);
  });
}

function awsPrincipal(name: string): PrincipalPattern {
  if (name === '*') return { kind: 'everyone' };
  const accountId = /^(?:arn:aws:iam::)?(\d{12})(?::root)?$/.exec(name)?.[1];
  if (accountId !== undefined) return { kind: 'account', accountId };
  if (/^arn:aws:(iam::\d{12}:role|sts::\d{12}:assumed-role)\/[^*?]+$/.test(name))
    return { kind: 'arn', arn: name };
  throw new PolicyError(`the local host does not know the principal ${name}.`);
}

/** AWS replaces `${aws:PrincipalArn}` and the like in each request. */
function refuseVariables(statement: StatementSource): void {
  const variable = /\$\{[^}]*\}/.exec(JSON.stringify(statement))?.[0];
  if (variable !== undefined)
    throw new PolicyError(`the local host does not know the policy variable ${variable}.`);
}
