export type HttpTarget =
  | {
      readonly kind: 'path';
      /** Decoded, without the stage: what routes match. */
      readonly path: string;
      /** Decoded, with the stage unless it is `$default`: what the function sees. */
      readonly rawPath: string;
      readonly rawQueryString: string;
    }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'other-stage' };

/** HTTP APIs decode the path before they choose a route, so `%2F` separates segments. */
export function parseTarget(target: string, stageName: string): HttpTarget {
  const question = target.indexOf('?');
  const encoded = (question < 0 ? target : target.slice(0, question)) || '/';
  const rawQueryString = question < 0 ? '' : target.slice(question + 1);
  const rawPath = decodePath(encoded);
  if (rawPath === undefined) return { kind: 'malformed' };
  if (stageName === '$default') return { kind: 'path', path: rawPath, rawPath, rawQueryString };
  const stage = `/${stageName}`;
  if (rawPath !== stage && !rawPath.startsWith(`${stage}/`)) return { kind: 'other-stage' };
  return { kind: 'path', path: rawPath.slice(stage.length) || '/', rawPath, rawQueryString };
}

function decodePath(encoded: string): string | undefined {
  if (!encoded.includes('%')) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

export type MatchRoute<Route> = (method: string, path: string) => RouteMatch<Route> | undefined;

export interface RouteMatch<Route> {
  readonly route: Route;
  /** Undefined where the route has none, as in the event. */
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
}

type Segment =
  | { readonly kind: 'exact'; readonly text: string }
  | { readonly kind: 'parameter' | 'greedy'; readonly name: string };

interface CompiledRoute<Route> {
  readonly route: Route;
  readonly method: string;
  readonly segments: readonly Segment[] | undefined;
}

const WEIGHTS = { exact: 0, parameter: 1, greedy: 2 } as const;

function parseSegment(text: string): Segment {
  const [, name, plus] = /^\{([^{}+]+)(\+)?\}$/.exec(text) ?? [];
  if (name === undefined) return { kind: 'exact', text };
  return { kind: plus === undefined ? 'parameter' : 'greedy', name };
}

function compile<Route extends { readonly routeKey: string }>(route: Route): CompiledRoute<Route> {
  if (route.routeKey === '$default') return { route, method: 'ANY', segments: undefined };
  const [, method, path] = /^([A-Z]+) (\/.*)$/.exec(route.routeKey) ?? [];
  if (method === undefined || path === undefined) {
    throw new Error(`The route key "${route.routeKey}" is not "METHOD /path" or "$default".`);
  }
  const segments = path.slice(1).split('/').map(parseSegment);
  if (segments.slice(0, -1).some(({ kind }) => kind === 'greedy')) {
    throw new Error(`In the route key "${route.routeKey}" only the last segment may be greedy.`);
  }
  return { route, method, segments };
}

function compare(left: CompiledRoute<unknown>, right: CompiledRoute<unknown>): number {
  if (left.segments === undefined || right.segments === undefined) {
    return Number(left.segments === undefined) - Number(right.segments === undefined);
  }
  for (const [index, segment] of left.segments.entries()) {
    const other = right.segments[index];
    if (other === undefined) break;
    const difference = WEIGHTS[segment.kind] - WEIGHTS[other.kind];
    if (difference !== 0) return difference;
  }
  return Number(left.method === 'ANY') - Number(right.method === 'ANY');
}

/** @returns undefined where the path does not match. A parameter takes at least one character. */
function matchSegments(
  segments: readonly Segment[],
  parts: readonly string[],
): Record<string, string> | undefined {
  const last = segments.at(-1);
  if (last?.kind === 'greedy' ? parts.length < segments.length : parts.length !== segments.length) {
    return undefined;
  }
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const part = parts[index] ?? '';
    if (segment.kind === 'exact') {
      if (segment.text !== part) return undefined;
      continue;
    }
    const value = segment.kind === 'greedy' ? parts.slice(index).join('/') : part;
    if (value === '') return undefined;
    parameters[segment.name] = value;
  }
  return parameters;
}

/** Route selection: exact, `{parameter}`, `{proxy+}`, `$default`; for equal paths ANY after the methods. */
export function compileRoutes<Route extends { readonly routeKey: string }>(
  routes: readonly Route[],
): MatchRoute<Route> {
  const compiled = routes.map((route) => compile(route)).toSorted(compare);
  return (method, path) => {
    const parts = path.slice(1).split('/');
    for (const candidate of compiled) {
      if (candidate.method !== 'ANY' && candidate.method !== method) continue;
      if (candidate.segments === undefined) return { route: candidate.route, pathParameters: undefined };
      const parameters = matchSegments(candidate.segments, parts);
      if (parameters === undefined) continue;
      const named = Object.keys(parameters).length > 0;
      return { route: candidate.route, pathParameters: named ? parameters : undefined };
    }
    return undefined;
  };
}
