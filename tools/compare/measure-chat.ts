import type { HostEvent } from '../../local/index.ts';
import { playMessages } from '../cost/messages.ts';
import type { OwnHost } from '../harness/own-host.ts';
import { unitsOfEach, type MeasuredSize } from './handler-model.ts';

const MESSAGES = 60;
const WORKER = 'NotificationWorker';

/** Plays chat messages to a device each, one by one, and takes what their delivery took. */
export async function measureChat(
  host: OwnHost,
  events: readonly HostEvent[],
): Promise<readonly MeasuredSize[]> {
  const used = await playMessages(host, { messages: MESSAGES, devices: 1, textBytes: 200, oneByOne: true });
  const milliseconds = events
    .flatMap((event) =>
      event.type === 'invocation' && event.functionName.includes(WORKER) ? [event.milliseconds] : [],
    )
    .slice(-MESSAGES);
  const isPush = ({ by, unit, part }: (typeof used)[number]): boolean =>
    by.includes(WORKER) || (unit === 'websocket-messages' && part === 'out');
  return [{ size: 1, milliseconds, ...unitsOfEach(MESSAGES, used.filter(isPush)) }];
}
