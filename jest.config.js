/**
 * One process, one test file at a time: the sandbox tests count processes, mounts and cgroups, and two files running
 * side by side would see each other's. The unit tests are pure and quick enough not to want a second worker.
 */
module.exports = {
  maxWorkers: 1,
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  testEnvironment: '<rootDir>/test/helpers/environment.ts',
  testMatch: ['<rootDir>/test/{unit,kernel,sandbox,security,lifecycle}/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/(dist|build|prebuilds|coverage)/'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  reporters: ['default', '<rootDir>/test/helpers/skips-reporter.js'],
  setupFiles: process.env.LINUX_ISOLATE_HOSTED_LAUNCHER ? ['<rootDir>/test/helpers/hosted-launcher.ts'] : [],
  testTimeout: 20_000,
  // A test that leaves a handle open must be seen: no forceExit.
};
