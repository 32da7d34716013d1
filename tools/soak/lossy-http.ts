import { errorMessage } from '../../cli/shared/command-error.ts';
import type { HttpClient } from '../../cli/shared/http.ts';
import type { Random } from './random.ts';
import type { Tally } from './tally.ts';

/** Of the answers: what the network loses on its way to the client. */
const LOST_RATE = 0.01;

/** An HTTP client whose network loses answers; who calls by it tries again. It counts why. */
export function lossyHttpClient(
  http: HttpClient,
  options: {
    readonly random: Random;
    readonly isOn: () => boolean;
    readonly faults: Tally;
    readonly retried: Tally;
  },
): HttpClient {
  const { random, isOn, faults, retried } = options;
  return {
    send: async (request) => {
      const response = await http.send(request).catch((error: unknown) => {
        retried.add(`no answer: ${errorMessage(error)}`);
        throw error;
      });
      if (response.status >= 500 || response.status === 429) retried.add(`answered ${response.status}`);
      else if (isOn() && random.chance(LOST_RATE)) {
        faults.add('answers lost');
        throw new Error('The answer was lost: a fault of the soak.');
      }
      return response;
    },
    close: () => http.close(),
  };
}
