import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { aheadMilliseconds } from '../clock/index.ts';
import {
  logGroupName,
  type FunctionDefinition,
  type Invocation,
  type InvocationError,
} from './function-definition.ts';
import { functionEnvironment } from './function-environment.ts';

/** For the init phase, which does not count in the invocation's timeout. */
const INIT_TIMEOUT_MILLISECONDS = 10_000;
/** A bundle with the SDK takes 30 MB of heap, and Lambda's memory size covers the whole process. */
const MINIMUM_HEAP_MEGABYTES = 192;
/** An invocation's garbage is small and short-lived. V8's 48 MB for each of many workers would fill the machine. */
const YOUNG_GENERATION_MEGABYTES = 6;

const RUNTIME_FILE = locateRuntime();

/** The host runs from source or from a bundle elsewhere in the package, so search upwards. */
function locateRuntime(): string {
  const relative = path.join('local', 'lambda', 'function-runtime.mjs');
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, relative))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`${relative} is missing: reinstall the package.`);
    folder = parent;
  }
  return path.join(folder, relative);
}

export interface FunctionWorkerOptions {
  readonly definition: FunctionDefinition;
  readonly region: string;
  readonly awsEndpoint: string;
  readonly onReady: () => void;
  readonly onGone: (initFailure?: InvocationError) => void;
  readonly onLog: (line: string) => void;
}

interface Running {
  readonly requestId: string;
  readonly timer: NodeJS.Timeout;
  readonly done: (invocation: Invocation) => void;
}

export class FunctionWorker {
  readonly #options: FunctionWorkerOptions;
  readonly #worker: Worker;
  readonly #initTimer: NodeJS.Timeout;
  #isGone = false;
  #isReady = false;
  #running: Running | undefined;
  #exitReason: string | undefined;

  constructor(options: FunctionWorkerOptions) {
    this.#options = options;
    this.#worker = startThread(options);
    this.#initTimer = setTimeout(() => {
      const seconds = (INIT_TIMEOUT_MILLISECONDS / 1000).toFixed(2);
      this.#abandon(failure('Sandbox.Timedout', `Init phase timed out after ${seconds} seconds`));
    }, INIT_TIMEOUT_MILLISECONDS);
    this.#worker.on('message', (message: unknown) => {
      const parsed = parseMessage(message);
      if (parsed) this.#receive(parsed);
    });
    this.#worker.on('error', (error: unknown) => {
      const isOutOfMemory =
        typeof error === 'object' &&
        error !== null &&
        'code' in error &&
        error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#exitReason = `with error: ${isOutOfMemory ? 'signal: killed (out of memory)' : String(error)}`;
    });
    this.#worker.on('exit', (code) => {
      const status = code === 0 ? 'without providing a reason' : `with error: exit status ${code}`;
      this.#leave(exitError(this.#running?.requestId, this.#exitReason ?? status));
    });
  }

  /** Calls back exactly once. After an error the worker may be gone: `onGone` came first. */
  run(payload: string, traceHeader: string, done: (invocation: Invocation) => void): void {
    const requestId = randomUUID();
    if (this.#isGone) return done(exitError(requestId, 'without providing a reason'));
    const { timeoutSeconds } = this.#options.definition;
    const timer = setTimeout(() => {
      const message = `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`;
      this.#abandon(failure('Sandbox.Timedout', message));
    }, timeoutSeconds * 1000);
    this.#running = { requestId, timer, done };
    const deadline = Date.now() + timeoutSeconds * 1000;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage({ requestId, payload, traceHeader, deadline, clockAhead: aheadMilliseconds() });
  }

  /** A running invocation fails with `Runtime.ExitError`. Resolves when the thread has ended. */
  async terminate(): Promise<void> {
    this.#leave(exitError(this.#running?.requestId, 'with error: signal: killed'));
    await this.#worker.terminate();
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'log':
        return this.#options.onLog(message.line);
      case 'ready':
        if (this.#isGone || this.#isReady) return;
        this.#isReady = true;
        clearTimeout(this.#initTimer);
        return this.#options.onReady();
      case 'initError':
        return this.#abandon(failure(message.errorType, message.errorMessage));
      case 'result':
        return this.#settle(message.requestId, parseResult(message.payload));
      case 'error': {
        const error = failure(message.errorType, message.errorMessage);
        if (message.exiting) this.#leave(error);
        else this.#settle(message.requestId, error);
      }
    }
  }

  #settle(requestId: string | undefined, invocation: Invocation): void {
    const running = this.#running;
    if (running === undefined || running.requestId !== requestId) return;
    this.#running = undefined;
    clearTimeout(running.timer);
    running.done(invocation);
  }

  /** Nobody may use the worker once the result is out. */
  #leave(result: InvocationError): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#initTimer);
    const last = this.#running;
    this.#running = undefined;
    this.#options.onGone(this.#isReady ? undefined : result);
    if (last === undefined) return;
    clearTimeout(last.timer);
    last.done(result);
  }

  #abandon(result: InvocationError): void {
    this.#leave(result);
    void this.#worker.terminate();
  }
}

