import * as fc from 'fast-check';
import { createLog, type Log } from '../log.ts';
import type { Disorder } from '../queues.ts';
import { told, type Tempo } from '../tempo.ts';
import { outcomeOf } from './books.ts';
import type { Fate } from './oracle.ts';
import { anyScripts, DATES, play, scriptStartsAt, type Played, type Script } from './script.ts';
import { settlementWorld, type World } from './world.ts';

export const disorders: fc.Arbitrary<Disorder> = fc.record({
  seed: fc.integer(),
  lossPercent: fc.constantFrom(0, 10),
  duplicatePercent: fc.constantFrom(20, 50),
  delayPercent: fc.constantFrom(0, 30),
  faultPercent: fc.constantFrom(10, 25),
});

/** Plays a script with disorder and without, and expects the same of both. @throws BrokenGuarantee */
export async function playBoth(
  script: Script,
  disorder: Disorder,
  log: Log = createLog(),
): Promise<{ readonly world: World; readonly played: Played; readonly fates: Fate[] }> {
  const plainWorld = await settlementWorld(scriptStartsAt);
  const plainlyPlayed = await play(script, plainWorld);
  const world = await settlementWorld(scriptStartsAt, disorder, { log });
  const played = await play(script, world);
  log.expect('clients get the same answers as when all goes well', played, plainlyPlayed);
  const { outcome, fates } = await outcomeOf(world, log);
  const { outcome: plain } = await outcomeOf(plainWorld, log);
  log.expect('the books are the same as when all goes well', outcome, plain);
  return { world, played, fates };
}

/** Of which date a last-minute sale is, and so what the books say, is a race: one world alone is played. */
async function playRush(
  script: Script,
  disorder: Disorder,
  log: Log,
): Promise<{ world: World; played: Played }> {
  const world = await settlementWorld(scriptStartsAt, disorder, { log });
  const played = await play(script, world);
  await outcomeOf(world, log);
  return { world, played };
}

async function expectSealed(world: World, log: Log): Promise<void> {
  for (const { breaks } of await world.days()) {
    const stragglers = breaks.filter(({ kind }) => kind === 'straggler');
    log.expect('nothing is staged into a sealed day', stragglers, []);
  }
}

interface Scenario {
  readonly script: Script;
  readonly disorder: Disorder;
}

export const batch: Tempo<Scenario> = {
  scenarios: fc.record({
    script: fc
      .tuple(fc.noBias(anyScripts), fc.constantFrom(undefined, undefined, undefined, 1, 6))
      .map(([script, sales]) => (sales === undefined ? script : { ...script, lastMinuteSales: sales })),
    disorder: fc
      .tuple(disorders, fc.constantFrom(0, 20), fc.constantFrom(0, 50, 80))
      .map(([disorder, cutPercent, burstPercent]) => ({ ...disorder, cutPercent, burstPercent })),
  }),
  play: async ({ script, disorder }, log) => {
    const isRush = script.lastMinuteSales !== undefined;
    const { world, played } = await (isRush ? playRush : playBoth)(script, disorder, log);
    await expectSealed(world, log);
    log.count('days', script.dates.length);
    log.count('sales', played.posted.length + script.dates.length * (script.lastMinuteSales ?? 0));
  },
  tell: ({ script: { dates, ...script }, disorder }) => [
    told({ kind: 'disorder', ...disorder }),
    told({ kind: 'script', ...script, dates: dates.length }),
    ...dates.flatMap((steps, index) => steps.map((step) => `${DATES[index]} ${told(step)}`)),
  ],
};
