import type { Random } from '../harness/random.ts';
import { Agenda } from './agenda.ts';

/** The two parameters of a tempo. */
export interface Setting {
  readonly batchSize: number;
  readonly windowSeconds: number;
}

/** How an event source mapping polls. */
export interface PollerRules {
  readonly initial: number;
  readonly most: number;
  readonly addedPerSecond: number;
  /** Whether a long poll ends when the window does, or lasts its 20 s and the window is looked at afterwards. */
  readonly windowEndsPoll: boolean;
  /** Which of several waiting polls gets a message. */
  readonly serves: 'any' | 'longest-waiting';
  /** From the end of a function to the poller's next receive. */
  readonly secondsBetweenBatches: number;
}

/**
 * Lambda's pollers for a standard queue: five at first, each batching alone; up to 300 more a minute while messages wait;
 * at most 1,250, or the mapping's maximum concurrency. [lambda/latest/dg/services-sqs-scaling]
 *
 * With very low traffic a batch may wait for up to 20 s, even if its window is shorter. [lambda/latest/dg/with-sqs] A long
 * poll that lasts its 20 s, while the window is looked at afterwards, explains that.
 *
 * Assumed, because no source says it: any waiting poll is as likely to get a message as another; Lambda adds pollers
 * once a second; a surplus poller goes after an empty poll; a receive takes all that is there, up to ten; deleting takes
 * no time.
 */
export function awsRules(maximumConcurrency = 1250): PollerRules {
  return {
    initial: Math.min(5, maximumConcurrency),
    most: maximumConcurrency,
    addedPerSecond: 300 / 60,
    windowEndsPoll: false,
    serves: 'any',
    secondsBetweenBatches: 0,
  };
}

/** Seconds. */
export interface Arrival {
  readonly sentAt: number;
  /** When a poll can find it. */
  readonly visibleAt: number;
}

export interface Load {
  /** By `visibleAt`. */
  readonly arrivals: readonly Arrival[];
  readonly secondsOf: (batchSize: number) => number;
  readonly random: Random;
  /** Polls are counted from here until the last message has arrived. @default 0 */
  readonly countFrom?: number;
}

export interface Batch {
  /** Indices of arrivals. */
  readonly messages: readonly number[];
  /** When the function was invoked. */
  readonly at: number;
  readonly seconds: number;
}

export interface Played {
  readonly batches: readonly Batch[];
  /** Of each message, in the order of arrivals. */
  readonly doneAt: readonly number[];
  readonly receives: number;
  /** Receives that found nothing. */
  readonly emptyReceives: number;
  readonly mostPollers: number;
}

/** Plays a load against the pollers of an event source mapping: a deterministic simulation of discrete events. */
export function playPollers(setting: Setting, rules: PollerRules, load: Load): Played {
  return new Pollers(setting, rules, load).play();
}

const RECEIVE_MAXIMUM = 10;
const LONG_POLL_SECONDS = 20;

interface Poller {
  gathered: number[];
  /** When the first message of the batch was received. */
  startedAt: number;
  polls: number;
}

class Pollers {
  readonly #setting: Setting;
  readonly #rules: PollerRules;
  readonly #load: Load;
  readonly #agenda = new Agenda();
  readonly #waiting: Poller[] = [];
  readonly #batches: Batch[] = [];
  readonly #doneAt: number[];
  #now = 0;
  /** Messages in the queue are those that have arrived and were not taken: they are taken in their order. */
  #arrived = 0;
  #taken = 0;
  #done = 0;
  #pollers = 0;
  #mostPollers = 0;
  #receives = 0;
  #emptyReceives = 0;

  constructor(setting: Setting, rules: PollerRules, load: Load) {
    this.#setting = setting;
    this.#rules = rules;
    this.#load = load;
    this.#doneAt = load.arrivals.map(() => Number.NaN);
  }

