import { connectDevice, type Device, type NotificationFrame } from '../../cli/shared/chat.ts';
import { pause } from './pace.ts';

/** Notifications that one frame acknowledges at most: see `ack` of the WebSocket API. */
const ACKNOWLEDGED_AT_ONCE = 100;
const ACKNOWLEDGE_MILLISECONDS = 150;
/** A hello that is not answered so long was lost, with the worker that had it in its hands. */
const HELLO_SECONDS = 15;
const RECONNECT_MILLISECONDS = 300;

export interface SoakDeviceOptions {
  readonly webSocketUrl: string;
  readonly token: () => Promise<string>;
  readonly onNotification: (frame: NotificationFrame) => void;
  readonly signal: AbortSignal;
}

/**
 * A device as a user has it: it connects again whenever its connection is lost, says hello until it is caught up, and
 * acknowledges what it gets. Resolves after the signal, when it is gone.
 */
export async function runDevice({
  webSocketUrl,
  token,
  onNotification,
  signal,
}: SoakDeviceOptions): Promise<void> {
  while (!signal.aborted) {
    let isCaughtUp = false;
    let unacknowledged: string[] = [];
    let device: Device;
    try {
      device = await connectDevice({
        webSocketUrl,
        token: await token(),
        onFrame: (frame) => {
          if (frame.type === 'caught-up') isCaughtUp = true;
          if (frame.type !== 'notification') return;
          onNotification(frame);
          unacknowledged.push(frame.notificationId);
        },
      });
    } catch {
      // The worker that was to let it in was killed, or could not answer: it is back in a moment.
      await pause(RECONNECT_MILLISECONDS, signal);
      continue;
    }
    const acknowledging = setInterval(() => {
      if (unacknowledged.length === 0) return;
      device.send({ action: 'ack', notificationIds: unacknowledged.slice(0, ACKNOWLEDGED_AT_ONCE) });
      unacknowledged = unacknowledged.slice(ACKNOWLEDGED_AT_ONCE);
    }, ACKNOWLEDGE_MILLISECONDS);
    device.send({ action: 'hello' });
    const greeting = setInterval(() => {
      if (!isCaughtUp) device.send({ action: 'hello' });
    }, HELLO_SECONDS * 1000);
    const leave = (): void => device.terminate();
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    await device.closed;
    signal.removeEventListener('abort', leave);
    clearInterval(acknowledging);
    clearInterval(greeting);
    await pause(RECONNECT_MILLISECONDS, signal);
  }
}

/** What a new device is pushed between its hello and its caught-up frame. It acknowledges nothing. */
export async function sayHello(
  { webSocketUrl, token }: Pick<SoakDeviceOptions, 'webSocketUrl' | 'token'>,
  timeoutSeconds: number,
): Promise<string[]> {
  const pushed: string[] = [];
  const caughtUp = new AbortController();
  const device = await connectDevice({
    webSocketUrl,
    token: await token(),
    onFrame: (frame) => {
      if (frame.type === 'notification') pushed.push(frame.notificationId);
      if (frame.type === 'caught-up') caughtUp.abort();
    },
  });
  device.send({ action: 'hello' });
  await pause(timeoutSeconds * 1000, caughtUp.signal);
  device.terminate();
  if (!caughtUp.signal.aborted) throw new Error(`no caught-up frame within ${timeoutSeconds} s`);
  return pushed;
}
