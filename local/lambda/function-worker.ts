import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FunctionDefinition, Invocation, InvocationError } from './function-definition.ts';
import { functionEnvironment, logGroupName } from './function-environment.ts';
import { parseFunctionMessage, type FunctionMessage } from './function-message.ts';

/** Lambda's limit for the init phase; it does not count in the invocation's timeout. */
const initTimeoutMilliseconds = 10_000;
/** A bundle of the SDK alone takes 30 MB of heap; Lambda's memory size is about the whole process. */
const minimumHeapMegabytes = 192;
/** What an invocation leaves is small and soon garbage. With V8's 48 MB each, many workers would take all they may. */
const youngGenerationMegabytes = 6;

const runtimeFile = locateRuntime();

/** The host runs from source or from a bundle elsewhere in the package, so the file is searched for, upwards. */
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

/** One worker thread, which belongs to one function for life and runs one invocation at a time. */
export interface FunctionWorker {
  /** Calls back exactly once. After an error the worker may be gone: `onGone` then came before. */
  run(payload: string, traceHeader: string, done: (invocation: Invocation) => void): void;
  /** Ends the thread at once; a running invocation fails with `Runtime.ExitError`. Resolves when it has ended. */
  terminate(): Promise<void>;
}

export interface FunctionWorkerOptions {
  readonly definition: FunctionDefinition;
  readonly region: string;
  readonly awsEndpoint: string;
  readonly onReady: () => void;
  /** Once; with the failure when the function could not be initialized. */
  readonly onGone: (initFailure?: InvocationError) => void;
  readonly onLog: (line: string) => void;
}

interface Running {
  readonly requestId: string;
  readonly timer: NodeJS.Timeout;
  readonly done: (invocation: Invocation) => void;
}

function failure(errorType: string, errorMessage: string): InvocationError {
  return { kind: 'error', errorType, errorMessage };
}

function exitError(requestId: string | undefined, reason: string): InvocationError {
  return failure('Runtime.ExitError', `RequestId: ${requestId ?? 'none'} Error: Runtime exited ${reason}`);
}

/** Since Node.js 24 Lambda has no callbacks; the runtimes before it have. */
function allowsCallback(runtime: string | undefined): boolean {
  const major = Number(/^nodejs(\d+)/.exec(runtime ?? '')?.[1] ?? 24);
  return major < 24;
}

export function startFunctionWorker(options: FunctionWorkerOptions): FunctionWorker {
  const { definition } = options;
  const timeoutMilliseconds = definition.timeoutSeconds * 1000;
  const logStreamName = `[$LATEST]${randomUUID().replaceAll('-', '')}`;
  const worker = new Worker(runtimeFile, {
    env: functionEnvironment(definition, options.region, options.awsEndpoint),
    execArgv: [],
    // Unread, so that nothing a function writes reaches the host's own output.
    stdout: true,
    stderr: true,
    name: definition.functionName,
    resourceLimits: {
      maxOldGenerationSizeMb: Math.max(definition.memoryMegabytes, minimumHeapMegabytes),
      maxYoungGenerationSizeMb: youngGenerationMegabytes,
    },
    workerData: {
      codeFolder: definition.codeFolder,
      handler: definition.handler,
      functionName: definition.functionName,
      functionArn: definition.functionArn,
      memoryMegabytes: definition.memoryMegabytes,
      logGroupName: logGroupName(definition),
      logStreamName,
      allowsCallback: allowsCallback(definition.runtime),
    },
  });

  let gone = false;
  let ready = false;
  let running: Running | undefined;
  let exitReason: string | undefined;

  const initTimer = setTimeout(() => {
    leave(
      failure(
        'Sandbox.Timedout',
        `Init phase timed out after ${(initTimeoutMilliseconds / 1000).toFixed(2)} seconds`,
      ),
    );
    void worker.terminate();
  }, initTimeoutMilliseconds);

  /** Takes the worker out of service before anybody hears of the result, so that nobody uses it again. */
  function leave(result: InvocationError): void {
    if (gone) return;
    gone = true;
    clearTimeout(initTimer);
    const last = running;
    running = undefined;
    options.onGone(ready ? undefined : result);
    if (last === undefined) return;
    clearTimeout(last.timer);
    last.done(result);
  }

  function settle(requestId: string | undefined, invocation: Invocation): void {
    if (running === undefined || running.requestId !== requestId) return;
    const { timer, done } = running;
    running = undefined;
    clearTimeout(timer);
    done(invocation);
  }

  function receive(message: FunctionMessage): void {
    switch (message.kind) {
      case 'log':
        options.onLog(message.line);
        return;
      case 'ready':
        if (gone || ready) return;
        ready = true;
        clearTimeout(initTimer);
        options.onReady();
        return;
      case 'initError':
        leave(failure(message.errorType, message.errorMessage));
        void worker.terminate();
        return;
      case 'result':
        settle(message.requestId, parseResult(message.payload));
        return;
      case 'error': {
        const error = failure(message.errorType, message.errorMessage);
        if (message.exiting) leave(error);
        else settle(message.requestId, error);
      }
    }
  }

  worker.on('message', (message: unknown) => {
    const parsed = parseFunctionMessage(message);
    if (parsed) receive(parsed);
  });
  worker.on('error', (error: unknown) => {
    const outOfMemory =
      typeof error === 'object' &&
      error !== null &&
      'code' in error &&
      error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    exitReason = outOfMemory ? 'with error: signal: killed (out of memory)' : `with error: ${String(error)}`;
  });
  worker.on('exit', (code) => {
    const status = code === 0 ? 'without providing a reason' : `with error: exit status ${code}`;
    leave(exitError(running?.requestId, exitReason ?? status));
  });

  return {
    run(payload, traceHeader, done) {
      const requestId = randomUUID();
      if (gone) {
        done(exitError(requestId, 'without providing a reason'));
        return;
      }
      const timer = setTimeout(() => {
        const message = `RequestId: ${requestId} Error: Task timed out after ${definition.timeoutSeconds.toFixed(2)} seconds`;
        leave(failure('Sandbox.Timedout', message));
        void worker.terminate();
      }, timeoutMilliseconds);
      running = { requestId, timer, done };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ requestId, payload, traceHeader, deadline: Date.now() + timeoutMilliseconds });
    },
    async terminate() {
      leave(exitError(running?.requestId, 'with error: signal: killed'));
      await worker.terminate();
    },
  };
}

function parseResult(payload: string): Invocation {
  try {
    return { kind: 'success', payload: JSON.parse(payload) };
  } catch {
    return failure('Runtime.InvalidResponse', 'The response is not JSON.');
  }
}
