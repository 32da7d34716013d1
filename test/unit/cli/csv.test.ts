import { describe, expect, it } from '@jest/globals';
import { array, assert, asyncProperty, constantFrom, integer, string, tuple } from 'fast-check';
import { type CsvRow, readCsv } from '../../../cli/replay/csv.ts';

async function read(
  text: string,
  columns: readonly string[] = ['a', 'b'],
  pieceLength = 7,
): Promise<CsvRow[]> {
  async function* pieces(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += pieceLength) yield text.slice(at, at + pieceLength);
  }
  const rows: CsvRow[] = [];
  for await (const row of readCsv(pieces(), 'file.csv', columns)) rows.push(row);
  return rows;
}

describe('a CSV file', () => {
  it('may end its lines with CRLF, begin with a byte order mark, and quote fields', async () => {
    const rows = await read('\uFEFFa,b\r\n1,"Rippin, Kub and ""Mann"""\r\n3,4');
    expect(rows).toEqual([
      { line: 2, values: { a: '1', b: 'Rippin, Kub and "Mann"' } },
      { line: 3, values: { a: '3', b: '4' } },
    ]);
  });

  it('numbers rows by their first physical line, past blank lines and quoted line ends', async () => {
    const rows = await read('a,b\r\n\r\n1,"x\r\ny"\r\n\r\n2,z\r\n');
    expect(rows.map(({ line }) => line)).toEqual([3, 6]);
    expect(rows[0]).toEqual({ line: 3, values: { a: '1', b: 'x\ny' } });
  });

  it('reports a row whose quotes do not match, and reads the rest', async () => {
    const rows = await read('a,b\n1,2\n"3"x,4\n5,6\n7,8"\n9,10\n11,12\n');
    const faults = rows.filter((row) => 'fault' in row);
    expect(faults).toEqual([
      { line: 3, fault: 'its quotes do not match' },
      { line: 5, fault: 'its quotes do not match' },
    ]);
    expect(rows.filter((row) => 'values' in row).map(({ line }) => line)).toEqual([2, 4, 6, 7]);
  });

  it('loses only one row to a quote that is never closed', async () => {
    const many = Array.from({ length: 500 }, (_, index) => `${index},x`).join('\n');
    const rows = await read(`a,b\n1,"2\n${many}\n`, ['a'], 1000);
    expect(rows).toHaveLength(501);
    expect(rows.filter((row) => 'fault' in row)).toEqual([{ line: 2, fault: 'its quotes do not match' }]);
  });

  it('reports a row with too many fields, and takes missing ones for empty', async () => {
    expect(await read('a,b\n1,2,3\n4\n')).toEqual([
      { line: 2, fault: 'it has 3 fields, but there are 2 columns' },
      { line: 3, values: { a: '4', b: '' } },
    ]);
  });

  it.each([
    ['a;b\n1;2\n', /semicolons/],
    ['a\tb\n1\t2\n', /tabs/],
    [Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le').toString('utf8'), /UTF-16/],
    ['x,y\n', /Its first line names the columns/],
  ])('that is none, %j, is told what it seems to be', async (text, hint) => {
    await expect(read(text)).rejects.toMatchObject({ hint: expect.stringMatching(hint) });
  });

  it('says which columns it lacks', async () => {
    await expect(read('a,c\n1,2\n', ['a', 'b', 'd'])).rejects.toThrow('file.csv lacks the columns b, d.');
  });

  it('is refused when it is empty', async () => {
    await expect(read('')).rejects.toThrow('file.csv is empty.');
    await expect(read('\r\n\r\n')).rejects.toThrow('file.csv is empty.');
  });

  it('reads back whatever was written with quotes, however it is cut into pieces', async () => {
    const field = string({ unit: constantFrom('a', '"', ',', '\n', ' ', 'é') });
    await assert(
      asyncProperty(
        array(tuple(field, field), { minLength: 1, maxLength: 8 }),
        integer({ min: 1, max: 9 }),
        async (records, pieceLength) => {
          const text = records.map((fields) =>
            fields.map((value) => `"${value.replaceAll('"', '""')}"`).join(','),
          );
          const rows = await read(['a,b', ...text, ''].join('\n'), ['a', 'b'], pieceLength);
          expect(rows.map((row) => ('values' in row ? row.values : row))).toEqual(
            records.map(([a, b]) => ({ a: a.trim(), b: b.trim() })),
          );
        },
      ),
      { seed: 20_260_101, numRuns: 200 },
    );
  });
});
