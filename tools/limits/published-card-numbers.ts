/** Networks and payment processors publish these for tests. */
export const publishedCardNumbers = {
  Visa: ['4111111111111111', '4012888888881881', '4222222222222', '4111141011111111116'],
  Mastercard: ['5555555555554444', '5105105105105100', '2223003122003222', '2720990000000015'],
  'American Express': ['378282246310005', '371449635398431'],
  Discover: ['6011111111111117', '6011000990139424'],
  JCB: ['3530111333300000', '3566002020360505'],
  Diners: ['30569309025904', '38520000023237', '36227206271667', '3056930009020004'],
  UnionPay: [
    '6200000000000005',
    '62123456789000003',
    '621234567890000002',
    '6205500000000000004',
    '6212345678900000003',
  ],
  Maestro: [
    '501800000009',
    '50339619890917',
    '6304000000000000',
    '6331101999990016',
    '6759649826438453',
    '6771798021000008',
    '586824160825533338',
    '675941110000000008',
    '6304000000000000000',
    '6799990100000000019',
  ],
} as const;

const groupings: Readonly<Record<number, readonly (readonly number[])[]>> = {
  12: [[4, 4, 4]],
  13: [
    [4, 4, 5],
    [4, 3, 3, 3],
  ],
  14: [[4, 6, 4]],
  15: [[4, 6, 5]],
  16: [[4, 4, 4, 4]],
  17: [[4, 4, 4, 4, 1]],
  18: [[4, 4, 4, 4, 2]],
  19: [
    [4, 4, 4, 4, 3],
    [6, 13],
  ],
};

export function writingsOf(cardNumber: string): string[] {
  const grouped = (groupings[cardNumber.length] ?? []).map((lengths) => {
    let end = 0;
    return lengths.map((length) => cardNumber.slice(end, (end += length)));
  });
  return [
    cardNumber,
    ...[' ', '-', '_', '.'].flatMap((separator) => grouped.map((groups) => groups.join(separator))),
  ];
}
