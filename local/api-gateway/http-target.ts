export type HttpTarget =
  | {
      readonly kind: 'path';
      /** What routes are matched with: decoded, without the stage. */
      readonly path: string;
      /** What the function sees: decoded, with the stage in front unless it is `$default`. */
      readonly rawPath: string;
      /** As it came, still encoded. */
      readonly rawQueryString: string;
    }
  /** The path's percent-encoding can't be decoded. */
  | { readonly kind: 'malformed' }
  /** The path does not begin with the stage's name. */
  | { readonly kind: 'other-stage' };

/** Takes a request's target apart. HTTP APIs decode the path before they choose a route, so that `%2F` separates. */
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
