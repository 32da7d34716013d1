// Powertools warns about metrics without a namespace; in the templates every stage sets one.
process.env.POWERTOOLS_METRICS_NAMESPACE ??= 'Duotempo/Test';

/** Native ESM: jose, fauxqs and others have no CommonJS form that loads. */
export default {
  testEnvironment: './test/environment.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.build/', '<rootDir>/cdk.out/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  // Machines are shared and noisy: a test that hangs is found out later, one that is slow passes.
  testTimeout: 180_000,
};
