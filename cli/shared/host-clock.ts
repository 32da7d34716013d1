import * as v from 'valibot';
// Not by the host's entrance, which loads the whole host.
import { moveDate } from '../../local/clock/moved-date.mjs';
import { CommandError } from './command-error.ts';
import type { HttpClient } from './http.ts';
import type { Outputs } from './outputs.ts';

const ClockState = v.object({
  now: v.pipe(
    v.string(),
    v.transform((text) => new Date(text)),
  ),
  aheadSeconds: v.number(),
  movingTo: v.optional(v.string()),
});

export type ClockState = v.InferOutput<typeof ClockState>;

/** The clock of a local host. */
export interface HostClock {
  readonly read: () => Promise<ClockState>;
  /** Begins a move. @throws CommandError where the host refuses it */
  readonly send: (to: Date | 'real') => Promise<ClockState>;
}

export function hostClock({ DuotempoLocal: local }: Outputs, http: HttpClient): HostClock {
  if (local === undefined) throw new CommandError('This system runs on AWS, whose clock nobody moves.');
  const url = `${local.AwsEndpoint}/_host/clock`;
  const call = async (request: { readonly method: 'GET' | 'POST'; readonly body?: string }) => {
    const headers = { 'content-type': 'application/json' };
    const { status, body } = await http.send({ url, headers, ...request });
    if (status < 300) return v.parse(ClockState, body);
    const { message } = v.parse(v.object({ message: v.string() }), body);
    throw new CommandError(`The clock stays: ${message}`);
  };
  return {
    read: async () => call({ method: 'GET' }),
    send: async (to) => {
      const body = JSON.stringify({ to: to === 'real' ? to : to.toISOString() });
      return call({ method: 'POST', body });
    },
  };
}

/** Lets `Date` of this process agree with a host whose clock is moved, so that every command knows its day. */
export async function adoptHostClock({ DuotempoLocal: local }: Outputs): Promise<void> {
  if (local === undefined) return;
  const url = `${local.AwsEndpoint}/_host/clock`;
  // A host that is gone or busy is for the command itself to tell of.
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  if (answer?.ok !== true) return;
  moveDate(v.parse(ClockState, await answer.json()).aheadSeconds * 1000);
}
