import { isJsonList, isJsonObject, type Json } from './template.ts';

/** Knows where AWS host names that a template writes into URLs are on this machine. */
export interface UrlRewriter {
  /** Neither URL ends in a slash. */
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
      places.sort((left, right) => right.awsUrl.length - left.awsUrl.length);
    },
    rewrite,
  };
}
