import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Expressions as the app's sources have them, names of keys filled in. */
export interface AppExpressions {
  readonly updates: readonly string[];
  readonly conditions: readonly string[];
  /** Names of attributes that the expressions have without a `#`. */
  readonly attributes: readonly string[];
}

/** Every text of `lambda/*\/store` that is a whole expression. */
export function appExpressions(): AppExpressions {
  const texts = new Set<string>();
  for (const app of readdirSync('lambda')) {
    const folder = join('lambda', app, 'store');
    if (app === 'shared') continue;
    for (const name of readdirSync(folder)) {
      const source = readFileSync(join(folder, name), 'utf8');
      for (const [, quoted, template] of source.matchAll(/'([^'\n]+)'|`([^`\n]+)`/g)) {
        texts.add((quoted ?? template ?? '').replaceAll('${keys.partitionKey}', 'pk'));
      }
    }
  }
  const whole = [...texts].filter((text) => !text.includes('${'));
  const updates = whole.filter((text) => /^(SET|ADD|REMOVE|DELETE) [#\w]/.test(text));
  const conditions = whole.filter(
    (text) =>
      !updates.includes(text) &&
      (/attribute_(not_)?exists\([#\w]+\)/.test(text) || /^[#\w]+ (=|<|<=|>|>=) :\w+/.test(text)),
  );
  const words = [...updates, ...conditions].join(' ').match(/(?<![#:\w])[a-z]\w*(?!\w*\()/g) ?? [];
  return { updates, conditions, attributes: [...new Set(words)].filter((word) => word !== 'pk') };
}
