import * as v from 'valibot';
import { deviceActions } from '../contract.ts';
import { frameProblem } from '../frames.ts';
import { deviceHandler, parseFrame, type DeviceRequest } from './device.ts';

/** `$default`: every frame that is no JSON, or asks for no action that there is. */
export function refuseFrame(request: DeviceRequest): Promise<never> {
  parseFrame(v.unknown(), request);
  throw frameProblem('unknown-action', {
    detail: `The actions are ${deviceActions.join(', ')}.`,
  });
}

export const handler = deviceHandler(async (request) => refuseFrame(request));
