import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export function templateFiles(assembly: string): readonly string[] {
  return readdirSync(assembly)
    .filter((name) => name.endsWith('.template.json'))
    .map((name) => join(assembly, name));
}
