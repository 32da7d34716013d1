import * as v from 'valibot';
import { deviceActions } from '../contract.ts';
import { deviceHandler, parseFrame, type DeviceRequest } from '../device.ts';
import { frameProblem } from '../frames.ts';

export function refuseFrame(request: DeviceRequest): Promise<never> {
  parseFrame(v.unknown(), request);
  throw frameProblem('unknown-action', { detail: `The actions are ${deviceActions.join(', ')}.` });
}

export const handler = deviceHandler(async (request) => refuseFrame(request));
