import Table from 'cli-table3';
import type { Colors } from '../../cli/shared/screen.ts';

/** One figure, with what it should be at most or at least, if there is a target. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export function isMet({ value, atMost, atLeast }: Figure): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

/** A plain table: the figure, and what it should be. */
export function figuresTable(figures: readonly Figure[], colors: Colors): string {
  const table = new Table({
    head: ['figure', 'measured', 'target'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right'],
  });
  for (const figure of figures) {
    const { name, value, unit } = figure;
    const measured = `${format(value)}${unit === '' ? '' : ` ${unit}`}`;
    table.push([name, isMet(figure) ? measured : colors.red(measured), targetOf(figure)]);
  }
  return table.toString();
}

function targetOf({ atMost, atLeast }: Figure): string {
  if (atMost !== undefined && atMost === atLeast) return format(atMost);
  return [
    ...(atLeast === undefined ? [] : [`≥ ${format(atLeast)}`]),
    ...(atMost === undefined ? [] : [`≤ ${format(atMost)}`]),
  ].join(', ');
}

function format(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
