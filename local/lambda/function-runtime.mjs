// @ts-check
/**
 * Runs inside a worker thread, in the place of Lambda's Node.js runtime interface client. It loads one handler and
 * runs one invocation at a time. It is plain JavaScript because a worker starts it without a compiler. Messages from
 * the host: `{ requestId, payload (JSON text), deadline (milliseconds since the epoch), traceHeader, clockAhead }`. Messages to
 * the host: see `parseMessage` in `function-worker.ts`.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, types } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { moveDate } from '../clock/moved-date.mjs';

/** Lambda cuts longer lines, and a runaway line must not fill the host's memory. */
const maximumLineLength = 256 * 1024;
const maximumResponseBytes = 6 * 1024 * 1024;

const port = parentPort;
if (port === null) throw new Error('function-runtime.mjs runs in a worker thread only.');

/** @type {{ codeFolder: string, handler: string, functionName: string, functionArn: string, memoryMegabytes: number, logGroupName: string, logStreamName: string, allowsCallback: boolean, clockAhead: number }} */
const definition = workerData;
moveDate(definition.clockAhead);

/** @type {string | undefined} */
let currentRequestId;

/** @param {string} line */
function sendLine(line) {
  port?.postMessage({ kind: 'log', line: line.slice(0, maximumLineLength) });
}

/** @param {NodeJS.WriteStream} stream */
function captureLines(stream) {
  let rest = '';
  const decoder = new TextDecoder();
  const flush = () => {
    if (rest !== '') sendLine(rest);
    rest = '';
  };
  /**
   * @param {string | Uint8Array} chunk
   * @param {BufferEncoding | ((error?: Error | null) => void)} [encoding]
   * @param {(error?: Error | null) => void} [callback]
   */
  const write = (chunk, encoding, callback) => {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    let end = rest.indexOf('\n');
    while (end >= 0) {
      sendLine(rest.slice(0, end));
      rest = rest.slice(end + 1);
      end = rest.indexOf('\n');
    }
    if (rest.length > maximumLineLength) flush();
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
  stream.write = write;
  return flush;
}

const flushes = [captureLines(process.stdout), captureLines(process.stderr)];
/** An unfinished line would otherwise end up in a later invocation's log. */
function flushLines() {
  for (const flush of flushes) flush();
}

const logsJson = process.env['AWS_LAMBDA_LOG_FORMAT']?.toUpperCase() === 'JSON';

/** @param {string} level @param {readonly unknown[]} params */
function writeJson(level, ...params) {
  const common = { timestamp: new Date().toISOString(), level, requestId: currentRequestId };
  /** @type {string} */
  let line;
  try {
    line =
      params.length === 1
        ? JSON.stringify({ ...common, message: params[0] }, errorsWithTheirMembers)
        : JSON.stringify({
            ...common,
            message: format(...params),
            ...partsOf(params.find(types.isNativeError)),
          });
  } catch {
    line = JSON.stringify({ ...common, message: format(...params) });
  }
  process.stdout.write(`${line}\n`);
}

/** With all members of an error, as the runtime logs it. @param {string} _ @param {unknown} value */
function errorsWithTheirMembers(_, value) {
  return types.isNativeError(value) ? Object.assign(partsOf(value), value) : value;
}

/** @param {Error | undefined} error */
function partsOf(error) {
  if (error === undefined) return {};
  return {
    errorType: error.constructor?.name ?? 'UnknownError',
    errorMessage: error.message,
    stackTrace: (error.stack ?? '').split('\n'),
  };
}

if (logsJson) {
  for (const [name, level] of /** @type {const} */ ([
    ['trace', 'TRACE'],
    ['debug', 'DEBUG'],
    ['info', 'INFO'],
    ['log', 'INFO'],
    ['warn', 'WARN'],
    ['error', 'ERROR'],
  ])) {
    console[name] = (...params) => writeJson(level, ...params);
  }
}

/** @param {unknown} error @returns {{ errorType: string, errorMessage: string, stack: string[], error: unknown }} */
function describe(error) {
  if (types.isNativeError(error) || error instanceof Error) {
    const { name, message, stack = '' } = error;
    return { errorType: name, errorMessage: message, stack: stack.split('\n'), error };
  }
  return { errorType: typeof error, errorMessage: String(error), stack: [], error };
}

/** @typedef {{ errorType: string, errorMessage: string, stack?: string[], error?: unknown }} Failure */

/** @param {Failure} failure @param {string} title */
function logFailure({ errorType, errorMessage, stack, error }, title) {
  if (logsJson) {
    writeJson('ERROR', error ?? { errorType, errorMessage, stackTrace: stack ?? [] });
    return;
  }
  const detail = JSON.stringify({ errorType, errorMessage, ...(stack && { stack }) });
  process.stdout.write(
    `${new Date().toISOString()}\t${currentRequestId ?? 'undefined'}\tERROR\t${title} \t${detail}\n`,
  );
}

/**
 * @param {Failure} failure @param {string} title @param {boolean} [exiting] this worker ends itself: not to be reused
 */
function fail(failure, title, exiting = false) {
  logFailure(failure, title);
  flushLines();
  port?.postMessage({
    kind: 'error',
    requestId: currentRequestId,
    errorType: failure.errorType,
    errorMessage: failure.errorMessage,
    exiting,
  });
  currentRequestId = undefined;
}

/** @param {unknown} value */
function succeed(value) {
  /** @type {string} */
  let payload;
  try {
    payload = JSON.stringify(value) ?? 'null';
  } catch {
    fail({ errorType: 'Error', errorMessage: 'Unable to stringify response body' }, 'Invoke Error');
    return;
  }
  // A UTF-16 unit is at most 3 bytes of UTF-8, so short texts need no counting.
  if (payload.length * 3 > maximumResponseBytes && Buffer.byteLength(payload) > maximumResponseBytes) {
    const errorMessage = `Response payload size exceeded maximum allowed payload size (${maximumResponseBytes} bytes).`;
    fail({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }, 'Invoke Error');
    return;
  }
  flushLines();
  port?.postMessage({ kind: 'result', requestId: currentRequestId, payload });
  currentRequestId = undefined;
}

process.on('uncaughtException', (error) => {
  fail(describe(error), 'Uncaught Exception', true);
  process.exit(129);
});
process.on('unhandledRejection', (reason) => {
  const { errorMessage, stack } = describe(reason);
  fail(
    {
      error: reason,
      errorType: 'Runtime.UnhandledPromiseRejection',
      errorMessage: types.isNativeError(reason) ? `${reason.name}: ${errorMessage}` : errorMessage,
      stack,
    },
    'Unhandled Promise Rejection',
    true,
  );
  process.exit(128);
});
process.on('exit', flushLines);

/** @param {string} handler such as `index.handler` or `folder/index.handler` @returns {Promise<Function>} */
async function loadHandler(handler) {
  const dot = handler.lastIndexOf('.');
  const modulePath = path.resolve(definition.codeFolder, handler.slice(0, dot));
  const exportName = handler.slice(dot + 1);
  const file = ['.mjs', '.js', '.cjs'].map((extension) => modulePath + extension).find(existsSync);
  if (dot < 1 || file === undefined) {
    const error = new Error(`Error: Cannot find module '${handler.slice(0, Math.max(dot, 0)) || handler}'`);
    error.name = 'Runtime.ImportModuleError';
    throw error;
  }
  /** @type {Record<string, unknown>} */
  let module;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    if (!types.isNativeError(error)) throw error;
    const missing =
      'code' in error && ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(String(error.code));
    const named = missing ? 'Runtime.ImportModuleError' : 'Runtime.UserCodeSyntaxError';
    if (!missing && error.name !== 'SyntaxError') throw error;
    error.message = `${error.name}: ${error.message}`;
    error.name = named;
    throw error;
  }
  // Node.js misses some named exports of a CommonJS module; the default export has them all.
  const found = module[exportName] ?? Object(module['default'])[exportName];
  if (typeof found !== 'function') {
    const error = new Error(`${handler} is undefined or not exported`);
    error.name = 'Runtime.HandlerNotFound';
    throw error;
  }
  if (found.length >= 3 && !definition.allowsCallback) {
    const error = new Error(
      'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24: ' +
        'use an async handler.',
    );
    error.name = 'Runtime.CallbackHandlerDeprecated';
    throw error;
  }
  return found;
}

