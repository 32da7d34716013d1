import { timeLimit } from '../../shared/clock.ts';
import { deviceHandler } from './device.ts';
import { read } from './read.ts';
import { buildReadServices } from './services.ts';

/** Half of the function's timeout. */
const RECEIPTS_MILLISECONDS = 5000;

let services: ReturnType<typeof buildReadServices> | undefined;

export const handler = deviceHandler((request) => {
  services ??= buildReadServices();
  return read(request, { ...services, isTimeUp: timeLimit(RECEIPTS_MILLISECONDS) });
});
