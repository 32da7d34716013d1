/** What the user pool asks for: 12 characters, of four classes. */
const length = 12;

/** None that reads like another, and none that a shell takes for its own. */
const classes = ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnpqrstuvwxyz', '23456789', '-_.+='] as const;

/**
 * A password by chance, of about 67 bits.
 *
 * @param random a whole number from 0 to below the limit, such as that of `randomInt`
 */
export function makePassword(random: (limit: number) => number): string {
  const all = classes.join('');
  const characters = Array.from({ length }, (_, index) => {
    const choice = classes[index] ?? all;
    return choice[random(choice.length)] ?? '';
  });
  // One of each class stands first: shuffled, they stand anywhere.
  for (let last = characters.length - 1; last > 0; last -= 1) {
    const other = random(last + 1);
    [characters[last], characters[other]] = [characters[other] ?? '', characters[last] ?? ''];
  }
  return characters.join('');
}
