import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Cell } from '../../../tools/compare/cell.ts';
import type { Comparison } from '../../../tools/compare/comparison.ts';
import { isRefused, RATES, settings } from '../../../tools/compare/grid.ts';
import type { Setting } from '../../../tools/compare/pollers.ts';
import { pageOf } from '../../../tools/compare/page.ts';
import { writePictures } from '../../../tools/compare/pictures.ts';
import { checkText, comparisonText } from '../../../tools/compare/report.ts';
import { ruleOf } from '../../../tools/compare/rule.ts';
import { colorsFor } from '../../../cli/shared/screen.ts';

/** Every setting at every rate, with numbers as long as real ones. */
function comparisonOfAll(): Comparison {
  const cellOf = (setting: Setting, perSecond: number): Cell => ({
    ...setting,
    perSecond,
    messagesPerBatch: 1 + Math.PI / setting.batchSize,
    waitSeconds: { p50: setting.windowSeconds + Math.E, p99: setting.windowSeconds + 10 * Math.E },
    invocations: 1 / Math.PI,
    sqsRequests: Math.SQRT2,
    readUnits: Math.LN10,
    writeUnits: 1,
    dollarsPerMillion: 1 + Math.E / setting.batchSize,
    mostPollers: 5,
    fallsBehind: false,
  });
  const one = { batchSize: 1, windowSeconds: 0 };
  const settlement = RATES.flatMap((rate) =>
    settings.filter((setting) => !isRefused(setting)).map((setting) => cellOf(setting, rate)),
  );
  return {
    seed: 1,
    withHops: true,
    exactWindow: false,
    prices: { region: 'us-east-1', asOf: '2026-01-01' },
    handlers: {
      settlement: { millisecondsPerBatch: 10, millisecondsPerItem: 12 },
      chat: { millisecondsPerBatch: 30, millisecondsPerItem: 0 },
    },
    largestMeasured: 100,
    settlement,
    refused: settings.filter(isRefused),
    chat: RATES.map((rate) => cellOf(one, rate)),
    chosen: { settlement: { batchSize: 10, windowSeconds: 10 }, chat: one },
    rule: ruleOf(settlement),
  };
}

describe('the page', () => {
  it('asks for nothing, and weighs at most 300 KB', async () => {
    const page = await pageOf(comparisonOfAll());
    expect(Buffer.byteLength(page)).toBeLessThanOrEqual(300 * 1024);
    expect(Buffer.byteLength(page)).toBeGreaterThan(60 * 1024);
    expect(page).toContain(`content="default-src 'none';`);
    const addresses = [
      ...page.matchAll(/<\w[^>]*?\s(?:src|href|action|poster|data)\s*=\s*["']?([^"'\s>]*)/g),
    ];
    expect(addresses.map(([, address]) => address)).toEqual(['data:,']);
    expect(page).not.toMatch(
      /fetch\(|XMLHttpRequest|WebSocket\(|EventSource|sendBeacon|import\(|@import|url\(/,
    );
  });

  it('holds the numbers, and text that ends no script', async () => {
    const comparison = comparisonOfAll();
    const sentence = '</script><script>alert(1)</script> $& $1';
    const page = await pageOf({ ...comparison, rule: { ...comparison.rule, sentence } });
    const [, numbers = ''] = /id="comparison">([^<]*)<\/script>/.exec(page) ?? [];
    expect(JSON.parse(numbers)).toMatchObject({
      rule: { sentence },
      settlement: { length: 140 },
      chat: { length: 5 },
      rates: RATES,
    });
    expect(page).toContain('var uPlot=');
  });
});

describe('the pictures', () => {
  it('are well-formed, and show the settings of the app and every window', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'duotempo-pictures-'));
    await writePictures(comparisonOfAll(), path.join(folder, 'new'));
    const [frontier = '', window = ''] = await Promise.all(
      ['frontier.svg', 'window.svg'].map(async (name) => readFile(path.join(folder, 'new', name), 'utf8')),
    );
    await rm(folder, { recursive: true });
    for (const picture of [frontier, window]) {
      expect(picture).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 720 400"/);
      expect(picture).not.toMatch(/NaN|undefined|Infinity/);
      expect(picture.match(/<text/g)?.length).toBe(picture.match(/<\/text>/g)?.length);
      expect(Buffer.byteLength(picture)).toBeLessThan(20 * 1024);
    }
    expect(frontier).toContain('settlement, 10 × 10 s');
    expect(frontier).toContain('chat, 1 × 0 s');
    // Four windows at five rates.
    expect(window.match(/<circle/g)).toHaveLength(20);
  });
});

describe('the table', () => {
  const colors = colorsFor({ isTTY: false });

  it('shows the frontier of a rate, with the settings of the app', () => {
    const text = comparisonText(comparisonOfAll(), { perSecond: 10, everySetting: false }, colors);
    expect(text).toMatch(/^10 × 0 s\* +1\.3 +2\.7 s +27 s .* 1\.27$/m);
    expect(text).toMatch(/^10 × 10 s settlement /m);
    expect(text).toMatch(/^1 × 0 s chat /m);
    expect(text).not.toContain('refuses');
  });

  it('of a check says how far the model is from the host', () => {
    const cell = { batchSize: 10, windowSeconds: 5, perSecond: 1, messages: 60, failed: 0 };
    const near = { host: 100, model: 109 };
    const text = checkText(
      [
        { ...cell, invocations: near, p50Seconds: { host: 2, model: 1.9 }, isWithin: true },
        { ...cell, invocations: near, p50Seconds: { host: 2, model: 3 }, isWithin: false },
      ],
      colors,
    );
    expect(text).toMatch(/^10 × 5 s at 1\/s +60 +0 +100 +109\.0 +\+9\.0 % +2\.0 s +1\.9 s +−5\.0 %$/m);
    expect(text).toMatch(/\+50\.0 % +over 10 %$/m);
    expect(text).toContain('1 of 2 cells within 10 %');
  });

  it('shows every setting, and marks what AWS refuses and what was not measured', () => {
    const text = comparisonText(comparisonOfAll(), { perSecond: 10, everySetting: true }, colors);
    expect(text.match(/^\d+ × \d+ s/gm)).toHaveLength(31);
    expect(text).toContain('100 × 0 s: Lambda refuses it');
    expect(text).toMatch(/^1000 × 60 s † /m);
    expect(text).not.toMatch(/^100 × 60 s †/m);
  });
});
