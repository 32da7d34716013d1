import * as fc from 'fast-check';
import {
  conversationIdOf,
  conversationSequenceOf,
  type NotificationPlace,
} from '../../../lambda/chat/domain/identifiers.ts';
import type { Device, Posted, World } from './world.ts';

/** What users and their devices do. `of` picks among what there is, by remainder. */
export type Step =
  /** Each of `texts` at once; a text that comes twice is one message sent twice. */
  | { readonly kind: 'post'; readonly from: number; readonly to: number; readonly texts: readonly number[] }
  /** Two who write to each other at once. */
  | { readonly kind: 'talk'; readonly from: number; readonly to: number }
  | { readonly kind: 'connect'; readonly user: number }
  | { readonly kind: 'hello' | 'acknowledge'; readonly of: number; readonly which: number }
  /** Of a message that is still to come. */
  | { readonly kind: 'acknowledge-early'; readonly user: number; readonly from: number }
  | { readonly kind: 'close'; readonly of: number; readonly isTold: boolean }
  | { readonly kind: 'list'; readonly user: number }
  | { readonly kind: 'wait'; readonly seconds: number };

export type Script = readonly Step[];

const users = ['ada', 'bob', 'cy'] as const;

const SECOND = 1000;
/** A device that has heard nothing for so long says hello again: a drain that is under way has ended by then. */
const HELLO_AGAIN_SECONDS = 31;
const MOST_HELLOS = 200;

const user = fc.nat({ max: users.length - 1 });
const pair = fc.record({ from: user, to: fc.integer({ min: 1, max: users.length - 1 }) });
const any = fc.nat({ max: 99 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc
      .tuple(pair, fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 4 }))
      .map(([{ from, to }, texts]) => ({ kind: 'post' as const, from, to, texts })),
    weight: 6,
  },
  { arbitrary: pair.map(({ from, to }) => ({ kind: 'talk' as const, from, to })), weight: 1 },
  { arbitrary: user.map((of) => ({ kind: 'connect' as const, user: of })), weight: 4 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom('hello' as const, 'acknowledge' as const, 'acknowledge' as const), any, any)
      .map(([kind, of, which]) => ({ kind, of, which })),
    weight: 6,
  },
  {
    arbitrary: fc.tuple(user, user).map(([of, from]) => ({
      kind: 'acknowledge-early' as const,
      user: of,
      from,
    })),
    weight: 1,
  },
  {
    arbitrary: fc.tuple(any, fc.boolean()).map(([of, isTold]) => ({ kind: 'close' as const, of, isTold })),
    weight: 1,
  },
  { arbitrary: user.map((of) => ({ kind: 'list' as const, user: of })), weight: 1 },
  {
    arbitrary: fc.constantFrom(1, 12, 200).map((seconds) => ({ kind: 'wait' as const, seconds })),
    weight: 2,
  },
);

export const scripts: fc.Arbitrary<Script> = fc.noBias(fc.array(step, { maxLength: 40, size: 'max' }));

export interface AcceptedMessage extends Posted {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** When the answer was there, in calls. */
  readonly answeredAt: number;
}

export interface Acknowledgement {
  readonly userId: string;
  readonly key: string;
  /** Of all attempts; `begun` is one that was never answered. */
  readonly outcomes: readonly string[];
  /** When the last answer was there, in calls. */
  readonly answeredAt: number;
}

export interface Listing {
  readonly userId: string;
  readonly keys: readonly string[];
  readonly startedAt: number;
}

export interface Played {
  readonly accepted: readonly AcceptedMessage[];
  readonly acknowledgements: readonly Acknowledgement[];
  readonly listings: readonly Listing[];
}

export const scriptStartsAt = new Date('2026-03-07T15:00:00.000Z');

