import { environmentNumber, environmentVariable } from '../shared/environment.ts';
import { environmentNames } from './contract.ts';
import type { BusinessCalendar } from './domain/business-date.ts';
import type { RunSettings } from './domain/business-day.ts';

/** The business calendar of the deployment. */
export function businessCalendar(): BusinessCalendar {
  return {
    timeZone: environmentVariable(environmentNames.businessTimeZone),
    cutOff: environmentVariable(environmentNames.businessCutOff),
  };
}

/** The numbers of a reconcile run. */
export function runSettings(): RunSettings {
  return {
    calendar: businessCalendar(),
    sealWaitSeconds: environmentNumber(environmentNames.sealWaitSeconds),
    settlementWindowSeconds: environmentNumber(environmentNames.settlementWindowSeconds),
    settlementHorizonSeconds: environmentNumber(environmentNames.settlementHorizonSeconds),
  };
}
