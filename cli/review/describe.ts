import { formatAmount } from '../shared/money.ts';
import { printable, type Colors } from '../shared/screen.ts';
import type { Held } from './held.ts';

const sentences: Readonly<Record<string, string>> = {
  'card-testing':
    '{cards} cards with small amounts at the terminal {terminalId} within {windowMinutes} minutes',
  'impossible-travel':
    '{kilometres} km from {otherTransactionId}, {seconds} s after it: {kilometresPerHour} km/h',
  burst: '{earlierUses} uses of the card in the {windowMinutes} minutes before',
  duplicate: 'the same as {otherTransactionId}, {seconds} s after it',
  'night-large': '{amount} {currency} at hour {localHour} of the place',
  'amount-spike':
    "{amount} {currency}; the mean of the card's {earlierUses} uses in the {windowDays} days before is {mean}",
  velocity: '{earlierUses} uses of the card in the {windowHours} hours before',
  'high-risk-category': 'the merchant category {merchantCategoryCode}',
};

export function describeRule({ rule, inputs }: Held['rules'][number]): string {
  const sentence = Object.hasOwn(sentences, rule) ? (sentences[rule] ?? '') : '';
  const names = [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const fits = sentence !== '' && names.every((name) => Object.hasOwn(inputs, name));
  const words = fits
    ? sentence.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(inputs[name]))
    : undefined;
  const rest = Object.entries(inputs)
    .filter(([name]) => !fits || !names.includes(name))
    .map(([name, value]) => `${name} ${value}`);
  return printable([...(words === undefined ? [] : [words]), ...rest].join(', '));
}

export function describeHeld(held: Held, colors: Colors): string {
  const { type, merchantId, terminalId, merchantCategoryCode, occurredAt, cardToken, score } = held;
  const amount = colors.bold(formatAmount(BigInt(held.amount), printable(held.currency)));
  const kind = type === 'sale' ? '' : ` ${printable(type)}`;
  return [
    `${amount}${kind} at ${printable(merchantId)}, ${printable(occurredAt)}  ${colors.dim(printable(held.transactionId))}`,
    `  terminal ${printable(terminalId)}, category ${printable(merchantCategoryCode)}, card ${printable(cardToken)}, business date ${printable(held.businessDate)}`,
    ...held.rules.map(
      (each) => `  ${colors.yellow(printable(each.rule))} ${each.score}: ${describeRule(each)}`,
    ),
    ...(held.rules.length > 1 ? [`  score ${score}`] : []),
  ].join('\n');
}
