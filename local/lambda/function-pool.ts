import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { HostEvent } from '../events.ts';
import {
  maximumPayloadBytes,
  type FunctionDefinition,
  type Invocation,
  type InvocationError,
} from './function-definition.ts';
import { startFunctionWorker, type FunctionWorker } from './function-worker.ts';
import { headerOfInvocation } from './trace.ts';

export type { FunctionDefinition, Invocation } from './function-definition.ts';

/** Starting a worker costs some 150 ms of processor time, so a short queue waits for a warm one instead. */
const growAfterMilliseconds = 25;
/** More threads than processors help only a function that mostly waits; else they cost memory and switches. */
const processors = availableParallelism();
/** A function that waits longer than this grows beyond the processors, and takes a worker that others leave idle, or hold more of. */
const starvedAfterMilliseconds = 200;

export interface FunctionPoolOptions {
  /** Worker threads over all functions. @default 8 */
  readonly maxWorkers?: number;
  /** Most invocations at once over all functions, as an account has a limit. @default none */
  readonly accountConcurrency?: number;
  /** Read when a worker starts: the endpoint's port is known only when it listens. */
  readonly awsEndpoint: () => string;
  readonly region: string;
  readonly onEvent: (event: HostEvent) => void;
  /** Sees what each invocation is given, before it runs. */
  readonly onInvoke?: (functionArn: string, event: unknown) => void;
}

/** Runs functions from their bundles, each in worker threads of its own that stay warm between invocations. */
export interface FunctionPool {
  register(definition: FunctionDefinition): void;
  /**
   * Rejects only for an ARN that is not registered; whatever goes wrong in the function is an outcome.
   *
   * @param cause the trace header of what caused the event, where a function did
   */
  invoke(functionArn: string, event: unknown, cause?: string): Promise<Invocation>;
  /** Fault injection: ends the workers that are running this function now, and says how many. */
  kill(functionArn: string): number;
  /** Starts one worker if the function has none and a place is free. Resolves when it is initialized, or could not be. */
  warm(functionArn: string): Promise<void>;
  /** Ends everything at once; what was pending resolves as an error. */
  stop(): Promise<void>;
}

interface Job {
  readonly payload: string;
  readonly traceHeader: string;
  readonly enqueuedAt: number;
  readonly resolve: (invocation: Invocation) => void;
}

interface Slot {
  readonly owner: FunctionState;
  readonly worker: FunctionWorker;
  state: 'starting' | 'idle' | 'busy';
  readyAt: number;
  lastUsedAt: number;
  served: number;
}

interface FunctionState {
  readonly definition: FunctionDefinition;
  readonly waiting: Job[];
  readonly slots: Set<Slot>;
  /** The most recently used last: it is the warmest. */
  readonly idle: Slot[];
  readonly warming: (() => void)[];
  starting: number;
  inFlight: number;
}

/**
 * So much of an account's concurrency must be left to functions that reserve none: all of it in a new account.
 * Source: Lambda developer guide, "Configuring reserved concurrency for a function".
 */
const leastUnreserved = 100;