/** @param {string} requestId @param {number} deadline */
function contextOf(requestId, deadline) {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: definition.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: definition.functionArn,
    memoryLimitInMB: String(definition.memoryMegabytes),
    awsRequestId: requestId,
    logGroupName: definition.logGroupName,
    logStreamName: definition.logStreamName,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** @param {Function} handler @param {unknown} event @param {object} context */
function callHandler(handler, event, context) {
  if (handler.length < 3) return handler(event, context);
  return new Promise((resolve, reject) => {
    /** @param {unknown} error @param {unknown} result */
    const callback = (error, result) =>
      error === null || error === undefined ? resolve(result) : reject(error);
    const returned = handler(event, context, callback);
    if (types.isPromise(returned)) returned.then(resolve, reject);
  });
}

/** @param {Function} handler @param {{ requestId: string, payload: string, deadline: number, traceHeader: string, clockAhead: number }} invocation */
async function run(handler, { requestId, payload, deadline, traceHeader, clockAhead }) {
  moveDate(clockAhead);
  currentRequestId = requestId;
  // The SDK sends it with every call from here on.
  process.env['_X_AMZN_TRACE_ID'] = traceHeader;
  /** @type {unknown} */
  let value;
  try {
    value = await callHandler(handler, JSON.parse(payload), contextOf(requestId, deadline));
  } catch (error) {
    if (currentRequestId === requestId) fail(describe(error), 'Invoke Error');
    return;
  }
  if (currentRequestId === requestId) succeed(value);
}

try {
  const handler = await loadHandler(definition.handler);
  port.on('message', (invocation) => void run(handler, invocation));
  flushLines();
  port.postMessage({ kind: 'ready' });
} catch (error) {
  const failure = describe(error);
  logFailure(failure, 'Uncaught Exception');
  flushLines();
  port.postMessage({ kind: 'initError', errorType: failure.errorType, errorMessage: failure.errorMessage });
}
