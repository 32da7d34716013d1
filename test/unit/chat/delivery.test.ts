import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { deviceLimit, type DrainMessage } from '../../../lambda/chat/contract.ts';
import { deliver } from '../../../lambda/chat/deliver/deliver.ts';
import { NOTIFICATION_DAYS } from '../../../lambda/chat/domain/message.ts';
import { drain } from '../../../lambda/chat/drain/drain.ts';
import { acknowledge } from '../../../lambda/chat/inbox/acknowledge.ts';
import { tombstone } from '../../../lambda/chat/store/acknowledgements.ts';
import { storedNotification } from '../../../lambda/chat/store/inbox.ts';
import { ada, bob, chatMessage, conversation, createChatWorld, settled, type Step } from './world.ts';

/**
 * Goal: whatever the moment at which a message meets a drain, and wherever an invocation crashes, the device sees every
 * message or it waits; what was acknowledged never comes back.
 * Method: the real workers on tables in memory, under a scheduler that tries the interleavings of all calls; every crash
 * ends an invocation between two calls, and its queue message is delivered again.
 */

const online = (connectionId: string, userId = bob): DrainMessage => ({ userId, connectionId });
const at = (sequence: number, conversationId = conversation) => ({ conversationId, sequence });
const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
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
          const world = createChatWorld({ step, pageItems: 2 });
          const total = before + during;
          for (const sequence of oneTo(total)) world.post(chatMessage(sequence));
          for (const sequence of oneTo(before)) {
            await settled(scheduler, deliver(at(sequence), world.services));
          }
          const hello = async () => {
            await scheduler.schedule(Promise.resolve());
            world.hello(bob, 'device');
            await drain(online('device'), world.services);
          };
          const work = [
            hello(),
            ...oneTo(during).map(async (number) => deliver(at(before + number), world.services)),
          ];
          await settled(scheduler, Promise.all(work));
          const seen = world.seen('device');
          expect([...new Set(seen)].toSorted(ascending)).toEqual(oneTo(total));
          expect(seen.length).toBeLessThanOrEqual(total + during);
          const waited = seen.filter((sequence) => sequence <= before);
          expect(waited).toEqual(oneTo(before));
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
          const world = createChatWorld({ step, pageItems: 2 });
          const total = 4;
          const all = oneTo(total);
          for (const sequence of all) world.post(chatMessage(sequence));
          world.hello(bob, 'device');
          callsLeft = pending.shift() ?? Infinity;
          const attempted = async (work: () => Promise<unknown>): Promise<boolean> => {
            try {
              await work();
              return true;
            } catch (error) {
              if (error instanceof Crash) return false;
              throw error;
            }
          };
          const untilDone = async (work: () => Promise<unknown>): Promise<void> => {
            while (!(await attempted(work)));
          };
          // Each device's acknowledgement is tried once: nobody repeats what was interrupted.
          const acknowledging = async (): Promise<void> => {
            for (let wait = 0; wait < 6; wait++) await scheduler.schedule(Promise.resolve());
            for (const sequence of new Set(world.seen('device').slice(0, 2))) {
              await attempted(async () => acknowledge(bob, at(sequence), world.services));
            }
            if (dies) world.devices.delete('device');
          };
          // A queue delivers more than once.
          const deliveries = [...all, ...all].map(async (sequence) =>
            untilDone(async () => deliver(at(sequence), world.services)),
          );
          await settled(
            scheduler,
            Promise.all([
              untilDone(async () => drain(online('device'), world.services)),
              ...deliveries,
              acknowledging(),
            ]),
          );
          callsLeft = Infinity;
          if (!dies) expect([...new Set(world.seen('device'))].toSorted(ascending)).toEqual(all);
          const acknowledged = world.acknowledged(bob);
          const waiting = world.waiting(bob).toSorted(ascending);
          expect(waiting).toEqual(all.filter((sequence) => !acknowledged.includes(sequence)));
          // Every queue message of those once more: what was acknowledged stays so, and nothing of it lies about.
          const framesBefore = world.seen('device').length;
          for (const sequence of acknowledged) {
            expect(await settled(scheduler, deliver(at(sequence), world.services))).toEqual({
              outcome: 'known',
            });
          }
          expect(world.seen('device')).toHaveLength(framesBefore);
          expect(
            [...world.inbox(bob).values()].map(({ notification }) => notification.sequence),
          ).toHaveLength(waiting.length);
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });
});

