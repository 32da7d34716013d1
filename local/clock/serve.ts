import type { IncomingMessage, ServerResponse } from 'node:http';
import { aheadMilliseconds, moveClock, useRealClock } from './clock.ts';

const MAXIMUM_BODY_BYTES = 1000;

let target: Date | undefined;

/**
 * `GET` tells the time: `{now, aheadSeconds}`, and `movingTo` while the clock moves. `POST {"to": <instant>}` moves it
 * there, and `{"to": "real"}` makes it the machine's again. Only JSON is taken, which no page of another origin may post.
 */
export async function serveClock(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') return send(response, 200, state());
  const isJson = request.headers['content-type'] === 'application/json';
  if (request.method !== 'POST' || !isJson) return send(response, 415, { message: 'POST JSON, or GET.' });
  const to = destinationIn(await textOf(request));
  if (to === undefined) return send(response, 400, { message: '"to" is an instant, or "real".' });
  if (target !== undefined) return send(response, 409, { message: `It moves to ${target.toISOString()}.` });
  if (to !== 'real' && to.getTime() < Date.now()) {
    return send(response, 400, { message: `It is ${new Date().toISOString()}, and no clock goes back.` });
  }
  void (to === 'real' ? moveToReal() : move(to));
  send(response, 202, state());
}

async function move(to: Date): Promise<void> {
  target = to;
  await moveClock(to).finally(() => (target = undefined));
}

/** A clock that is behind catches up. Only one that is ahead jumps back. */
async function moveToReal(): Promise<void> {
  if (aheadMilliseconds() < 0) await move(new Date(Date.now() - aheadMilliseconds()));
  useRealClock();
}

function state() {
  const aheadSeconds = Math.round(aheadMilliseconds() / 1000);
  return { now: new Date().toISOString(), aheadSeconds, ...(target && { movingTo: target.toISOString() }) };
}

function destinationIn(text: string): Date | 'real' | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const to = body instanceof Object && 'to' in body ? body.to : undefined;
    if (to === 'real') return to;
    const instant = new Date(typeof to === 'string' ? to : NaN);
    return Number.isNaN(instant.getTime()) ? undefined : instant;
  } catch {
    return undefined;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAXIMUM_BODY_BYTES) return '';
  }
  return text;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