  play(): Played {
    const { arrivals } = this.#load;
    this.#addPollers(this.#rules.initial);
    if (this.#rules.addedPerSecond > 0) this.#agenda.add(1, () => this.#grow());
    while (this.#done < arrivals.length) {
      const arrivesAt = arrivals[this.#arrived]?.visibleAt ?? Infinity;
      this.#now = Math.min(arrivesAt, this.#agenda.nextAt);
      if (arrivesAt === this.#now) this.#arrive();
      else this.#agenda.take()?.();
    }
    return {
      batches: this.#batches,
      doneAt: this.#doneAt,
      receives: this.#receives,
      emptyReceives: this.#emptyReceives,
      mostPollers: this.#mostPollers,
    };
  }

  /** What arrives at the same moment can be received together. */
  #arrive(): void {
    while (this.#load.arrivals[this.#arrived]?.visibleAt === this.#now) this.#arrived += 1;
    while (this.#taken < this.#arrived && this.#waiting.length > 0) {
      const index = this.#rules.serves === 'any' ? this.#load.random.whole(0, this.#waiting.length - 1) : 0;
      for (const poller of this.#waiting.splice(index, 1)) this.#receive(poller);
    }
  }

  #addPollers(count: number): void {
    for (let added = 0; added < count && this.#pollers < this.#rules.most; added += 1) {
      this.#pollers += 1;
      this.#goOn({ gathered: [], startedAt: 0, polls: 0 });
    }
    this.#mostPollers = Math.max(this.#mostPollers, this.#pollers);
  }

  #grow(): void {
    if (this.#taken < this.#arrived) this.#addPollers(this.#rules.addedPerSecond);
    this.#agenda.add(this.#now + 1, () => this.#grow());
  }

  /** Delivers the poller's batch if it must go, and polls otherwise. */
  #goOn(poller: Poller): void {
    const { batchSize, windowSeconds } = this.#setting;
    if (poller.gathered.length === 0) return this.#poll(poller, LONG_POLL_SECONDS);
    const remaining = poller.startedAt + windowSeconds - this.#now;
    if (poller.gathered.length === batchSize || remaining <= 0) return this.#deliver(poller);
    if (!this.#rules.windowEndsPoll) return this.#poll(poller, LONG_POLL_SECONDS);
    // Long polls last whole seconds: a last look ends the window.
    const wholeSeconds = Math.min(Math.floor(remaining), LONG_POLL_SECONDS);
    if (wholeSeconds > 0) return this.#poll(poller, wholeSeconds);
    this.#agenda.add(poller.startedAt + windowSeconds, () => this.#poll(poller, 0));
  }

  #poll(poller: Poller, seconds: number): void {
    if (this.#taken < this.#arrived) return this.#receive(poller);
    poller.polls += 1;
    const { polls } = poller;
    this.#waiting.push(poller);
    this.#agenda.add(this.#now + seconds, () => {
      const index = poller.polls === polls ? this.#waiting.indexOf(poller) : -1;
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      if (this.#isCounted()) this.#emptyReceives += 1;
      if (poller.gathered.length === 0 && this.#pollers > this.#rules.initial) this.#pollers -= 1;
      else this.#goOn(poller);
    });
  }

  #receive(poller: Poller): void {
    if (this.#isCounted()) this.#receives += 1;
    if (poller.gathered.length === 0) poller.startedAt = this.#now;
    const room = Math.min(RECEIVE_MAXIMUM, this.#setting.batchSize - poller.gathered.length);
    const end = Math.min(this.#arrived, this.#taken + room);
    while (this.#taken < end) poller.gathered.push(this.#taken++);
    this.#goOn(poller);
  }

  #deliver(poller: Poller): void {
    const messages = poller.gathered;
    const seconds = this.#load.secondsOf(messages.length);
    this.#batches.push({ messages, at: this.#now, seconds });
    poller.gathered = [];
    this.#agenda.add(this.#now + seconds, () => {
      for (const message of messages) this.#doneAt[message] = this.#now;
      this.#done += messages.length;
      this.#agenda.add(this.#now + this.#rules.secondsBetweenBatches, () => this.#goOn(poller));
    });
  }

  #isCounted(): boolean {
    return this.#now >= (this.#load.countFrom ?? 0) && this.#arrived < this.#load.arrivals.length;
  }
}
