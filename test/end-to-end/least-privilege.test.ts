import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { evaluate, type AccessRequest, type Policies } from '../../local/iam/evaluate.ts';
import { compilePolicy } from '../../local/iam/policy.ts';
import { partsOf, without, type PolicyPart } from '../policy-parts.ts';
import { resourcesOf } from '../stack/templates.ts';
import { startChat, type People } from './chat/people.ts';
import { withProperty } from './edited-assembly.ts';
import { runEveryFlow, runFailedPushes } from './every-flow.ts';
import { pushFaults } from './push-faults.ts';
import { refusedSends } from './refused-sends.ts';
import type { System } from './system.ts';

/**
 * Goal: the app's policies allow all that the app does, and nothing that it does not do.
 * Method: the app does everything once while the host takes down what was asked of the policies. Then each statement is
 * taken away, and each action and resource of those with several; each time, something the app did would be refused. Who
 * adds a grant must add the flow that needs it to `every-flow.ts`. `policy-removal.test.ts` shows on a few that a host
 * whose template lacks the part does refuse.
 */

let system: System;
let people: People;
let policies: Policies;
let requests: readonly AccessRequest[];

beforeAll(async () => {
  const sends = refusedSends();
  const pushes = pushFaults();
  ({ system, people } = await startChat({
    interceptors: [sends.interceptor, pushes.interceptor],
    edits: [withProperty('AWS::Scheduler::Schedule', 'Target.RetryPolicy.MaximumRetryAttempts', 0)],
  }));
  await runEveryFlow(system, people);
  await runFailedPushes(system, people, pushes);
  await sends.during('SchedulerRole', async () => {
    for (const { fire } of system.host.schedules) await fire();
  });
  policies = system.host.access.policies;
  requests = system.host.access.requests();
}, 600_000);

afterAll(async () => {
  await people?.stop();
  await system?.stop();
});

const isAllowed = (by: Policies, request: AccessRequest): boolean => evaluate(by, request).isAllowed;

test('nothing that the app does is refused', () => {
  expect(system.events.filter(({ type }) => type === 'access-denied')).toEqual([]);
  expect(requests.filter((request) => !isAllowed(policies, request))).toEqual([]);
});

test('every route was called, so that every function has done its work', async () => {
  const routes = (await resourcesOf('test'))
    .filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route')
    .map(({ Properties }) => String(Properties['RouteKey']));
  const called = system.events.flatMap((event) =>
    event.type === 'http' || event.type === 'web-socket' ? [event.routeKey] : [],
  );
  expect(routes.length).toBeGreaterThan(20);
  expect(routes.filter((route) => !called.includes(route))).toEqual([]);
});

test('the host holds the app to every statement of the templates', async () => {
  const sources = new Set(partsOf(policies).map(({ source }) => source));
  const isOfAws = (source: string): boolean => source.startsWith('arn:aws:iam::aws:policy/');
  expect([...sources].filter((source) => !isOfAws(source))).toHaveLength(await statementCount());
});

test('without any statement, action or resource that allows, something the app does is refused', () => {
  const isNeeded = (part: PolicyPart): boolean => {
    const rest = without(policies, part);
    return requests.some((request) => isAllowed(policies, request) && !isAllowed(rest, request));
  };
  const needless = partsOf(policies).filter((part) => !isDenial(part) && !isNeeded(part));
  expect(needless).toEqual([]);
});

test('without any statement that denies, what came over plain HTTP would be let in', () => {
  // Even to somebody who may do everything.
  const roleArn = 'arn:aws:iam::000000000000:role/administrator';
  const everything = { Statement: { Effect: 'Allow', Action: '*', Resource: '*' } };
  const administered: Policies = {
    ...policies,
    identity: new Map([
      ...policies.identity,
      [roleArn, compilePolicy(everything, 'identity', 'administrator')],
    ]),
  };
  const denials = partsOf(policies).filter(isDenial);
  expect(denials.length).toBeGreaterThan(5);
  for (const part of denials) {
    const [queueArn = ''] =
      [...policies.resources].find(([, statements]) =>
        statements.some(({ source }) => source === part.source),
      ) ?? [];
    const request = {
      principal: { kind: 'role', roleArn, sessionName: 'by hand' },
      action: 'sqs:ReceiveMessage',
      resourceArn: queueArn,
    } as const;
    expect(isAllowed(administered, request)).toBe(true);
    expect(isAllowed(administered, { ...request, isSecure: false })).toBe(false);
    expect(isAllowed(without(administered, part), { ...request, isSecure: false })).toBe(true);
  }
});

test('no other service, API or schedule group may do what the app’s own may', () => {
  const byServices = requests.flatMap(({ principal, ...request }) =>
    principal.kind === 'service' ? [{ ...request, principal }] : [],
  );
  const services = new Set(byServices.map(({ principal }) => principal.service));
  expect(services).toEqual(
    new Set(['apigateway', 'lambda', 'pipes', 'scheduler'].map((name) => `${name}.amazonaws.com`)),
  );
  for (const request of byServices) {
    const { principal } = request;
    const other = { ...principal, service: 'events.amazonaws.com' };
    expect(isAllowed(policies, { ...request, principal: other })).toBe(false);
    // Lambda and Pipes act for what the account itself has made with the role.
    if (!/^(apigateway|scheduler)/.test(principal.service)) continue;
    // The role for logs of API Gateway is the account's, for any API.
    if (principal.sourceArn.endsWith('::/account')) continue;
    const elsewhere = principal.sourceArn.replace(/[a-z0-9]+(?=\/[^:]*$)/, 'other');
    expect(elsewhere).not.toBe(principal.sourceArn);
    expect(isAllowed(policies, { ...request, principal: { ...principal, sourceArn: elsewhere } })).toBe(
      false,
    );
  }
});

function isDenial({ source }: PolicyPart): boolean {
  return [...policies.resources.values()]
    .flat()
    .some((statement) => statement.source === source && statement.effect === 'Deny');
}

/** How many statements the templates' policies have, but for those of topics: the host has nobody who publishes. */
async function statementCount(): Promise<number> {
  const documents = (await resourcesOf('test')).flatMap(({ Type, Properties }): unknown[] => {
    if (Type === 'AWS::SNS::TopicPolicy') return [];
    if (Type === 'AWS::Lambda::Permission') return [{ Statement: [Properties] }];
    const inline = Array.isArray(Properties['Policies']) ? Properties['Policies'] : [];
    return [
      Properties['PolicyDocument'],
      Properties['AssumeRolePolicyDocument'],
      ...inline.map((policy: object) => Reflect.get(policy, 'PolicyDocument') as unknown),
    ];
  });
  return documents.reduce<number>((count, document) => {
    const statements: unknown =
      typeof document === 'object' && document !== null ? Reflect.get(document, 'Statement') : [];
    return count + (Array.isArray(statements) ? statements.length : 1);
  }, 0);
}
