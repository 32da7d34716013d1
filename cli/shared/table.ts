import Table, { type HorizontalAlignment } from 'cli-table3';

export function plainTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const alignments = head.map((_, column): HorizontalAlignment => (column === 0 ? 'left' : 'right'));
  const table = new Table({
    head: [...head],
    colAligns: alignments,
    chars: borderless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
