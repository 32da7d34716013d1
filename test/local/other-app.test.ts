import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { SQS } from '@aws-sdk/client-sqs';
import { afterAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { startLocalHost } from '../../local/host.ts';
import type { HostEvent } from '../../local/services.ts';
import { eventually } from '../eventually.ts';
import { synthesizeParcelOffice } from './fixtures/other-app/app.ts';

const folder = mkdtempSync(join(tmpdir(), 'other-app-'));
const events: HostEvent[] = [];

const assembly = synthesizeParcelOffice({ outdir: folder });
const host = await startLocalHost({ assembly, port: 0, awsPort: 0, onEvent: (event) => events.push(event) });

afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true });
});

test('an app the host knows nothing of runs from its template: request, queue, worker, table', async () => {
  const { ParcelCounterUrl: url } = host.outputs['ParcelOffice'] ?? {};
  expect(url).toMatch(/^http:\/\/localhost:\d+\/parcel-counter$/);
  const parcels = Array.from({ length: 9 }, (_, index) => ({
    town: 'Bern',
    parcelId: `p${index}`,
    grams: 100 * (9 - index),
  }));
  const taken = await fetch(`${url}/parcels`, { method: 'POST', body: JSON.stringify(parcels) });
  expect([taken.status, await taken.json()]).toEqual([202, { taken: 9 }]);

  const shelf = async (): Promise<unknown> => (await fetch(`${url}/towns/Bern`)).json();
  await eventually(async () => {
    const parcelIds = await shelf();
    return Array.isArray(parcelIds) && parcelIds.length === 9;
  });
  expect(await shelf()).toEqual(['p8', 'p7', 'p6', 'p5', 'p4', 'p3', 'p2', 'p1', 'p0']);

  const batches = events.filter((event) => event.type === 'batch');
  expect(batches.map(({ size }) => size).toSorted((a, b) => a - b)).toEqual([2, 7]);
  // The full one goes at once, the other one when its window of 3 s is over.
  const waited = new Map(batches.map(({ size, waitedMilliseconds }) => [size, waitedMilliseconds]));
  expect(waited.get(7)).toBeLessThan(2900);
  expect(waited.get(2)).toBeGreaterThanOrEqual(3000);
  expect(waited.get(2)).toBeLessThan(9000);
});

test('a parcel that can not be sorted goes to the dead-letter queue after its receives, its batch mates to the shelf', async () => {
  const { ParcelCounterUrl: url, LostParcelsUrl: lost = '' } = host.outputs['ParcelOffice'] ?? {};
  const parcels = [{ parcelId: 'nowhere' }, { town: 'Chur', parcelId: 'somewhere', grams: 1 }];
  await fetch(`${url}/parcels`, { method: 'POST', body: JSON.stringify(parcels) });
  const client = new SQS({
    region: 'us-east-1',
    endpoint: host.awsEndpoint,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
  });
  const bodies: unknown[] = [];
  await eventually(async () => {
    const { Messages = [] } = await client.receiveMessage({ QueueUrl: lost, WaitTimeSeconds: 5 });
    bodies.push(...Messages.map(({ Body = '' }) => JSON.parse(Body)));
    return bodies.length > 0;
  }, 'what has no route is in the queue');
  expect(bodies).toEqual([{ parcelId: 'nowhere' }]);
  expect(await (await fetch(`${url}/towns/Chur`)).json()).toEqual(['somewhere']);
  client.destroy();
});

test('the host says which functions it runs, by stack, logical id and path', () => {
  expect(host.functions).toContainEqual({
    stackName: 'ParcelOffice',
    logicalId: expect.stringMatching(/^Sorter/),
    path: 'ParcelOffice/Sorter/Resource',
    functionName: expect.stringMatching(/^ParcelOffice-Sorter/),
    functionArn: expect.stringMatching(/^arn:aws:lambda:us-east-1:000000000000:function:ParcelOffice-Sorter/),
    environment: { SHELF: host.outputs['ParcelOffice']?.['ShelfName'] },
    credentials: expect.objectContaining({
      roleArn: expect.stringMatching(/^arn:aws:iam::000000000000:role\/ParcelOffice-Sorter/),
    }),
  });
});

test('a change in a table reaches a WebSocket through its stream, a pipe, a queue and @connections', async () => {
  const { BoardUrl: url = '', ShelfName: TableName } = host.outputs['ParcelOffice'] ?? {};
  expect(url).toMatch(/^ws:\/\/localhost:\d+\/departure-board$/);
  const board = new WebSocket(`${url}?ticket=hall-3`);
  const frames: unknown[] = [];
  board.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString('utf8'))));
  await once(board, 'open');
  board.send(JSON.stringify({ action: 'watch' }));
  await eventually(() => frames.length === 1);
  expect(frames.pop()).toEqual({ watching: 'hall-3', seat: '7' });

  const table = new DynamoDB({
    region: 'us-east-1',
    endpoint: host.awsEndpoint,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
  });
  for (const town of ['Secret', 'Thun']) {
    const key = { town: { S: town }, parcelId: { S: `from-${town}` } };
    await table.putItem({ TableName, Item: { ...key, grams: { N: '12' } } });
    await table.deleteItem({ TableName, Key: key });
  }
  await eventually(() => frames.length === 1);
  // The pipe drops what was put, and what left a secret town; a number of DynamoDB's is a text.
  expect(frames).toEqual([{ parcelId: 'from-Thun', grams: '12' }]);
  expect(events).toContainEqual(expect.objectContaining({ type: 'pipe', size: 1, failed: 0 }));

  board.close();
  await eventually(() =>
    events.some((event) => event.type === 'web-socket' && event.routeKey === '$disconnect'),
  );
  table.destroy();
});

test('a connection without a ticket, or with a wrong one, is refused', async () => {
  const { BoardUrl: url = '' } = host.outputs['ParcelOffice'] ?? {};
  const statusOf = async (query: string): Promise<unknown> => {
    const [request, response] = await once(new WebSocket(`${url}${query}`), 'unexpected-response');
    request.destroy();
    return response.statusCode;
  };
  expect([await statusOf(''), await statusOf('?ticket=street-1')]).toEqual([401, 403]);
});
