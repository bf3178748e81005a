/** `passed failed skipped` of a jest JSON file; exits 1 when there is no whole one. */
const { readFileSync } = require('node:fs');

try {
  const r = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const counts = [
    r.numPassedTests,
    // A file that failed as a whole is no test: its error is on the file. With failing tests in it, it counts beside them.
    r.numFailedTests + r.numRuntimeErrorTestSuites,
    r.numPendingTests + r.numTodoTests,
  ];
  if (!counts.every(Number.isInteger)) throw new Error('not the result of a jest run');
  console.log(counts.join(' '));
} catch (error) {
  console.error(`${process.argv[2]}: ${error.message}`);
  process.exitCode = 1;
}
