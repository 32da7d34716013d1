import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  isJsonObject,
  objectAt,
  parseTemplate,
  textAt,
  type Json,
  type JsonObject,
  type Template,
} from './template.ts';

export interface AssemblyStack {
  readonly stackName: string;
  readonly template: Template;
  readonly assetFolder: (objectKey: string) => string | undefined;
}

/** @returns the stacks, each after those it depends on. @throws Error for a folder without a readable assembly */
export function loadAssembly(folder: string): readonly AssemblyStack[] {
  const manifestFile = resolve(folder, 'manifest.json');
  if (!existsSync(manifestFile)) {
    throw new Error(`${folder} holds no cloud assembly (no manifest.json). Run \`cdk synth\` first.`);
  }
  const artifacts = objectAt(readJson(manifestFile), 'artifacts');
  return inDependencyOrder(artifacts).flatMap((id) => {
    const artifact = objectAt(artifacts, id);
    const type = textAt(artifact, 'type');
    if (type === 'cdk:cloud-assembly') {
      // A CDK stage is an assembly within the assembly.
      return loadAssembly(resolve(folder, textAt(objectAt(artifact, 'properties'), 'directoryName') ?? id));
    }
    return type === 'aws:cloudformation:stack' ? [loadStack(folder, id, artifact, artifacts)] : [];
  });
}

function loadStack(folder: string, id: string, artifact: JsonObject, artifacts: JsonObject): AssemblyStack {
  const properties = objectAt(artifact, 'properties');
  const stackName = textAt(properties, 'stackName') ?? id;
  const templateFile = textAt(properties, 'templateFile');
  if (templateFile === undefined) throw new Error(`Stack ${stackName}: the manifest names no template file.`);
  const folders = new Map<string, string>();
  for (const dependency of textList(artifact['dependencies'])) {
    const assets = objectAt(artifacts, dependency);
    if (textAt(assets, 'type') !== 'cdk:asset-manifest') continue;
    const file = textAt(objectAt(assets, 'properties'), 'file');
    if (file !== undefined) addAssetFolders(folders, folder, readJson(resolve(folder, file)));
  }
  return {
    stackName,
    template: parseTemplate(stackName, readJson(resolve(folder, templateFile))),
    assetFolder: (objectKey) => folders.get(objectKey),
  };
}

function addAssetFolders(folders: Map<string, string>, folder: string, manifest: JsonObject): void {
  for (const asset of Object.values(objectAt(manifest, 'files'))) {
    if (!isJsonObject(asset)) continue;
    const path = textAt(objectAt(asset, 'source'), 'path');
    if (path === undefined) continue;
    for (const destination of Object.values(objectAt(asset, 'destinations'))) {
      const objectKey = isJsonObject(destination) ? textAt(destination, 'objectKey') : undefined;
      if (objectKey !== undefined) folders.set(objectKey, resolve(folder, path));
    }
  }
}

function inDependencyOrder(artifacts: JsonObject): readonly string[] {
  const ordered = new Set<string>();
  const visit = (id: string): void => {
    if (ordered.has(id) || artifacts[id] === undefined) return;
    for (const dependency of textList(objectAt(artifacts, id)['dependencies'])) visit(dependency);
    ordered.add(id);
  };
  for (const id of Object.keys(artifacts)) visit(id);
  return [...ordered];
}

function textList(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function readJson(file: string): JsonObject {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isJsonObject(parsed)) throw new Error(`${file} is not a JSON object.`);
  return parsed;
}
