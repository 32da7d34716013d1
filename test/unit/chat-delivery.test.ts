import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { DeviceOnline } from '../../lambda/chat/contract.ts';
import { deliver } from '../../lambda/chat/deliver.ts';
import { drain, DRAIN_PASS_NOTIFICATIONS } from '../../lambda/chat/drain.ts';
import { ada, bob, chatMessage, conversation, createChatWorld, type Step } from './chat-world.ts';

/**
 * Goal: whatever the moment at which a message meets a drain, and wherever an invocation crashes, the device sees every
 * message or it waits; what was acknowledged never comes back.
 * Method: the real worker on tables in memory, under a scheduler that tries the interleavings of all calls; every crash
 * ends an invocation between two calls, and its queue message is delivered again.
 */

const online = (connectionId: string, userId = bob): DeviceOnline => ({
  kind: 'device-online',
  userId,
  connectionId,
});

const ascending = (one: number, other: number): number => one - other;

class Crash extends Error {
  override readonly name = 'Crash';
}

describe('a message that meets a drain', () => {
  it('is seen by the device in every order of their calls, twice at most', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        async (scheduler, before, during) => {
          const step: Step = async (effect) => scheduler.schedule(Promise.resolve()).then(effect);
          const world = createChatWorld({ step });
          const total = before + during;
          for (let sequence = 1; sequence <= total; sequence++) world.post(chatMessage(sequence));
          for (let sequence = 1; sequence <= before; sequence++) {
            await scheduler.waitFor(deliver(conversation, sequence, world.services));
          }
          world.hello(bob, 'device');
          const work = [
            drain(online('device'), world.services),
            ...Array.from({ length: during }, async (_, index) =>
              deliver(conversation, before + index + 1, world.services),
            ),
          ];
          await scheduler.waitFor(Promise.all(work));
          const seen = world.seen('device');
          expect([...new Set(seen)].toSorted(ascending)).toEqual(
            Array.from({ length: total }, (_, n) => n + 1),
          );
          expect(seen.length).toBeLessThanOrEqual(total + during);
          expect(seen.slice(0, before)).toEqual(seen.slice(0, before).toSorted(ascending));
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });

  it('is seen or waits, and stays acknowledged, though invocations crash between any two calls', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.nat({ max: 12 }), { minLength: 4, maxLength: 12 }),
        fc.boolean(),
        async (scheduler, crashes, dies) => {
          const pending = [...crashes];
          let callsLeft = Infinity;
          const step: Step = async (effect) => {
            await scheduler.schedule(Promise.resolve());
            callsLeft -= 1;
            if (callsLeft === 0) {
              callsLeft = pending.shift() ?? Infinity;
              // The effect may have taken place, though nobody hears of it.
              if (callsLeft % 2 === 0) effect();
              throw new Crash();
            }
            return effect();
          };
          const world = createChatWorld({ step });
          const total = 4;
          for (let sequence = 1; sequence <= total; sequence++) world.post(chatMessage(sequence));
          world.hello(bob, 'device');
          callsLeft = pending.shift() ?? Infinity;
          const untilDone = async (work: () => Promise<unknown>): Promise<void> => {
            for (;;) {
              try {
                await work();
                return;
              } catch (error) {
                if (!(error instanceof Crash)) throw error;
              }
            }
          };
          const acknowledged: number[] = [];
          const acknowledging = async (): Promise<void> => {
            await scheduler.schedule(Promise.resolve());
            for (const sequence of world.seen('device').slice(0, 2)) {
              world.acknowledge(bob, { conversationId: conversation, sequence });
              acknowledged.push(sequence);
            }
            if (dies) world.devices.delete('device');
          };
          const all = Array.from({ length: total }, (_, index) => index + 1);
          await scheduler.waitFor(
            Promise.all([
              untilDone(async () => drain(online('device'), world.services)),
              ...all.map(async (sequence) =>
                untilDone(async () => deliver(conversation, sequence, world.services)),
              ),
              acknowledging(),
            ]),
          );
          callsLeft = Infinity;
          if (!dies) expect([...new Set(world.seen('device'))].toSorted(ascending)).toEqual(all);
          const waiting = world.waiting(bob).toSorted(ascending);
          expect(waiting).toEqual(all.filter((sequence) => !acknowledged.includes(sequence)));
          // Every queue message of those once more: what was acknowledged stays so.
          const framesBefore = world.seen('device').length;
          for (const sequence of acknowledged) {
            expect(await scheduler.waitFor(deliver(conversation, sequence, world.services))).toEqual({
              outcome: 'known',
            });
          }
          expect(world.seen('device')).toHaveLength(framesBefore);
          expect(world.waiting(bob).toSorted(ascending)).toEqual(waiting);
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });
});

