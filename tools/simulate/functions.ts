import type { Ended, Fault, simulatedAws } from './aws.ts';
import type { Draw } from './draw.ts';
import type { Disorder } from './queues.ts';

/** A function's execution environment: warm until it dies. */
export interface Environment<S> {
  readonly name: string;
  readonly services: () => S;
  readonly end: () => void;
}

export function environment<S>(name: string, build: () => S): Environment<S> {
  let warm: S | undefined;
  return { name, services: () => (warm ??= build()), end: () => (warm = undefined) };
}

/** Invokes functions as Lambda does, some of them with a fault. */
export function simulatedFunctions(
  aws: Pick<ReturnType<typeof simulatedAws>, 'invoke'>,
  draw: Draw,
  disorder: Disorder | undefined,
  faultOf?: (invocation: number) => Fault | undefined,
) {
  const writes: number[] = [];
  let invocationCount = 0;
  let deathCount = 0;

  function faultOfInvocation(invocation: number): Fault | undefined {
    if (faultOf !== undefined) return faultOf(invocation);
    if (disorder === undefined || draw(100) >= disorder.faultPercent) return undefined;
    const effect = (['before', 'after', 'again'] as const)[draw(3)] ?? 'before';
    return { atWrite: draw(5), effect, dies: draw(2) === 0 };
  }

  return {
    /** How many writes each invocation began, in the order in which they ended. */
    writes,
    invocationCount: () => invocationCount,
    deathCount: () => deathCount,
    invoke: async <S, T>(
      of: Environment<S>,
      run: (services: S) => Promise<T>,
      hops = 0,
    ): Promise<Ended<T>> => {
      const invocation = invocationCount;
      invocationCount += 1;
      const ended = await aws.invoke(async () => run(of.services()), {
        name: `${of.name}-${invocation}`,
        fault: faultOfInvocation(invocation),
        hops,
      });
      writes.push(ended.writes);
      if (ended.outcome === 'failed' && ended.died) {
        deathCount += 1;
        of.end();
      }
      return ended;
    },
  };
}
