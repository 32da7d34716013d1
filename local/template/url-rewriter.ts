import { isJsonList, isJsonObject, type Json } from './template.ts';

/** Knows where on this machine the AWS host names live that a template builds urls from by hand. */
export interface UrlRewriter {
  /** Says that every url that begins with `awsUrl` is served at `localUrl`; neither ends in a slash. */
  readonly add: (awsUrl: string, localUrl: string) => void;
  readonly rewrite: (value: Json) => Json;
}

export function createUrlRewriter(): UrlRewriter {
  const places: { readonly awsUrl: string; readonly localUrl: string }[] = [];

  const rewriteText = (text: string): string => {
    if (!/^(?:https|wss):\/\//.test(text)) return text;
    const place = places.find(
      ({ awsUrl }) => text.startsWith(awsUrl) && ['', '/', '?', '#'].includes(text.charAt(awsUrl.length)),
    );
    return place === undefined ? text : place.localUrl + text.slice(place.awsUrl.length);
  };

  const rewrite = (value: Json): Json => {
    if (typeof value === 'string') return rewriteText(value);
    if (isJsonList(value)) return value.map(rewrite);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rewrite(item)]));
  };

  return {
    add: (awsUrl, localUrl) => {
      places.push({ awsUrl, localUrl });
      // What is more exact goes first.
      places.sort((left, right) => right.awsUrl.length - left.awsUrl.length);
    },
    rewrite,
  };
}
