import * as v from 'valibot';
import { conversationSequenceOf } from '../../../lambda/chat/domain/identifiers.ts';
import { getOrAdd } from '../../harness/maps.ts';
import type { Log } from '../log.ts';
import { openDevices, seenBy, type Played } from './script.ts';
import type { World } from './world.ts';

const StoredMessage = v.object({
  conversationId: v.string(),
  sequence: v.number(),
  messageId: v.string(),
  from: v.string(),
  to: v.string(),
  text: v.string(),
});
type StoredMessage = v.InferOutput<typeof StoredMessage>;

const Place = v.object({ userId: v.string(), conversationSequence: v.string() });

/** What chat promises, checked on what devices saw and on the raw items. @throws BrokenGuarantee */
export async function expectDelivered(world: World, played: Played, log: Pick<Log, 'expect'>): Promise<void> {
  const messages = (await world.scan('messages')).map((item) => v.parse(StoredMessage, item));
  const tombstones = await placesIn(world, 'acknowledgements');
  const inbox = await placesIn(world, 'inbox');
  const deadLetters = new Set(world.deadLetters());
  const isAlive = (key: string): boolean => !deadLetters.has(key);
  const keysFor = (userId: string): string[] =>
    messages
      .filter(({ to }) => to === userId)
      .map(conversationSequenceOf)
      .filter(isAlive);
  const unacknowledged = (userId: string): string[] =>
    keysFor(userId)
      .filter((key) => !tombstones.has(`${userId} ${key}`))
      .toSorted();

  expectWritten(messages, played, log);

  const leftOvers = [...inbox].filter(
    (each) => tombstones.has(each) && isAlive(each.split(' ').at(-1) ?? ''),
  );
  log.expect('what is acknowledged leaves the inbox', leftOvers, []);
  for (const { userId, keys } of lastListings(played))
    log.expect(
      'a message waits unless it is acknowledged',
      keys.filter(isAlive).toSorted(),
      unacknowledged(userId),
    );
  expectAcknowledged(world, played, tombstones, log);
  for (const device of openDevices(world)) {
    const seen = new Set(seenBy(device).map(conversationSequenceOf));
    const unseen = unacknowledged(device.userId).filter((key) => !seen.has(key));
    log.expect('a device that is online sees every message', unseen, []);
  }
  expectFrames(world, messages, played, log);
}

async function placesIn(world: World, table: 'acknowledgements' | 'inbox'): Promise<ReadonlySet<string>> {
  const items = (await world.scan(table)).map((item) => v.parse(Place, item));
  return new Set(items.map(({ userId, conversationSequence }) => `${userId} ${conversationSequence}`));
}

function lastListings({ listings }: Played) {
  return new Map(listings.map((listing) => [listing.userId, listing])).values();
}

function expectWritten(messages: readonly StoredMessage[], { accepted }: Played, log: Pick<Log, 'expect'>) {
  const conversations = new Map<string, number[]>();
  for (const { conversationId, sequence } of messages)
    getOrAdd(conversations, conversationId, () => []).push(sequence);
  for (const unsorted of conversations.values()) {
    const sequences = unsorted.toSorted((one, other) => one - other);
    const gapless = sequences.map((_, index) => index + 1);
    log.expect('a conversation has no gaps', sequences, gapless);
  }
  const ids = messages.map(({ messageId }) => messageId).toSorted();
  log.expect('no message is written twice', ids, [...new Set(ids)]);
  const wanted = new Set(accepted.map(({ messageId }) => messageId));
  log.expect('every message was posted', ids, [...wanted].toSorted());
  const byId = new Map(messages.map((message) => [message.messageId, message]));
  for (const { answeredAt: _, ...message } of accepted)
    log.expect('an accepted message stands as it was answered', byId.get(message.messageId), message);
}

function expectAcknowledged(
  world: World,
  { acknowledgements, listings }: Played,
  tombstones: ReadonlySet<string>,
  log: Pick<Log, 'expect'>,
): void {
  const took = new Set(
    acknowledgements
      .filter(({ outcomes }) => outcomes.some((outcome) => outcome === 'acknowledged' || outcome === 'begun'))
      .map(({ userId, key }) => `${userId} ${key}`),
  );
  const untold = [...tombstones].filter((each) => !took.has(each));
  log.expect('only what waits can be acknowledged', untold, []);
  for (const { userId, key, outcomes, answeredAt } of acknowledgements) {
    if (!outcomes.includes('acknowledged')) continue;
    log.expect('an acknowledgement holds', tombstones.has(`${userId} ${key}`), true);
    const devices = [...world.devices.values()].filter((device) => device.userId === userId);
    const shownTo = devices.flatMap(({ connectionId, frames }) =>
      frames
        .filter(({ by }) => by.startedAt > answeredAt)
        .filter(({ frame }) => frame.type === 'notification' && conversationSequenceOf(frame) === key)
        .map(({ by }) => `${connectionId} by ${by.name}`),
    );
    const listedBy = listings
      .filter((listing) => listing.userId === userId && listing.startedAt > answeredAt)
      .filter(({ keys }) => keys.includes(key));
    log.expect('what is acknowledged never comes back', { shownTo, listedBy }, { shownTo: [], listedBy: [] });
  }
}

function expectFrames(
  world: World,
  messages: readonly StoredMessage[],
  { accepted }: Played,
  log: Pick<Log, 'expect'>,
): void {
  const recipients = new Map(messages.map((message) => [conversationSequenceOf(message), message.to]));
  for (const { connectionId, userId, frames } of world.devices.values()) {
    const drained = new Map<string, string[]>();
    for (const { frame, by } of frames) {
      if (frame.type === 'notification') {
        const key = conversationSequenceOf(frame);
        log.expect('a message goes to its recipient alone', recipients.get(key), userId);
        if (by.name.startsWith('drain-one-')) getOrAdd(drained, by.name, () => []).push(key);
      } else if (frame.type === 'caught-up' && frame.more !== true) {
        const known = accepted.filter(
          ({ from, to, answeredAt }) => (from === userId || to === userId) && answeredAt < by.startedAt,
        );
        const unnamed = known.filter(
          ({ conversationId, sequence }) => (frame.conversations[conversationId] ?? 0) < sequence,
        );
        log.expect(
          'a caught-up frame names what there is',
          { connectionId, unnamed },
          { connectionId, unnamed: [] },
        );
      }
    }
    for (const keys of drained.values()) log.expect('a drain comes in order', keys, keys.toSorted());
  }
}
