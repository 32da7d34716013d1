import * as v from 'valibot';
import { Problem } from '../../shared/problem.ts';
import { deviceActions } from '../contract.ts';
import { deviceHandler, parseFrame, type DeviceRequest } from './device.ts';

/** `$default`: every frame that is no JSON, or asks for no action that there is. */
export function refuseFrame(request: DeviceRequest): Promise<never> {
  parseFrame(v.unknown(), request);
  throw new Problem(400, 'unknown-action', 'The frame names no action that there is', {
    detail: `The actions are ${deviceActions.join(', ')}.`,
  });
}

export const handler = deviceHandler(async (request) => refuseFrame(request));
