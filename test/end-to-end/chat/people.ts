import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  connectDevice,
  type Device,
  type NotificationFrame,
  type ServerFrame,
} from '../../../cli/shared/chat.ts';
import { createHttpClient, type HttpClient, type HttpResponse } from '../../../cli/shared/http.ts';
import { userTokensOf } from '../../../cli/shared/tokens.ts';
import { conversationIdOf } from '../../../lambda/chat/domain/identifiers.ts';
import { eventually } from '../../eventually.ts';
import { startSystem, type System, type SystemOptions } from '../system.ts';

/** A chat user of the running app. Every test has users of its own, whose names nobody else has. */
export interface Person {
  readonly name: string;
  readonly token: () => Promise<string>;
  readonly call: (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    options?: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> },
  ) => Promise<HttpResponse>;
  /** Posts a message, as often as it takes to be accepted, and gives its sequence. */
  readonly post: (to: Person, text: string, clientMessageId?: string) => Promise<number>;
  /** The texts of the whole conversation with another, page by page. */
  readonly history: (other: Person) => Promise<{ readonly sequence: number; readonly text: string }[]>;
  readonly waiting: () => Promise<string[]>;
  /** A device, connected and, unless told otherwise, caught up. */
  readonly device: (options?: DeviceOptions) => Promise<TestDevice>;
}

interface DeviceOptions {
  /** Acknowledges every notification as it arrives. @default false */
  readonly acknowledges?: boolean;
  /** Says hello, and waits until it is caught up. @default true */
  readonly hello?: boolean;
  readonly onFrame?: (frame: ServerFrame) => void;
}

export interface TestDevice extends Device {
  readonly frames: readonly ServerFrame[];
  readonly notifications: () => NotificationFrame[];
  readonly texts: () => string[];
  readonly until: (
    wanted: (device: TestDevice) => boolean,
    what: string,
    timeoutSeconds?: number,
  ) => Promise<void>;
  /** Waits until it has seen this many messages; any of them may have come twice. */
  readonly messages: (count: number, timeoutSeconds?: number) => Promise<void>;
  /** Says hello, and waits for the caught-up frame that answers it. */
  readonly hello: () => Promise<void>;
}

export interface People {
  readonly person: (name: string) => Person;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the app, and sends a first message through all of it: what the SDK and the host load late is loaded then, and
 * not in the middle of a test, where Jest refuses it while concurrent tests are under way.
 */
export async function startChat(
  options: SystemOptions = {},
): Promise<{ readonly system: System; readonly people: People }> {
  const system = await startSystem(options);
  const people = createPeople(system);
  const [first, second] = [people.person('first'), people.person('second')];
  const device = await second.device({ acknowledges: true });
  await first.post(second, 'warm');
  await device.until(({ texts }) => texts().includes('warm'), 'the first message');
  device.close();
  return { system, people };
}

export function createPeople(system: System): People {
  const http = createHttpClient({ connections: 64 });
  const devices: Device[] = [];
  return {
    person: (name) => createPerson(`${name}-${randomUUID().slice(0, 8)}`, system, http, devices),
    stop: async () => {
      for (const device of devices) device.terminate();
      await Promise.all(devices.map(({ closed }) => closed));
      http.close();
    },
  };
}

function createPerson(name: string, system: System, http: HttpClient, devices: Device[]): Person {
  const tokens = userTokensOf(name, system.outputs);
  const call: Person['call'] = async (method, path, { body, headers } = {}) =>
    http.send({
      method,
      url: `${system.outputs.DuotempoChat.ApiUrl}${path}`,
      headers: { authorization: `Bearer ${await tokens.get()}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });

  const pages = async (path: string): Promise<Record<string, unknown>[]> => {
    const items: Record<string, unknown>[] = [];
    let cursor: string | undefined;
    do {
      const { status, body } = await call(
        'GET',
        `${path}?limit=100${cursor === undefined ? '' : `&cursor=${cursor}`}`,
      );
      if (status !== 200) throw new Error(`${path} was answered ${status}: ${JSON.stringify(body)}`);
      const page = body as { items: Record<string, unknown>[]; cursor?: string };
      items.push(...page.items);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return items;
  };

  return {
    name,
    token: () => tokens.get(),
    call,
    post: async (to, text, clientMessageId = randomUUID()) => {
      for (;;) {
        const { status, body, headers } = await call('POST', '/messages', {
          body: { to: to.name, text, clientMessageId },
        });
        if (status === 201 || status === 200) return (body as { sequence: number }).sequence;
        if (status < 429) throw new Error(`A message was answered ${status}: ${JSON.stringify(body)}`);
        await pause(1000 * Number(headers['retry-after'] ?? 0.2));
      }
    },
    history: async (other) =>
      (await pages(`/conversations/${conversationIdOf(name, other.name)}/messages`)) as {
        sequence: number;
        text: string;
      }[],
    waiting: async () => (await pages('/notifications')).map(({ text }) => String(text)),
    device: async ({ acknowledges = false, hello = true, onFrame } = {}) => {
      const frames: ServerFrame[] = [];
      const connected: Device = await connectDevice({
        webSocketUrl: system.outputs.DuotempoChat.WebSocketUrl,
        token: await tokens.get(),
        onFrame: (frame) => {
          frames.push(frame);
          if (acknowledges && frame.type === 'notification') {
            connected.send({ action: 'ack', notificationIds: [frame.notificationId] });
          }
          onFrame?.(frame);
        },
      });
      devices.push(connected);
      const until: TestDevice['until'] = async (wanted, what, timeoutSeconds) =>
        eventually(
          () => wanted(device),
          () => `${name}'s device has seen ${what}, but ${frames.length} frames`,
          timeoutSeconds,
        );
      const device: TestDevice = {
        ...connected,
        frames,
        notifications: () => frames.filter((frame) => frame.type === 'notification'),
        texts: () => device.notifications().map(({ text }) => text),
        until,
        messages: async (count, timeoutSeconds) =>
          until(
            () => new Set(device.notifications().map(({ notificationId }) => notificationId)).size === count,
            `${count} messages`,
            timeoutSeconds,
          ),
        hello: async () => {
          const caughtUp = (): number => frames.filter(({ type }) => type === 'caught-up').length;
          const before = caughtUp();
          connected.send({ action: 'hello' });
          await until(() => caughtUp() > before, 'caught-up');
        },
      };
      if (hello) await device.hello();
      return device;
    },
  };
}
