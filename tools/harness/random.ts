import { createHash } from 'node:crypto';
import { seededChance, type Chance } from '../../cli/demo/random.ts';

export interface Random extends Pick<Chance, 'next' | 'whole' | 'pick'> {
  readonly chance: (probability: number) => boolean;
}

/** @param purpose has its own sequence: drawing for one does not shift another */
export function seededRandom(seed: number, purpose: string): Random {
  const { next, whole, pick } = seededChance(
    createHash('sha256').update(`${seed} ${purpose}`).digest().readInt32LE(),
  );
  return { next, whole, pick, chance: (probability) => next() < probability };
}