describe('an acknowledgement', () => {
  it('that is interrupted holds: what is still in the inbox is shown to nobody, and the next delivery takes it out', async () => {
    const world = createChatWorld();
    world.post(chatMessage(1));
    await deliver(at(1), world.services);
    const interrupted = {
      ...world.services,
      inbox: { ...world.services.inbox, remove: async () => Promise.reject(new Crash()) },
    };
    await expect(acknowledge(bob, at(1), interrupted)).rejects.toThrow(Crash);
    expect(world.inbox(bob).size).toBe(1);
    world.hello(bob, 'device');
    await drain(online('device'), world.services);
    expect(world.seen('device')).toEqual([]);
    expect(await deliver(at(1), world.services)).toEqual({ outcome: 'known' });
    expect(world.inbox(bob).size).toBe(0);
  });

  it('of what is not there yet leaves nothing that keeps it from coming', async () => {
    const world = createChatWorld();
    world.post(chatMessage(1));
    expect(await acknowledge(bob, at(1), world.services)).toBe('unknown');
    expect(await deliver(at(1), world.services)).toMatchObject({ outcome: 'notified' });
    expect(await acknowledge(bob, at(1), world.services)).toBe('acknowledged');
    expect(await acknowledge(bob, at(1), world.services)).toBe('known');
    expect(world.waiting(bob)).toEqual([]);
  });

  it('is remembered for as long as the message could be delivered again, after any number of redrives', async () => {
    const message = chatMessage(1);
    const sentAt = Date.parse(message.sentAt);
    const lastDelivery = sentAt + NOTIFICATION_DAYS * 86_400_000;
    // It is acknowledged at the earliest when it is sent.
    const forgottenAt = Number(tombstone(bob, message, new Date(sentAt))['expiresAt']) * 1000;
    const waitsUntil = Number(storedNotification(message, new Date(lastDelivery))['expiresAt']) * 1000;
    expect(forgottenAt).toBeGreaterThan(waitsUntil);
    const outcomeAt = async (milliseconds: number) => {
      const world = createChatWorld({ now: () => new Date(milliseconds) });
      world.post(message);
      return (await deliver(message, world.services)).outcome;
    };
    expect(await outcomeAt(lastDelivery - 1)).toBe('notified');
    expect(await outcomeAt(lastDelivery)).toBe('expired');
  });
});

