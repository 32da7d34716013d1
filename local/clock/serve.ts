import type { IncomingMessage, ServerResponse } from 'node:http';
import { jsonAnswer, messageAnswer, readBody, sendAnswer, type HttpAnswer } from '../http/index.ts';
import { aheadMilliseconds, moveClock, useRealClock } from './clock.ts';

let target: Date | undefined;

/**
 * `GET` tells the time: `{now, aheadSeconds}`, and `movingTo` while the clock moves. `POST {"to": <instant>}` moves it
 * there, and `{"to": "real"}` makes it the machine's again. A web page of another origin cannot post JSON.
 */
export async function serveClock(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = request.method === 'GET' ? state(200) : await posted(request);
  if (answer !== undefined) sendAnswer(response, answer);
}

/** @returns undefined where the client left */
async function posted(request: IncomingMessage): Promise<HttpAnswer | undefined> {
  const isJson = request.headers['content-type'] === 'application/json';
  if (request.method !== 'POST' || !isJson) return messageAnswer(415, 'GET, or POST JSON.');
  const body = await readBody(request);
  if (body === 'aborted') return undefined;
  const to = body === 'too-large' ? undefined : destinationIn(body.toString('utf8'));
  if (to === undefined) return messageAnswer(400, '"to" is an instant, or "real".');
  if (target !== undefined) return messageAnswer(409, `It moves to ${target.toISOString()}.`);
  if (to !== 'real' && to.getTime() < Date.now()) {
    return messageAnswer(400, `It is ${new Date().toISOString()}, and no clock goes back.`);
  }
  void (to === 'real' ? moveToReal() : move(to));
  return state(202);
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

function state(status: number): HttpAnswer {
  const aheadSeconds = Math.round(aheadMilliseconds() / 1000);
  const movingTo = target && { movingTo: target.toISOString() };
  return jsonAnswer(status, { now: new Date().toISOString(), aheadSeconds, ...movingTo });
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
