import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startLocalHost } from '../../local/host.ts';
import type { HostEvent } from '../../local/events.ts';
import type { LocalHost } from '../../local/host.ts';
import { synthesizeParcelOffice } from './fixtures/other-app/app.ts';

const folder = mkdtempSync(join(tmpdir(), 'other-app-'));
const events: HostEvent[] = [];
let host: LocalHost;

beforeAll(async () => {
  const assembly = synthesizeParcelOffice({ outdir: folder });
  host = await startLocalHost({ assembly, port: 0, awsPort: 0, onEvent: (event) => events.push(event) });
});

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
  await until(async () => {
    const parcelIds = await shelf();
    return Array.isArray(parcelIds) && parcelIds.length === 9;
  });
  // The index is sorted by weight.
  expect(await shelf()).toEqual(['p8', 'p7', 'p6', 'p5', 'p4', 'p3', 'p2', 'p1', 'p0']);

  const batches = events.filter((event) => event.type === 'batch');
  expect(batches.map(({ size }) => size).toSorted((a, b) => a - b)).toEqual([2, 7]);
  // The full one goes at once, the other one when its window of 3 s is over.
  const waited = new Map(batches.map(({ size, waitedMilliseconds }) => [size, waitedMilliseconds]));
  expect(waited.get(7)).toBeLessThan(1000);
  expect(waited.get(2)).toBeGreaterThanOrEqual(3000);
  expect(waited.get(2)).toBeLessThan(4000);
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('It did not come about within 15 s.');
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}