describe('a drain', () => {
  it('whose time is up goes on with another message, and pushes everything once, in order', async () => {
    const world = createChatWorld({ pageItems: 7 });
    const total = 50;
    for (const sequence of oneTo(total)) {
      world.post(chatMessage(sequence));
      await deliver(at(sequence), world.services);
    }
    world.hello(bob, 'device');
    let calls = 0;
    const shortOfTime = { ...world.services, isTimeUp: () => ++calls % 20 === 0 };
    expect(await drain(online('device'), shortOfTime)).toMatchObject({ outcome: 'continued' });
    // One comes between two passes, at a place that was passed already: it is pushed live.
    world.post(chatMessage(1, 'cy', bob));
    await deliver(chatMessage(1, 'cy', bob), world.services);
    const outcomes: string[] = [];
    for (let sent = world.drains.shift(); sent !== undefined; sent = world.drains.shift()) {
      outcomes.push((await drain(sent, shortOfTime)).outcome);
    }
    expect(outcomes.length).toBeGreaterThan(1);
    expect(new Set(outcomes.slice(0, -1))).toEqual(new Set(['continued']));
    expect(outcomes.at(-1)).toBe('caught-up');
    const frames = world.devices.get('device') ?? [];
    const ofAda = frames.flatMap((frame) =>
      frame.type === 'notification' && frame.from === ada ? [frame.sequence] : [],
    );
    expect(ofAda).toEqual(oneTo(total));
    expect(frames.at(-1)).toEqual({
      type: 'caught-up',
      conversations: { [conversation]: total, [chatMessage(1, 'cy', bob).conversationId]: 1 },
    });
  });

  it('comes on though it never has time for more than one notification', async () => {
    const world = createChatWorld({ pageItems: 2 });
    for (const sequence of oneTo(5)) {
      world.post(chatMessage(sequence));
      await deliver(at(sequence), world.services);
    }
    world.hello(bob, 'device');
    const noTime = { ...world.services, isTimeUp: () => true };
    await drain(online('device'), noTime);
    for (let sent = world.drains.shift(); sent !== undefined; sent = world.drains.shift())
      await drain(sent, noTime);
    expect(world.seen('device')).toEqual(oneTo(5));
    expect(world.devices.get('device')?.at(-1)).toMatchObject({ type: 'caught-up' });
  });

  it('one of whose pushes fails goes on behind what it has pushed', async () => {
    const world = createChatWorld();
    for (const sequence of oneTo(5)) {
      world.post(chatMessage(sequence));
      await deliver(at(sequence), world.services);
    }
    world.hello(bob, 'device');
    let pushes = 0;
    const failing: typeof world.services = {
      ...world.services,
      pushFrame: async (...push) =>
        ++pushes === 4 ? Promise.reject(new Error('throttled')) : world.services.pushFrame(...push),
    };
    expect(await drain(online('device'), failing)).toEqual({ outcome: 'continued', pushed: 3 });
    const [rest] = world.drains;
    if (rest === undefined) throw new Error('A message asks for the rest.');
    expect(await drain(rest, failing)).toEqual({ outcome: 'caught-up', pushed: 2 });
    expect(world.seen('device')).toEqual(oneTo(5));
  });

  it('leaves what is put in the inbox long after its hello to those who push it live, and so has an end', async () => {
    let minutes = 0;
    const world = createChatWorld({ now: () => new Date(Date.UTC(2026, 2, 10, 16, minutes)) });
    world.post(chatMessage(1));
    await deliver(at(1), world.services);
    world.hello(bob, 'device');
    world.post(chatMessage(2));
    const meanwhile: typeof world.services = {
      ...world.services,
      connections: {
        ...world.services.connections,
        noteDrain: async (device, state, now) => {
          const result = await world.services.connections.noteDrain(device, state, now);
          if (state === 'draining') {
            minutes = 3;
            await deliver(at(2), world.services);
            minutes = 0;
          }
          return result;
        },
      },
    };
    expect(await drain(online('device'), meanwhile)).toEqual({ outcome: 'caught-up', pushed: 1 });
    expect(world.seen('device')).toEqual([2, 1]);
  });

  it('of a device that is gone removes its connection, and leaves the inbox as it was', async () => {
    const world = createChatWorld();
    world.post(chatMessage(1));
    await deliver(at(1), world.services);
    world.hello(bob, 'device');
    world.hello(bob, 'other');
    world.devices.delete('device');
    expect(await drain(online('device'), world.services)).toEqual({ outcome: 'gone', pushed: 0 });
    expect([...world.connections.keys()]).toEqual(['other']);
    expect(world.waiting(bob)).toEqual([1]);
  });

  it('of a device that takes nothing disconnects it: it gets what waits when it is back', async () => {
    const world = createChatWorld();
    world.post(chatMessage(1));
    await deliver(at(1), world.services);
    world.hello(bob, 'device');
    world.stuck.add('device');
    expect(await drain(online('device'), world.services)).toEqual({ outcome: 'gone', pushed: 0 });
    expect([...world.connections.keys(), ...world.devices.keys()]).toEqual([]);
    expect(world.waiting(bob)).toEqual([1]);
  });

  it('to a connection of somebody else, which only a forged message asks for, pushes nothing', async () => {
    const world = createChatWorld();
    world.post(chatMessage(1));
    await deliver(at(1), world.services);
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

  it('of an empty inbox says caught-up at once', async () => {
    const world = createChatWorld();
    world.hello(bob, 'device');
    await drain(online('device'), world.services);
    expect(world.devices.get('device')).toEqual([{ type: 'caught-up', conversations: {} }]);
    expect(world.connections.get('device')?.state).toBe('caught-up');
  });

  it('of a user with very many conversations names as many as a frame may hold, and says that there are more', async () => {
    const world = createChatWorld();
    for (let user = 0; user < 1200; user++) world.post(chatMessage(1, `user-${user}`, bob));
    world.hello(bob, 'device');
    await drain(online('device'), world.services);
    const frames = world.devices.get('device') ?? [];
    expect(frames).toEqual([{ type: 'caught-up', conversations: expect.anything(), more: true }]);
    const [frame] = frames;
    expect(JSON.stringify(frame).length).toBeLessThan(32 * 1024);
    expect(frame?.type === 'caught-up' && Object.keys(frame.conversations)).toHaveLength(500);
  });
});

describe('a push', () => {
  const throttled = Object.assign(new Error('Too many requests'), { name: 'LimitExceededException' });

  /** A message of ada to bob, whose devices are online, and a service that refuses some of them. */
  function withDevices(devices: readonly string[]) {
    const world = createChatWorld();
    world.post(chatMessage(1));
    for (const device of devices) world.hello(bob, device);
    const refusing = (refused: (connectionId: string) => boolean): typeof world.services => ({
      ...world.services,
      pushFrame: async (connectionId, frame) =>
        refused(connectionId) ? Promise.reject(throttled) : world.services.pushFrame(connectionId, frame),
    });
    return { world, refusing };
  }

  it('that API Gateway keeps refusing is left to a message of its own: the others get it once', async () => {
    const { world, refusing } = withDevices(['one', 'two', 'three']);
    world.devices.delete('three');
    expect(
      await deliver(
        at(1),
        refusing((id) => id === 'one'),
      ),
    ).toEqual({
      outcome: 'notified',
      pushed: 1,
      gone: 1,
      left: 1,
    });
    expect([...world.connections.keys()]).toEqual(['one', 'two']);
    expect(world.queued).toEqual([
      { kind: 'push', conversationId: conversation, sequence: '1', connectionIds: ['one'] },
    ]);
    expect(world.waiting(bob)).toEqual([1]);
    expect(await deliver(at(1), world.services, ['one'])).toMatchObject({ pushed: 1, left: 0 });
    expect([world.seen('one'), world.seen('two')]).toEqual([[1], [1]]);
  });

  it('that reaches nobody fails the message, which comes again', async () => {
    const { world, refusing } = withDevices(['one', 'two']);
    await expect(
      deliver(
        at(1),
        refusing(() => true),
      ),
    ).rejects.toBe(throttled);
    expect(world.queued).toEqual([]);
    expect(world.waiting(bob)).toEqual([1]);
  });

  it('for which there is no time is left to a message of its own', async () => {
    const devices = oneTo(200).map((number) => `device-${number}`);
    const { world } = withDevices(devices);
    let calls = 0;
    const shortOfTime = { ...world.services, isTimeUp: () => ++calls > 60 };
    expect(await deliver(at(1), shortOfTime)).toMatchObject({ pushed: 60, left: 140 });
    const [rest] = world.queued;
    if (rest?.kind !== 'push') throw new Error('A message asks for the rest.');
    expect(await deliver(at(1), world.services, rest.connectionIds)).toMatchObject({ pushed: 140, left: 0 });
    expect(devices.flatMap((device) => world.seen(device))).toEqual(devices.map(() => 1));
  });

  it('is made to no more than 25 devices at once', async () => {
    const { world } = withDevices(oneTo(300).map((number) => `device-${number}`));
    let [now, most] = [0, 0];
    await deliver(at(1), {
      ...world.services,
      pushFrame: async (...push) => {
        most = Math.max(most, ++now);
        const result = await world.services.pushFrame(...push);
        now -= 1;
        return result;
      },
    });
    expect(most).toBe(25);
  });

  it('to a device that takes nothing disconnects it, and it alone', async () => {
    const { world } = withDevices(['slow', 'quick']);
    world.stuck.add('slow');
    expect(await deliver(at(1), world.services)).toMatchObject({ pushed: 1, gone: 1, left: 0 });
    expect([...world.connections.keys()]).toEqual(['quick']);
    expect([...world.devices.keys()]).toEqual(['quick']);
    expect(world.queued).toEqual([]);
  });

  it('to more devices than a user may have is made to the newest; the others are told, and disconnected', async () => {
    const devices = oneTo(deviceLimit + 2).map((number) => `device-${number}`);
    const { world } = withDevices(devices);
    const told = devices.slice(0, 2).map((device) => world.devices.get(device));
    expect(await deliver(at(1), world.services)).toMatchObject({ pushed: deviceLimit });
    expect([...world.connections.keys()]).toEqual(devices.slice(2));
    expect([...world.devices.keys()]).toEqual(devices.slice(2));
    for (const frames of told)
      expect(frames).toMatchObject([
        { type: 'error', problem: { type: 'urn:duotempo:problem:too-many-devices' } },
      ]);
  });

  it('is for the recipient’s connections, whatever connections the message names', async () => {
    const { world } = withDevices(['of bob']);
    world.hello(ada, 'of the sender');
    expect(await deliver(at(1), world.services, ['of the sender'])).toMatchObject({ pushed: 0, left: 0 });
    expect(world.seen('of the sender')).toEqual([]);
  });
});
