import * as fc from 'fast-check';
import type { Disorder } from '../queues.ts';
import { told, type Tempo } from '../tempo.ts';
import { expectDelivered } from './expect-delivered.ts';
import { play, scripts, scriptStartsAt, type Script } from './script.ts';
import { chatWorld } from './world.ts';

const disorders: fc.Arbitrary<Disorder> = fc.record({
  seed: fc.integer(),
  lossPercent: fc.constantFrom(0, 10),
  duplicatePercent: fc.constantFrom(0, 20, 50),
  delayPercent: fc.constantFrom(0, 30),
  faultPercent: fc.constantFrom(0, 10, 25),
  cutPercent: fc.constantFrom(0, 20),
  burstPercent: fc.constantFrom(0, 50, 80),
});

interface Scenario {
  readonly script: Script;
  readonly disorder: Disorder;
}

export const async: Tempo<Scenario> = {
  scenarios: fc.record({ script: scripts, disorder: disorders }),
  play: async ({ script, disorder }, log) => {
    const world = await chatWorld(scriptStartsAt, disorder, log);
    const played = await play(script, world);
    await expectDelivered(world, played, log);
    log.count('posts', played.accepted.length);
    log.count('acknowledgements', played.acknowledgements.length);
    log.count('connections', world.devices.size);
  },
  tell: ({ script, disorder }) => [told({ kind: 'disorder', ...disorder }), ...script.map(told)],
};
