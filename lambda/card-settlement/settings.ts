import * as v from 'valibot';
import { environmentNumber, environmentVariable } from '../shared/environment.ts';
import { environmentNames } from './contract.ts';
import type { BusinessCalendar } from './domain/business-date.ts';
import { FraudSettings } from './domain/fraud/settings.ts';
import type { RunSettings } from './domain/run-plan.ts';

export function businessCalendar(): BusinessCalendar {
  return {
    timeZone: environmentVariable(environmentNames.businessTimeZone),
    cutOff: environmentVariable(environmentNames.businessCutOff),
  };
}

export function runSettings(): RunSettings {
  return {
    calendar: businessCalendar(),
    sealWaitSeconds: environmentNumber(environmentNames.sealWaitSeconds),
    settlementWindowSeconds: environmentNumber(environmentNames.settlementWindowSeconds),
    settlementHorizonSeconds: environmentNumber(environmentNames.settlementHorizonSeconds),
  };
}

/** @throws Error that names the variable */
export function fraudSettings(): FraudSettings {
  const text = environmentVariable(environmentNames.fraudSettings);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), FraudSettings), text);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new Error(
    `The environment variable ${environmentNames.fraudSettings} holds no fraud settings${path === null ? '' : `, at ${path}`}: ${issue.message}`,
  );
}
