import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The paths of the templates of a cloud assembly. */
export function templateFiles(assembly: string): readonly string[] {
  return readdirSync(assembly)
    .filter((name) => name.endsWith('.template.json'))
    .map((name) => join(assembly, name));
}
