import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'oxfmt';
import { synthesizeIfChanged } from '../../cli/shared/assembly.ts';
import type { Stage } from '../../lib/config.ts';
import { deployableStages, stackNameOf } from '../../lib/stage-names.ts';

export interface Declared {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Resource extends Declared {
  /** `<stack>/<logical id>` */
  readonly place: string;
  readonly stackName: string;
  readonly logicalId: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Description?: string;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Resources: Readonly<Record<string, Declared>>;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>
  >;
}

export interface StageTemplates {
  readonly folder: string;
  readonly templates: ReadonlyMap<string, Template>;
  readonly resources: readonly Resource[];
  readonly ofType: (type: string) => readonly Resource[];
  /** Names that other stacks may import. */
  readonly exportsOf: (stackName: string) => readonly string[];
}

/** Every stage: a new one that is missing here is a type error. */
export const stages = Object.keys({
  sandbox: true,
  production: true,
  test: true,
  soak: true,
} satisfies Record<Stage, true>) as Stage[];

export const stackNames = ['DuotempoIdentity', 'DuotempoCardSettlement', 'DuotempoChat'] as const;

export function stackNamesOf(stage: Stage): readonly string[] {
  return (['Identity', 'CardSettlement', 'Chat'] as const).map((part) => stackNameOf(stage, part));
}

/** Synthesizes the app of a stage as `cdk synth` does. @returns the cloud assembly's folder */
export async function synthesized(stage: Stage): Promise<string> {
  return synthesizeIfChanged({
    projectFolder: process.cwd(),
    stage,
    signal: AbortSignal.timeout(180_000),
    onSynthesize: () => undefined,
  });
}

function template(assembly: string, stackName: string): Template {
  return JSON.parse(readFileSync(join(assembly, `${stackName}.template.json`), 'utf8'));
}

export async function stageTemplates(stage: Stage): Promise<StageTemplates> {
  const folder = await synthesized(stage);
  const templates = new Map(
    stackNamesOf(stage).map((stackName) => [stackName, template(folder, stackName)] as const),
  );
  const resources = resourcesIn(folder);
  return {
    folder,
    templates,
    resources,
    ofType: (type) => resources.filter(({ Type }) => Type === type),
    exportsOf: (stackName) =>
      Object.values(templates.get(stackName)?.Outputs ?? {}).flatMap(({ Export }) => Export?.Name ?? []),
  };
}

export async function resourcesOf(stage: Stage): Promise<Resource[]> {
  return resourcesIn(await synthesized(stage));
}

export function resourcesIn(assembly: string): Resource[] {
  return deployableStages
    .flatMap(stackNamesOf)
    .filter((stackName) => existsSync(join(assembly, `${stackName}.template.json`)))
    .flatMap((stackName) =>
      Object.entries(template(assembly, stackName).Resources).map(([logicalId, resource]) => ({
        ...resource,
        Properties: resource.Properties ?? {},
        place: `${stackName}/${logicalId}`,
        stackName,
        logicalId,
      })),
    );
}

/** A template without what changes with every edit of a handler: hashes of assets. */
function normalised(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replaceAll(/[0-9a-f]{64}\.zip/g, '<asset>.zip')
    .replaceAll(/(Lambda Current Version|CurrentVersion)[0-9A-Fa-f]{32,}/g, '$1<hash>');
  const { Parameters: _parameters, Rules: _rules, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return rest;
}

/** A template for people to review: without asset hashes, sorted, in CloudFormation's short forms, and on one line what fits. */
export async function readable(assembly: string, stackName: string): Promise<string> {
  const { code } = await format(
    'template.json',
    JSON.stringify(shortened(normalised(template(assembly, stackName)))),
    { printWidth: 110 },
  );
  return code;
}

/** Writes `Ref`, `Fn::GetAtt` and joins of those as YAML does: `!Ref`, `!GetAtt`, `!Sub`. */
function shortened(value: unknown): unknown {
  if (typeof value === 'string' && /^!|\$\{/.test(value))
    throw new Error(`${value} looks like a short form.`);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(shortened);
  const entries = Object.entries(value);
  const [[name, argument] = ['', undefined]] = entries;
  if (entries.length === 1) {
    if (name === 'Ref') return `!Ref ${String(argument)}`;
    if (name === 'Fn::GetAtt' && Array.isArray(argument)) return `!GetAtt ${argument.join('.')}`;
    if (name === 'Fn::Sub' && typeof argument === 'string') return `!Sub ${argument}`;
    if (name === 'Fn::Join' && Array.isArray(argument) && argument[0] === '') {
      const parts: unknown = shortened(argument[1]);
      if (Array.isArray(parts) && parts.every((part) => typeof part === 'string'))
        return `!Sub ${parts.map(placeholderOf).join('')}`;
    }
  }
  return Object.fromEntries(
    entries.toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([key, each]) => [key, shortened(each)]),
  );
}

function placeholderOf(part: string): string {
  return part.replace(/^!(?:Ref|GetAtt) (.*)$/s, '${$1}').replace(/^!Sub /, '');
}
