import type { MerchantTotals } from './totals.ts';

/**
 * Comma-separated lines that end in CRLF (RFC 4180): a header, a detail per merchant and currency, and a trailer per
 * currency that counts lines and transactions and adds up. Amounts are integers in the minor unit.
 */
export function settlementFile(
  header: { readonly businessDate: string; readonly final: boolean; readonly asOf: string },
  details: readonly MerchantTotals[],
): string {
  const trailers = new Map<
    string,
    { lines: number; count: number; gross: bigint; fees: bigint; net: bigint }
  >();
  const lines = [
    ['H', 'duotempo', '1', header.businessDate, header.final ? 'final' : 'preliminary', header.asOf],
  ];
  for (const { merchantId, currency, count, gross, fees, net } of details) {
    lines.push(['D', merchantId, currency, `${count}`, `${gross}`, `${fees}`, `${net}`]);
    const sum = trailers.get(currency) ?? { lines: 0, count: 0, gross: 0n, fees: 0n, net: 0n };
    trailers.set(currency, {
      lines: sum.lines + 1,
      count: sum.count + count,
      gross: sum.gross + gross,
      fees: sum.fees + fees,
      net: sum.net + net,
    });
  }
  for (const [currency, sum] of [...trailers].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(['T', currency, `${sum.lines}`, `${sum.count}`, `${sum.gross}`, `${sum.fees}`, `${sum.net}`]);
  }
  return lines.map((fields) => `${fields.join(',')}\r\n`).join('');
}
