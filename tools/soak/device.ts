import { connectDevice, type Device, type NotificationFrame } from '../../cli/shared/chat.ts';
import { pause } from './pace.ts';

const ACKNOWLEDGED_AT_ONCE = 100;
const ACKNOWLEDGE_MILLISECONDS = 150;
/** A hello that is not answered in this time was lost with its worker. */
const HELLO_SECONDS = 15;
const RECONNECT_MILLISECONDS = 300;

/** Like a real device: reconnects, says hello until it is caught up, and acknowledges. Ends with the signal. */
export async function runDevice(options: {
  readonly webSocketUrl: string;
  readonly token: () => Promise<string>;
  readonly onNotification: (frame: NotificationFrame) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { webSocketUrl, token, onNotification, signal } = options;
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
      // The worker that authorizes connections was killed, or its calls failed.
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
