import { performance } from 'node:perf_hooks';
import { Crew, type CrewOptions, type Team } from './function-crew.ts';
import type { FunctionDefinition, Invocation, InvocationError, LambdaEvent } from './function-definition.ts';
import { headerOfInvocation } from './trace.ts';

export interface FunctionPoolOptions extends Pick<CrewOptions, 'awsEndpoint' | 'region'> {
  /** Worker threads over all functions. @default 8 */
  readonly maxWorkers?: number;
  /** Invocations at once over all functions, as an account has a limit. @default none */
  readonly accountConcurrency?: number;
  readonly onEvent: (event: LambdaEvent) => void;
  /** Sees each invocation's event before it runs. */
  readonly onInvoke?: (functionArn: string, event: unknown) => void;
}

interface Registered {
  readonly definition: FunctionDefinition;
  readonly team: Team;
  inFlight: number;
}

/** For a synchronous payload, in either direction. */
const MAXIMUM_PAYLOAD_BYTES = 6 * 1024 * 1024;

/**
 * Must stay for functions that reserve none. Source: Lambda developer guide, "Configuring reserved concurrency for a
 * function".
 */
const LEAST_UNRESERVED = 100;

const STOPPED: InvocationError = {
  kind: 'error',
  errorType: 'ServiceException',
  errorMessage: 'The local host was stopped.',
};

const TOO_LARGE: InvocationError = {
  kind: 'error',
  errorType: 'RequestTooLargeException',
  errorMessage: `Request must be smaller than ${MAXIMUM_PAYLOAD_BYTES} bytes for the InvokeFunction operation`,
};

export class FunctionPool {
  readonly #options: FunctionPoolOptions;
  readonly #crew: Crew;
  readonly #functions = new Map<string, Registered>();
  /** The limit for functions without a reservation, and their current number. */
  #unreservedConcurrency: number;
  #unreservedInFlight = 0;
  #isStopped = false;

  constructor(options: FunctionPoolOptions) {
    this.#options = options;
    this.#unreservedConcurrency = options.accountConcurrency ?? Infinity;
    this.#crew = new Crew({
      maxWorkers: options.maxWorkers ?? 8,
      region: options.region,
      awsEndpoint: options.awsEndpoint,
      onLog: (functionName, line) => options.onEvent({ type: 'log', functionName, line }),
    });
  }

  get isBusy(): boolean {
    return [...this.#functions.values()].some(({ inFlight }) => inFlight > 0);
  }

  /** @throws Error where the ARN is taken, or the account has too little concurrency left to reserve */
  register(definition: FunctionDefinition): void {
    const { functionArn, stackName, logicalId, reservedConcurrency = 0 } = definition;
    if (this.#functions.has(functionArn)) {
      throw new Error(`Two functions have the ARN ${functionArn}: names must be unique.`);
    }
    const left = this.#unreservedConcurrency - reservedConcurrency;
    const least = Math.min(LEAST_UNRESERVED, this.#options.accountConcurrency ?? LEAST_UNRESERVED);
    if (left < least) {
      throw new Error(
        `Specified ReservedConcurrentExecutions for ${stackName}/${logicalId} decreases account's ` +
          `UnreservedConcurrentExecution below its minimum value of [${least}].`,
      );
    }
    this.#unreservedConcurrency = left;
    this.#functions.set(functionArn, { definition, team: this.#crew.add(definition), inFlight: 0 });
  }

  definitions(): readonly FunctionDefinition[] {
    return [...this.#functions.values()].map(({ definition }) => definition);
  }

  find(nameOrArn: string): FunctionDefinition | undefined {
    return (
      this.#functions.get(nameOrArn)?.definition ??
      this.definitions().find(({ functionName }) => functionName === nameOrArn)
    );
  }

  /**
   * Rejects only for an unknown ARN. Failures are outcomes.
   * @param cause the trace header, where a function caused it
   */
  // Not async itself: the hot path of every request saves a promise.
  // oxlint-disable-next-line typescript/promise-function-async
  invoke(functionArn: string, event: unknown, cause?: string): Promise<Invocation> {
    const registered = this.#functions.get(functionArn);
    if (registered === undefined) return Promise.reject(unknownFunction(functionArn));
    if (this.#isStopped) return Promise.resolve(STOPPED);
    if (this.#isThrottled(registered)) return this.#refuse(registered, { kind: 'throttled' });
    const payload = JSON.stringify(event) ?? 'null';
    // A UTF-16 unit is at most 3 bytes of UTF-8, so short texts need no counting.
    if (payload.length * 3 > MAXIMUM_PAYLOAD_BYTES && Buffer.byteLength(payload) > MAXIMUM_PAYLOAD_BYTES) {
      return this.#refuse(registered, TOO_LARGE);
    }
    this.#options.onInvoke?.(functionArn, event);
    this.#count(registered, 1);
    const traceHeader = headerOfInvocation(functionArn, cause);
    return new Promise((resolve) => {
      this.#crew.run(registered.team, {
        payload,
        traceHeader,
        enqueuedAt: performance.now(),
        done: (invocation, milliseconds, coldStart) => {
          this.#count(registered, -1);
          this.#report(registered, invocation, milliseconds, coldStart);
          resolve(invocation);
        },
      });
    });
  }

  /** Fault injection: ends the workers that are running the function. @returns how many */
  kill(functionArn: string): number {
    return this.#crew.kill(this.#teamOf(functionArn));
  }

  /** Starts a worker if the function has none and there is room. Resolves when its init is over. */
  async warm(functionArn: string): Promise<void> {
    await this.#crew.warm(this.#teamOf(functionArn));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#crew.stop(STOPPED);
  }

  #teamOf(functionArn: string): Team {
    const registered = this.#functions.get(functionArn);
    if (registered === undefined) throw unknownFunction(functionArn);
    return registered.team;
  }

  #count(registered: Registered, change: 1 | -1): void {
    registered.inFlight += change;
    if (registered.definition.reservedConcurrency === undefined) this.#unreservedInFlight += change;
  }

  #isThrottled({ definition: { reservedConcurrency }, inFlight }: Registered): boolean {
    return reservedConcurrency === undefined
      ? this.#unreservedInFlight >= this.#unreservedConcurrency
      : inFlight >= reservedConcurrency;
  }

  #refuse(registered: Registered, invocation: Invocation): Promise<Invocation> {
    this.#report(registered, invocation, 0, false);
    return Promise.resolve(invocation);
  }

  #report(
    { definition: { functionName } }: Registered,
    invocation: Invocation,
    milliseconds: number,
    coldStart: boolean,
  ): void {
    const { kind: outcome } = invocation;
    const event = { type: 'invocation', functionName, outcome, milliseconds, coldStart } as const;
    if (invocation.kind !== 'error') return this.#options.onEvent(event);
    const { errorType, errorMessage } = invocation;
    this.#options.onEvent({ ...event, errorType, errorMessage });
  }
}

function unknownFunction(functionArn: string): Error {
  return new Error(`No function has the ARN ${functionArn}: register it first.`);
}
