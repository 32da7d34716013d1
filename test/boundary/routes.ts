import { resourcesIn, type Resource } from '../stack/templates.ts';

/** The edges of the app, as the synthesized templates have them: a route that is added is tested by itself. */

export interface HttpRoute {
  readonly stackName: string;
  /** `GET /transactions/{transactionId}`, or `$default`. */
  readonly routeKey: string;
  readonly method: string;
  readonly path: string;
  readonly scopes: readonly string[];
  /** `JWT`, or `NONE` where everybody may call. */
  readonly authorizationType: string;
  /** Logical id of the role that the route's function has. */
  readonly roleId: string;
}

export interface WebSocketRoute {
  readonly routeKey: string;
  readonly authorizationType: string;
}

export interface Edges {
  readonly httpRoutes: readonly HttpRoute[];
  readonly webSocketRoutes: readonly WebSocketRoute[];
  /** Logical ids of the roles of what runs without anybody calling it: workers, pipes, schedules. */
  readonly backgroundRoleIds: readonly string[];
}

/** @param assembly the folder of the cloud assembly */
export function edgesOf(assembly: string): Edges {
  const resources = resourcesIn(assembly);
  const byId = new Map(
    resources.map((resource) => [`${resource.stackName}/${resource.logicalId}`, resource]),
  );
  const ofType = (type: string): Resource[] => resources.filter(({ Type }) => Type === type);
  const named = (from: Resource, value: unknown): Resource => {
    const id = idsIn(value).find((each) => byId.has(`${from.stackName}/${each}`));
    const found = byId.get(`${from.stackName}/${id}`);
    if (found === undefined) throw new Error(`${from.logicalId} names no resource of its stack.`);
    return found;
  };
  const isHttp = (route: Resource): boolean =>
    named(route, route.Properties['ApiId']).Properties['ProtocolType'] === 'HTTP';
  const roleIdOf = (route: Resource): string => {
    const integration = named(route, route.Properties['Target']);
    const handler = named(integration, integration.Properties['IntegrationUri']);
    return named(handler, handler.Properties['Role']).logicalId;
  };
  const routes = ofType('AWS::ApiGatewayV2::Route');
  return {
    httpRoutes: routes.filter(isHttp).map((route) => {
      const routeKey = textOf(route.Properties['RouteKey']);
      const [method = '', path = ''] = routeKey === '$default' ? ['GET', '/nowhere'] : routeKey.split(' ');
      return {
        stackName: route.stackName,
        routeKey,
        method,
        path,
        scopes: (route.Properties['AuthorizationScopes'] ?? []) as string[],
        authorizationType: textOf(route.Properties['AuthorizationType'] ?? 'NONE'),
        roleId: roleIdOf(route),
      };
    }),
    webSocketRoutes: routes
      .filter((route) => !isHttp(route))
      .map(({ Properties }) => ({
        routeKey: textOf(Properties['RouteKey']),
        authorizationType: textOf(Properties['AuthorizationType'] ?? 'NONE'),
      })),
    backgroundRoleIds: [
      ...ofType('AWS::Lambda::EventSourceMapping').map((mapping) => {
        const worker = named(mapping, mapping.Properties['FunctionName']);
        return named(worker, worker.Properties['Role']).logicalId;
      }),
      ...ofType('AWS::Pipes::Pipe').map((pipe) => named(pipe, pipe.Properties['RoleArn']).logicalId),
      ...ofType('AWS::Scheduler::Schedule').map(
        (schedule) =>
          named(schedule, (schedule.Properties['Target'] as Record<string, unknown>)['RoleArn']).logicalId,
      ),
    ],
  };
}

/** Every text in a value: among them the logical ids that its intrinsics name. */
function idsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(idsIn) : [];
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`${JSON.stringify(value)} is no text.`);
  return value;
}
