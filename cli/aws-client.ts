import type { Outputs } from './outputs.ts';

/** What every client of the SDK needs to know of a deployment: on AWS its region, locally where the host is. */
export function awsClientOptions(outputs: Outputs) {
  const local = outputs.DuotempoLocal;
  return {
    region: outputs.DuotempoIdentity.UserPoolId.split('_')[0] ?? '',
    ...(local && {
      endpoint: local.AwsEndpoint,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    }),
  };
}
