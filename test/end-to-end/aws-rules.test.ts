import { afterEach, expect, test } from '@jest/globals';
import { createPeople, type People } from './chat-people.ts';
import { withoutResource, type TemplateEdit } from './edited-assembly.ts';
import { startSystem, type System } from './system.ts';

/**
 * Goal: what AWS refuses or stops in a template that looks right is refused or stopped here, too.
 * Method: the templates without the part that AWS asks for, and as they are.
 */

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function started(...edits: readonly TemplateEdit[]): Promise<{ system: System; people: People }> {
  const system = await startSystem({ edits });
  const people = createPeople(system);
  stops.push(system.stop, people.stop);
  return { system, people };
}

test('a mock integration on $connect without an integration response answers every handshake with 500', async () => {
  const { system, people } = await started(withoutResource(/^WebSocketApiConnectedResponse/));
  await expect(people.person('ada').device({ hello: false })).rejects.toThrow('it answered 500');
  expect(system.events).toContainEqual(
    expect.objectContaining({ type: 'web-socket', routeKey: '$connect', status: 500 }),
  );
  expect(system.host.connectionIds()).toEqual([]);
});

test('with the integration response it has, a handshake answers 101', async () => {
  const { system, people } = await started();
  await people.person('ada').device({ hello: false });
  expect(system.events).toContainEqual(
    expect.objectContaining({ type: 'web-socket', routeKey: '$connect', status: 101 }),
  );
});

test('a WebSocket API with an access log is refused where the account has no role to write it', async () => {
  await expect(started(withoutResource(/^WebSocketApiApiGatewayAccount/))).rejects.toThrow(
    'CloudWatch Logs role ARN must be set in account settings to enable logging',
  );
});
