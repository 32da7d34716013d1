import type { Stage } from '../../lib/config.ts';
import { stackNamesOf, synthesized, template } from './templates.ts';

/** A resource as a template declares it. */
export interface Declared {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Template {
  readonly Description?: string;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Resources: Readonly<Record<string, Declared>>;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>
  >;
}

/** A declared resource, and where it stands. */
export interface Placed extends Declared {
  /** `<stack>/<logical id>` */
  readonly place: string;
  readonly stackName: string;
  readonly logicalId: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The whole app of a stage, as CloudFormation gets it. */
export interface StageTemplates {
  /** The cloud assembly. */
  readonly folder: string;
  readonly templates: ReadonlyMap<string, Template>;
  readonly resources: readonly Placed[];
  readonly ofType: (type: string) => readonly Placed[];
  /** Names that other stacks may import. */
  readonly exportsOf: (stackName: string) => readonly string[];
}

export async function stageTemplates(stage: Stage): Promise<StageTemplates> {
  const folder = await synthesized(stage);
  const templates = new Map(
    stackNamesOf(stage).map((stackName): [string, Template] => [
      stackName,
      template(folder, stackName) as unknown as Template,
    ]),
  );
  const resources = [...templates].flatMap(([stackName, { Resources }]) =>
    Object.entries(Resources).map(([logicalId, resource]) => ({
      ...resource,
      place: `${stackName}/${logicalId}`,
      stackName,
      logicalId,
      properties: resource.Properties ?? {},
    })),
  );
  return {
    folder,
    templates,
    resources,
    ofType: (type) => resources.filter(({ Type }) => Type === type),
    exportsOf: (stackName) =>
      Object.values(templates.get(stackName)?.Outputs ?? {}).flatMap(({ Export }) => Export?.Name ?? []),
  };
}
