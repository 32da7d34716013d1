import path from 'node:path';
import type { LocalHost } from '../../local/index.ts';

/** By the logical id of a function, for `sam local invoke --env-vars <file>`. */
export type SamVariables = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type SamHost = Pick<LocalHost, 'awsEndpoint' | 'region' | 'functions'> & {
  readonly userPools: readonly Pick<LocalHost['userPools'][number], 'issuer' | 'userPoolId'>[];
};

/** A container's name for its machine; Docker on Linux needs `--add-host` for it. */
const MACHINE = 'host.docker.internal';

/** `sam-env.json` beside `outputs.json`; beside another file, its name with `.sam-env`. */
export function samVariablesFile(outputsFile: string, stage?: string): string {
  const { dir, name } = path.parse(outputsFile);
  const usual = /^outputs(-.*)?$/.exec(name);
  const own = usual === null ? `${name}.sam-env` : `sam-env${usual[1] ?? ''}`;
  return path.join(dir, `${[own, stage].filter(Boolean).join('-')}.json`);
}

/** As a container sees it. The issuer keeps its URL, because tokens carry it; the AWS endpoint serves its keys. */
export function samVariables(host: SamHost): SamVariables {
  const endpoint = new URL(host.awsEndpoint);
  endpoint.hostname = MACHINE;
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
