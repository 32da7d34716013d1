import { awsError, type Interceptor } from '../../local/testing.ts';

/** Messages of one role to its queue that are refused for a while; those to a dead-letter queue get through. */
export interface RefusedSends {
  readonly interceptor: Interceptor;
  /** Refuses while something runs. @param role a part of the role's name */
  readonly during: (role: string, run: () => Promise<void>) => Promise<void>;
}

export function refusedSends(): RefusedSends {
  let refused: string | undefined;
  return {
    interceptor: ({ caller, action, request }, proceed) => {
      const isRefused =
        refused !== undefined &&
        caller.kind === 'role' &&
        caller.roleArn.includes(refused) &&
        action.startsWith('SendMessage') &&
        !JSON.stringify(request['QueueUrl']).includes('DeadLetters');
      return isRefused
        ? Promise.resolve(awsError('ServiceUnavailable', 'The queue is not there just now.', 503))
        : proceed();
    },
    during: async (role, run) => {
      refused = role;
      try {
        await run();
      } finally {
        refused = undefined;
      }
    },
  };
}
