/** Reads assemblies and templates, and knows no service. */
export * from './assembly.ts';
export * from './intrinsics.ts';
export * from './physical-name.ts';
export * from './provision.ts';
export * from './resource.ts';
export * from './support.ts';
export * from './template.ts';
export * from './url-rewriter.ts';
