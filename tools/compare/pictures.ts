import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomically } from '../../cli/shared/files.ts';
import type { Cell } from './cell.ts';
import type { Comparison } from './comparison.ts';
import { frontierOf } from './frontier.ts';
import { isSame, nameOf, secondsText } from './report.ts';
import { POLLERS } from './rule.ts';
import { svgPlot, type Axis, type Point } from './svg-plot.ts';

const RATE = 10;
/** In dollars, so that the label is under the frontier. */
const LABEL_BELOW = 0.5;

/** Writes `frontier.svg` and `window.svg`. */
export async function writePictures(comparison: Comparison, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeAtomically(path.join(folder, 'frontier.svg'), frontierPicture(comparison));
  await writeAtomically(path.join(folder, 'window.svg'), windowPicture(comparison));
}

function frontierPicture({ settlement, chat, chosen }: Comparison): string {
  const at = (cells: readonly Cell[]): readonly Cell[] =>
    cells.filter((cell) => cell.perSecond === RATE && !cell.fallsBehind);
  const cells = at(settlement);
  const frontier = frontierOf(cells);
  const ours = cells.filter((cell) => isSame(cell, chosen.settlement));
  const atChat = at(chat);
  const highest = Math.max(...[...cells, ...atChat].map(({ dollarsPerMillion }) => dollarsPerMillion));
  const dollars = Array.from({ length: Math.ceil(highest) + 1 }, (_, index) => index);
  return svgPlot(
    `Dollars against the wait, at ${RATE} messages a second`,
    {
      label: 'p99 from sent to done',
      from: 0.03,
      to: 120,
      isLogarithmic: true,
      ticks: [0.1, 1, 10, 100],
      text: secondsText,
    },
    {
      label: '$ per million messages',
      from: 0,
      to: Math.ceil(highest),
      ticks: dollars,
      text: (value) => `$${value}`,
    },
    [
      { kind: 'dots', style: 'other', radius: 3.5, points: cells.map(pointOf) },
      { kind: 'line', style: 'one', points: stairs(frontier.map(pointOf)) },
      { kind: 'dots', style: 'one', radius: 4.5, points: frontier.map(pointOf) },
      { kind: 'dots', style: 'two', radius: 7, points: ours.map(pointOf) },
      { kind: 'dots', style: 'three', radius: 7, points: atChat.map(pointOf) },
      ...ours.map((cell) => ({
        kind: 'label' as const,
        style: 'two' as const,
        at: { x: cell.waitSeconds.p99, y: cell.dollarsPerMillion - LABEL_BELOW },
        text: `settlement, ${nameOf(cell)}`,
      })),
      ...atChat.map((cell) => ({
        kind: 'label' as const,
        style: 'three' as const,
        at: pointOf(cell),
        text: `chat, ${nameOf(cell)}`,
      })),
    ],
  );
}

function pointOf({ waitSeconds, dollarsPerMillion }: Cell): Point {
  return { x: waitSeconds.p99, y: dollarsPerMillion };
}

/** Who may wait longer pays no more until the next setting can be had. */
function stairs(points: readonly Point[]): readonly Point[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    return before === undefined ? [point] : [{ x: point.x, y: before.y }, point];
  });
}

function windowPicture({ rule }: Comparison): string {
  const fills: Axis = {
    label: 'messages a batch, of ten',
    from: 0,
    to: 10.5,
    ticks: [0, 2, 4, 6, 8, 10],
    text: String,
  };
  const arrivals: Axis = {
    label: 'arrivals × window / pollers',
    from: 0.01,
    to: 20_000,
    isLogarithmic: true,
    ticks: [0.01, 0.1, 1, 10, 100, 1000, 10_000],
    text: String,
  };
  const expected = Array.from({ length: 64 }, (_, index) => arrivals.from * 10 ** (index / 10));
  const points = (pays: boolean): readonly Point[] =>
    rule.window
      .filter((row) => row.pays === pays)
      .map((row) => ({ x: row.arrivals / POLLERS, y: row.messagesPerBatch }));
  return svgPlot('A window fills batches where arrivals × window reach the pollers', arrivals, fills, [
    { kind: 'line', style: 'other', points: expected.map((x) => ({ x, y: Math.min(10, 1 + x) })) },
    { kind: 'dots', style: 'two', radius: 5, points: points(false) },
    { kind: 'dots', style: 'one', radius: 5, points: points(true) },
    { kind: 'label', style: 'two', at: { x: 0.14, y: 3 }, text: 'people wait, little is saved' },
    { kind: 'label', style: 'one', at: { x: 1000, y: 8.2 }, text: 'batches fill' },
    { kind: 'label', style: 'other', at: { x: 60, y: 4 }, text: '1 + rate × window / 5' },
  ]);
}