export function createFunctionPool(options: FunctionPoolOptions): FunctionPool {
  const maxWorkers = options.maxWorkers ?? 8;
  const functions = new Map<string, FunctionState>();
  /** Functions with waiting jobs; a set keeps the order in which they began to wait. */
  const hungry = new Set<FunctionState>();
  const ending = new Set<Promise<void>>();
  /** How many functions without a reservation may run at once, and do. */
  let unreservedConcurrency = options.accountConcurrency ?? Infinity;
  let unreservedInFlight = 0;
  let workers = 0;
  let stopped = false;
  let sweepTimer: NodeJS.Timeout | undefined;

  function stateOf(functionArn: string): FunctionState {
    const state = functions.get(functionArn);
    if (state === undefined) throw unknownFunction(functionArn);
    return state;
  }

  function spawn(owner: FunctionState): void {
    const { definition } = owner;
    const worker = startFunctionWorker({
      definition,
      region: options.region,
      awsEndpoint: options.awsEndpoint(),
      onReady: () => {
        owner.starting -= 1;
        slot.state = 'busy';
        slot.readyAt = performance.now();
        warmed(owner);
        release(slot);
      },
      onGone: (initFailure) => {
        if (!remove(slot)) return;
        if (initFailure) refuseWaiting(owner, initFailure);
        // After the stack unwinds: the invocation that ended with the worker is settled first.
        queueMicrotask(sweep);
      },
      onLog: (line) => options.onEvent({ type: 'log', functionName: definition.functionName, line }),
    });
    const slot: Slot = {
      owner,
      worker,
      state: 'starting',
      readyAt: 0,
      lastUsedAt: performance.now(),
      served: 0,
    };
    owner.slots.add(slot);
    owner.starting += 1;
    workers += 1;
  }

  function warmed(owner: FunctionState): void {
    for (const resolve of owner.warming.splice(0)) resolve();
  }

  /** Every invocation that waits for the init would repeat it and fail alike. */
  function refuseWaiting(owner: FunctionState, initFailure: InvocationError): void {
    warmed(owner);
    hungry.delete(owner);
    for (const job of owner.waiting.splice(0)) settle(owner, job, initFailure, 0, true);
  }

  function remove(slot: Slot): boolean {
    const { owner } = slot;
    if (!owner.slots.delete(slot)) return false;
    workers -= 1;
    if (slot.state === 'starting') owner.starting -= 1;
    const index = owner.idle.indexOf(slot);
    if (index >= 0) owner.idle.splice(index, 1);
    return true;
  }

  function end(slot: Slot): void {
    remove(slot);
    const ended = slot.worker.terminate().finally(() => ending.delete(ended));
    ending.add(ended);
  }

  function settle(
    owner: FunctionState,
    job: Job,
    invocation: Invocation,
    milliseconds: number,
    coldStart: boolean,
  ): void {
    owner.inFlight -= 1;
    if (owner.definition.reservedConcurrency === undefined) unreservedInFlight -= 1;
    report(owner.definition, invocation, milliseconds, coldStart);
    job.resolve(invocation);
  }

  function report(
    definition: FunctionDefinition,
    invocation: Invocation,
    milliseconds: number,
    coldStart: boolean,
  ): void {
    const common = {
      type: 'invocation',
      functionName: definition.functionName,
      outcome: invocation.kind,
      milliseconds,
      coldStart,
    } as const;
    if (invocation.kind !== 'error') {
      options.onEvent(common);
      return;
    }
    const { errorType, errorMessage } = invocation;
    options.onEvent({ ...common, errorType, errorMessage });
  }

  function assign(slot: Slot, job: Job): void {
    const { owner } = slot;
    slot.state = 'busy';
    const startedAt = performance.now();
    slot.worker.run(job.payload, job.traceHeader, (invocation) => {
      const now = performance.now();
      slot.lastUsedAt = now;
      slot.served += 1;
      settle(owner, job, invocation, now - startedAt, slot.served === 1);
      if (owner.slots.has(slot)) release(slot);
    });
  }

  function next(owner: FunctionState): Job | undefined {
    const job = owner.waiting.shift();
    if (owner.waiting.length === 0) hungry.delete(owner);
    return job;
  }

  /** A worker is free: for the queue of its own function, unless another function is starving. */
  function release(slot: Slot): void {
    if (stopped) return;
    const { owner } = slot;
    if (workers >= maxWorkers && hungry.size > 0) {
      const starving = starvingBeside(slot);
      if (starving) {
        end(slot);
        spawn(starving);
        return;
      }
    }
    const job = next(owner);
    if (job) {
      assign(slot, job);
      return;
    }
    slot.state = 'idle';
    owner.idle.push(slot);
    if (hungry.size > 0) sweep();
  }

  /**
   * Who should have this worker, when nobody leaves one idle. A worker that has just started serves its own function
   * first, and the only one of a busy function stays for a while: else two floods would take turns and do no work.
   */
  function starvingBeside({ owner, served, readyAt }: Slot): FunctionState | undefined {
    const needed = owner.waiting.length > 0;
    if (needed && served === 0) return undefined;
    const now = performance.now();
    const hadItsTurn = owner.slots.size > 1 || now - readyAt > starvedAfterMilliseconds;
    for (const state of hungry) {
      const oldest = state.waiting[0];
      if (state === owner || state.starting > 0 || oldest === undefined) continue;
      if (state.slots.size === 0 && (!needed || hadItsTurn)) return state;
      const starved = now - oldest.enqueuedAt > starvedAfterMilliseconds;
      if (starved && state.slots.size + 1 < owner.slots.size) return state;
    }
    return undefined;
  }

  function leastRecentlyUsedIdle(except: FunctionState): Slot | undefined {
    let found: Slot | undefined;
    for (const state of functions.values()) {
      const slot = state === except ? undefined : state.idle[0];
      if (slot && (found === undefined || slot.lastUsedAt < found.lastUsedAt)) found = slot;
    }
    return found;
  }

  /** Gives a waiting function one more worker, if that helps it and is fair to the others. */
  function staff(state: FunctionState): void {
    const oldest = state.waiting[0];
    if (oldest === undefined || state.starting > 0) return;
    const waitedMilliseconds = performance.now() - oldest.enqueuedAt;
    const hasNone = state.slots.size === 0;
    if (!hasNone) {
      const cap = functions.size > 1 ? Math.max(1, maxWorkers - 2) : maxWorkers;
      const patienceMilliseconds =
        state.slots.size < processors ? growAfterMilliseconds : starvedAfterMilliseconds;
      if (waitedMilliseconds < patienceMilliseconds || state.slots.size >= cap) return;
    }
    if (workers >= maxWorkers) {
      if (!hasNone && waitedMilliseconds < starvedAfterMilliseconds) return;
      const victim = leastRecentlyUsedIdle(state);
      if (victim === undefined) return;
      end(victim);
    }
    spawn(state);
  }

  function sweep(): void {
    if (stopped) return;
    for (const state of hungry) staff(state);
    if (hungry.size > 0 && sweepTimer === undefined) {
      sweepTimer = setTimeout(() => {
        sweepTimer = undefined;
        sweep();
      }, growAfterMilliseconds);
    }
  }

  function enqueue(state: FunctionState, job: Job): void {
    const slot = state.idle.pop();
    if (slot) {
      assign(slot, job);
      return;
    }
    state.waiting.push(job);
    hungry.add(state);
    if (state.slots.size === 0) staff(state);
    if (sweepTimer === undefined) sweep();
  }

  function isThrottled({ definition, inFlight }: FunctionState): boolean {
    return definition.reservedConcurrency === undefined
      ? unreservedInFlight >= unreservedConcurrency
      : inFlight >= definition.reservedConcurrency;
  }

  function refuse(state: FunctionState, invocation: Invocation): Promise<Invocation> {
    report(state.definition, invocation, 0, false);
    return Promise.resolve(invocation);
  }

  return {
    register(definition) {
      if (functions.has(definition.functionArn)) {
        throw new Error(`Two functions have the ARN ${definition.functionArn}: names must be unique.`);
      }
      const left = unreservedConcurrency - (definition.reservedConcurrency ?? 0);
      const least = Math.min(leastUnreserved, options.accountConcurrency ?? leastUnreserved);
      if (left < least) {
        throw new Error(
          `Specified ReservedConcurrentExecutions for ${definition.logicalId} decreases account's ` +
            `UnreservedConcurrentExecution below its minimum value of [${least}].`,
        );
      }
      unreservedConcurrency = left;
      functions.set(definition.functionArn, {
        definition,
        waiting: [],
        slots: new Set(),
        idle: [],
        warming: [],
        starting: 0,
        inFlight: 0,
      });
    },

    // Not async itself: the hot path of every request saves a promise.
    // oxlint-disable-next-line typescript/promise-function-async
    invoke(functionArn, event, cause) {
      const state = functions.get(functionArn);
      if (state === undefined) return Promise.reject(unknownFunction(functionArn));
      if (stopped) return Promise.resolve(stoppedError);
      if (isThrottled(state)) return refuse(state, { kind: 'throttled' });
      const payload = JSON.stringify(event) ?? 'null';
      if (payload.length * 3 > maximumPayloadBytes && Buffer.byteLength(payload) > maximumPayloadBytes) {
        return refuse(state, {
          kind: 'error',
          errorType: 'RequestTooLargeException',
          errorMessage: `Request must be smaller than ${maximumPayloadBytes} bytes for the InvokeFunction operation`,
        });
      }
      options.onInvoke?.(functionArn, event);
      state.inFlight += 1;
      if (state.definition.reservedConcurrency === undefined) unreservedInFlight += 1;
      return new Promise((resolve) => {
        const traceHeader = headerOfInvocation(functionArn, cause);
        enqueue(state, { payload, traceHeader, enqueuedAt: performance.now(), resolve });
      });
    },

    kill(functionArn) {
      const busy = [...stateOf(functionArn).slots].filter((slot) => slot.state === 'busy');
      for (const slot of busy) end(slot);
      sweep();
      return busy.length;
    },

    async warm(functionArn) {
      const state = stateOf(functionArn);
      if (stopped || state.slots.size > state.starting) return;
      if (state.starting === 0) {
        if (workers >= maxWorkers || state.definition.reservedConcurrency === 0) return;
        spawn(state);
      }
      await new Promise<void>((resolve) => {
        state.warming.push(resolve);
      });
    },

    async stop() {
      stopped = true;
      clearTimeout(sweepTimer);
      for (const state of functions.values()) {
        for (const slot of state.slots) end(slot);
        warmed(state);
        for (const job of state.waiting.splice(0)) settle(state, job, stoppedError, 0, false);
      }
      hungry.clear();
      await Promise.all(ending);
    },
  };
}

function unknownFunction(functionArn: string): Error {
  return new Error(`No function has the ARN ${functionArn}: register it first.`);
}

const stoppedError: InvocationError = {
  kind: 'error',
  errorType: 'ServiceException',
  errorMessage: 'The local host was stopped.',
};
