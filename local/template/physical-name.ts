import { createHash, randomInt } from 'node:crypto';

const ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** As CloudFormation names resources, but with a suffix that stays the same at every start. */
export function physicalName(stackName: string, logicalId: string, maximumLength = 255): string {
  const suffix = createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex').slice(0, 6);
  const readable = `${stackName}-${logicalId}`.slice(0, maximumLength - suffix.length - 1);
  return `${readable}-${suffix}`;
}

export function randomId(length: number, alphabet = ALPHANUMERIC): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** `CardSettlement`, `card settlement` and `card_settlement` all become `card-settlement`. */
export function kebabCase(text: string): string {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .toLowerCase();
}