function startThread({ definition, region, awsEndpoint }: FunctionWorkerOptions): Worker {
  const {
    codeFolder,
    handler,
    functionName,
    functionArn,
    memoryMegabytes,
    runtime = 'nodejs24.x',
  } = definition;
  return new Worker(RUNTIME_FILE, {
    env: functionEnvironment(definition, region, awsEndpoint),
    execArgv: [],
    // Unread, so that a function's output never reaches the host's.
    stdout: true,
    stderr: true,
    name: functionName,
    resourceLimits: {
      maxOldGenerationSizeMb: Math.max(memoryMegabytes, MINIMUM_HEAP_MEGABYTES),
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MEGABYTES,
    },
    workerData: {
      clockAhead: aheadMilliseconds(),
      codeFolder,
      handler,
      functionName,
      functionArn,
      memoryMegabytes,
      logGroupName: logGroupName(definition),
      logStreamName: `[$LATEST]${randomUUID().replaceAll('-', '')}`,
      // Lambda supports callbacks only before Node.js 24.
      allowsCallback: Number(/^nodejs(\d+)/.exec(runtime)?.[1] ?? 24) < 24,
    },
  });
}

function failure(errorType: string, errorMessage: string): InvocationError {
  return { kind: 'error', errorType, errorMessage };
}

function exitError(requestId: string | undefined, reason: string): InvocationError {
  return failure('Runtime.ExitError', `RequestId: ${requestId ?? 'none'} Error: Runtime exited ${reason}`);
}

function parseResult(payload: string): Invocation {
  try {
    return { kind: 'success', payload: JSON.parse(payload) };
  } catch {
    return failure('Runtime.InvalidResponse', 'The response is not JSON.');
  }
}

type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'initError'; readonly errorType: string; readonly errorMessage: string }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'result'; readonly requestId: string; readonly payload: string }
  | {
      readonly kind: 'error';
      readonly requestId: string | undefined;
      readonly errorType: string;
      readonly errorMessage: string;
      readonly exiting: boolean;
    };

/** A function can reach its thread's port and post anything. */
function parseMessage(message: unknown): Message | undefined {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return undefined;
  const { kind, requestId, payload, line, errorType, errorMessage, exiting } = message as Record<
    string,
    unknown
  >;
  if (kind === 'ready') return { kind };
  if (kind === 'log' && typeof line === 'string') return { kind, line };
  if (kind === 'result' && typeof requestId === 'string' && typeof payload === 'string') {
    return { kind, requestId, payload };
  }
  if (typeof errorType !== 'string' || typeof errorMessage !== 'string') return undefined;
  if (kind === 'initError') return { kind, errorType, errorMessage };
  if (kind === 'error' && (requestId === undefined || typeof requestId === 'string')) {
    return { kind, requestId, errorType, errorMessage, exiting: exiting === true };
  }
  return undefined;
}
