import path from 'node:path';
import type { LocalHost } from '../../local/index.ts';

/** Variables by the logical id of a function: the shape of `sam local invoke --env-vars <file>`. */
export type SamVariables = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type SamHost = Pick<LocalHost, 'awsEndpoint' | 'region' | 'functions'> & {
  readonly userPools: readonly Pick<LocalHost['userPools'][number], 'issuer' | 'userPoolId'>[];
};

/** How a container calls the machine that it runs on; Docker on Linux knows the name by `--add-host`. */
const machine = 'host.docker.internal';

/** `sam-env.json` next to `outputs.json`; next to another file, one that goes by its name. */
export function samVariablesFile(outputsFile: string, stage?: string): string {
  const { dir, name } = path.parse(outputsFile);
  const usual = /^outputs(-.*)?$/.exec(name);
  const own = usual === null ? `${name}.sam-env` : `sam-env${usual[1] ?? ''}`;
  return path.join(dir, `${[own, stage].filter(Boolean).join('-')}.json`);
}

/**
 * What every function needs to run in a container against a local host: its variables, with the AWS endpoint (and so
 * queues and connections) where a container finds it, and the credentials of its role, so that its policies hold.
 * The issuer keeps its URL, because tokens carry it. The AWS endpoint serves its keys.
 */
export function samVariables(host: SamHost): SamVariables {
  const endpoint = new URL(host.awsEndpoint);
  endpoint.hostname = machine;
  const places = [
    { here: host.awsEndpoint, fromContainer: endpoint.origin },
    ...host.userPools.map(({ issuer, userPoolId }) => ({
      here: `${issuer}/.well-known`,
      fromContainer: `${endpoint.origin}/${userPoolId}/.well-known`,
    })),
  ];
  const seenFromContainer = (value: string): string => {
    const place = places.find(({ here }) => value === here || value.startsWith(`${here}/`));
    return place === undefined ? value : place.fromContainer + value.slice(place.here.length);
  };
  return Object.fromEntries(
    host.functions.map(({ logicalId, environment, credentials }) => [
      logicalId,
      {
        ...Object.fromEntries(
          Object.entries(environment).map(([name, value]) => [name, seenFromContainer(value)]),
        ),
        AWS_ENDPOINT_URL: endpoint.origin,
        AWS_REGION: host.region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: '',
      },
    ]),
  );
}
