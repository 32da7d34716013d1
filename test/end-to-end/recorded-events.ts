import { readdirSync, readFileSync } from 'node:fs';
import { kebabCase } from '../../local/template/physical-name.ts';

/** The folder with one real event of each function, as files that `sam local invoke -e` takes. */
export const eventsFolder = 'events';

/** The name of a function's event, by its logical id: `SettlementWorkerFunctionD570AB31` is `settlement-worker`. */
export function eventName(logicalId: string): string {
  return kebabCase(logicalId.replace(/Function[0-9A-F]{8}$/, ''));
}

export function eventNames(): string[] {
  return readdirSync(eventsFolder)
    .map((file) => file.replace(/\.json$/, ''))
    .toSorted();
}

export function eventText(name: string): string {
  return readFileSync(`${eventsFolder}/${name}.json`, 'utf8');
}

export function storyDate(): string {
  const { pathParameters } = JSON.parse(eventText('request-reconcile')) as {
    pathParameters: { businessDate: string };
  };
  return pathParameters.businessDate;
}

/** What stands in place of a token. */
const redactedToken = '<access token>';

/** An event with a token put back in the place of the one that came with it. */
export function withToken(text: string, token: string): string {
  return text.replaceAll(redactedToken, token);
}

export function redacted(text: string): string {
  return text.replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, redactedToken);
}
