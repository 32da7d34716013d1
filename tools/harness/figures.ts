import Table from 'cli-table3';
import type { Colors } from '../../cli/shared/screen.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export function figure(
  name: string,
  value: number,
  unit = '',
  target: Pick<Figure, 'atMost' | 'atLeast'> = {},
): Figure {
  return { name, value, unit, ...target };
}

function isMet({ value, atMost = Infinity, atLeast = -Infinity }: Figure): boolean {
  return value <= atMost && value >= atLeast;
}

export function allMet(figures: readonly Figure[]): boolean {
  return figures.every(isMet);
}

export function figuresTable(figures: readonly Figure[], colors: Colors): string {
  const table = new Table({
    head: ['figure', 'measured', 'target'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right'],
  });
  for (const each of figures) {
    const measured = `${format(each.value)} ${each.unit}`.trim();
    table.push([each.name, isMet(each) ? measured : colors.red(measured), targetOf(each)]);
  }
  return table.toString();
}

function targetOf({ atMost, atLeast }: Figure): string {
  if (atMost !== undefined && atMost === atLeast) return format(atMost);
  const least = atLeast === undefined ? [] : [`≥ ${format(atLeast)}`];
  const most = atMost === undefined ? [] : [`≤ ${format(atMost)}`];
  return [...least, ...most].join(', ');
}

function format(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