describe('a drain', () => {
  it('of more than one pass pushes everything once, in order, and then says caught-up', async () => {
    const world = createChatWorld();
    const total = 2 * DRAIN_PASS_NOTIFICATIONS + 5;
    for (let sequence = 1; sequence <= total; sequence++) {
      world.post(chatMessage(sequence));
      await deliver(conversation, sequence, world.services);
    }
    world.hello(bob, 'device');
    expect(await drain(online('device'), world.services)).toEqual({
      outcome: 'continued',
      pushed: DRAIN_PASS_NOTIFICATIONS,
    });
    // One comes between two passes, at a place that was passed already.
    world.post(chatMessage(1, 'cy', bob));
    await deliver(chatMessage(1, 'cy', bob).conversationId, 1, world.services);
    const outcomes: string[] = [];
    for (let sent = world.queued.shift(); sent !== undefined; sent = world.queued.shift()) {
      if (sent.kind !== 'device-online') throw new Error('A drain sends device-online messages only.');
      outcomes.push((await drain(sent, world.services)).outcome);
    }
    expect(outcomes).toEqual(['continued', 'caught-up']);
    const frames = world.devices.get('device') ?? [];
    const ofAda = frames.flatMap((frame) =>
      frame.type === 'notification' && frame.from === ada ? [frame.sequence] : [],
    );
    expect(ofAda).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    expect(frames.filter((frame) => frame.type === 'notification' && frame.from === 'cy')).toHaveLength(1);
    expect(frames.at(-1)).toEqual({
      type: 'caught-up',
      conversations: { [conversation]: total, [chatMessage(1, 'cy', bob).conversationId]: 1 },
    });
  });

  it('of a device that is gone removes its connection, and leaves the queue as it was', async () => {
    const world = createChatWorld();
    world.post(chatMessage(1));
    await deliver(conversation, 1, world.services);
    world.hello(bob, 'device');
    world.hello(bob, 'other');
    world.devices.delete('device');
    expect(await drain(online('device'), world.services)).toEqual({ outcome: 'gone', pushed: 1 });
    expect([...world.connections.keys()]).toEqual(['other']);
    expect(world.waiting(bob)).toEqual([1]);
  });

  it('to a connection of somebody else, which only a forged message asks for, pushes nothing', async () => {
    const world = createChatWorld();
    world.post(chatMessage(1));
    await deliver(conversation, 1, world.services);
    world.hello('eve', 'of eve');
    expect(await drain(online('of eve'), world.services)).toEqual({ outcome: 'gone', pushed: 0 });
    expect(world.devices.get('of eve')).toEqual([]);
    expect([...world.connections.keys()]).toEqual(['of eve']);
  });

  it('of a connection that was removed meanwhile does not bring it back', async () => {
    const world = createChatWorld();
    world.hello(bob, 'device');
    world.connections.clear();
    expect(await drain(online('device'), world.services)).toEqual({ outcome: 'gone', pushed: 0 });
    expect(world.connections.size).toBe(0);
  });

  it('of an empty queue says caught-up at once', async () => {
    const world = createChatWorld();
    world.hello(bob, 'device');
    await drain(online('device'), world.services);
    expect(world.devices.get('device')).toEqual([{ type: 'caught-up', conversations: {} }]);
  });

  it('of very many conversations says caught-up in several frames, each within what a frame may have', async () => {
    const world = createChatWorld();
    for (let user = 0; user < 1200; user++) {
      const message = chatMessage(1, `user-${user}`, bob);
      world.post(message);
      await deliver(message.conversationId, 1, world.services);
      world.acknowledge(bob, message);
    }
    world.hello(bob, 'device');
    await drain(online('device'), world.services);
    const frames = world.devices.get('device') ?? [];
    expect(frames).toHaveLength(3);
    expect(Math.max(...frames.map((frame) => JSON.stringify(frame).length))).toBeLessThan(32 * 1024);
    const conversations = frames.flatMap((frame) =>
      frame.type === 'caught-up' ? Object.keys(frame.conversations) : [],
    );
    expect(new Set(conversations).size).toBe(1200);
  }, 20_000);
});

describe('a push', () => {
  it('that API Gateway keeps refusing fails the message, once the other devices have got theirs', async () => {
    const world = createChatWorld();
    world.post(chatMessage(1));
    for (const device of ['one', 'two', 'three']) {
      world.hello(bob, device);
      await drain(online(device), world.services);
    }
    world.devices.delete('three');
    const throttled = Object.assign(new Error('Too many requests'), { name: 'LimitExceededException' });
    const services: typeof world.services = {
      ...world.services,
      pushFrame: async (connectionId, frame) =>
        connectionId === 'one' ? Promise.reject(throttled) : world.services.pushFrame(connectionId, frame),
    };
    await expect(deliver(conversation, 1, services)).rejects.toBe(throttled);
    expect(world.seen('two')).toEqual([1]);
    expect([...world.connections.keys()]).toEqual(['one', 'two']);
    expect(world.waiting(bob)).toEqual([1]);
    expect(await deliver(conversation, 1, world.services)).toEqual({
      outcome: 'notified',
      pushed: 2,
      gone: 0,
    });
  });

  it('is for the recipient’s connections that are live', async () => {
    const world = createChatWorld();
    world.post(chatMessage(1));
    world.hello(bob, 'not yet live');
    world.hello(ada, 'of the sender');
    await drain(online('of the sender', ada), world.services);
    expect(await deliver(conversation, 1, world.services)).toEqual({
      outcome: 'notified',
      pushed: 0,
      gone: 0,
    });
  });
});