export async function play(script: Script, world: World): Promise<Played> {
  const accepted: AcceptedMessage[] = [];
  const acknowledgements: Acknowledgement[] = [];
  const listings: Listing[] = [];

  async function post(from: string, to: string, text: string): Promise<void> {
    const posted = await world.post(from, to, `id-${text}`, `text ${text}`);
    accepted.push({ ...posted, from, to, text: `text ${text}`, answeredAt: world.callCount() });
  }

  async function acknowledge(userId: string, place: NotificationPlace): Promise<void> {
    const outcomes = await world.acknowledge(userId, place);
    const key = conversationSequenceOf(place);
    acknowledgements.push({ userId, key, outcomes, answeredAt: world.callCount() });
  }

  async function list(userId: string): Promise<void> {
    const startedAt = world.callCount();
    listings.push({ userId, keys: (await world.list(userId)).map(conversationSequenceOf), startedAt });
  }

  // Every other device acknowledges at once, and so while doubles are on their way.
  world.onFrame(async ({ userId, connectionId }, frame) => {
    const number = Number(connectionId.split('-').at(-1));
    if (frame.type === 'notification' && number % 2 === 0) await acknowledge(userId, frame);
  });

  async function act(one: Step, index: number): Promise<void> {
    if (one.kind === 'post') {
      const [from, to] = [userAt(one.from), userAt(one.from + one.to)];
      await Promise.all(one.texts.map(async (text) => post(from, to, `${index}-${text}`)));
    } else if (one.kind === 'talk') {
      const [from, to] = [userAt(one.from), userAt(one.from + one.to)];
      await Promise.all([post(from, to, String(index)), post(to, from, String(index))]);
    } else if (one.kind === 'acknowledge-early') {
      const [userId, from] = [userAt(one.user), userAt(one.from)];
      const conversationId = conversationIdOf(userId, from);
      const { length } = accepted.filter((each) => each.conversationId === conversationId);
      await acknowledge(userId, { conversationId, sequence: length + 1 });
    } else if (one.kind === 'connect') await world.sayHello(world.connect(userAt(one.user)));
    else if (one.kind === 'list') await list(userAt(one.user));
    else if (one.kind !== 'wait') await actOn(one);
  }

  async function actOn(one: Extract<Step, { readonly of: number }>): Promise<void> {
    const device = picked(openDevices(world), one.of);
    if (device === undefined) return;
    if (one.kind === 'hello') await world.sayHello(device);
    else if (one.kind === 'close') await world.close(device, one.isTold);
    else {
      const place = picked(seenBy(device), one.which);
      if (place !== undefined) await acknowledge(device.userId, place);
    }
  }

  for (const [index, one] of script.entries()) {
    await world.meanwhile(async () => act(one, index));
    await helloAgain(world);
    if (one.kind === 'wait') await world.advance(world.now().getTime() + one.seconds * SECOND);
    // What is sent now is delivered while the next step happens.
    else world.skip(SECOND);
  }
  await settleDown(world);
  for (const each of users) await list(each);
  return { accepted, acknowledgements, listings };
}

/** Lets time pass until no message is left, and every device is caught up. */
async function settleDown(world: World): Promise<void> {
  for (let hellos = 0; hellos < MOST_HELLOS; hellos++) {
    if (world.isQuiet() && openDevices(world).every(({ waitsSince }) => waitsSince === undefined)) return;
    await world.advance(world.now().getTime() + (HELLO_AGAIN_SECONDS + 1) * SECOND);
    await helloAgain(world);
  }
  throw new Error('Devices say hello, and are never caught up.');
}

async function helloAgain(world: World): Promise<void> {
  for (const device of openDevices(world)) {
    const { waitsSince = Infinity } = device;
    if (world.now().getTime() - waitsSince > HELLO_AGAIN_SECONDS * SECOND) await world.sayHello(device);
  }
}

function userAt(index: number): string {
  return users[index % users.length] ?? users[0];
}

export function openDevices(world: World): Device[] {
  return [...world.devices.values()].filter(({ isOpen }) => isOpen);
}

export function seenBy({ frames }: Device): NotificationPlace[] {
  return frames.flatMap(({ frame }) => (frame.type === 'notification' ? [frame] : []));
}

function picked<T>(all: readonly T[], of: number): T | undefined {
  return all[of % Math.max(1, all.length)];
}
