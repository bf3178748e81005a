/**
 * `count.js RUN [SECOND]`: `passed failed skipped` of jest's JSON, where a file's second run stands for its first one.
 * `count.js --failed RUN`: the files that failed, a line each. Exits 1 when there is no whole JSON.
 */
const { readFileSync } = require('node:fs');

const namesOnly = process.argv[2] === '--failed';
const [run, second] = process.argv.slice(namesOnly ? 3 : 2);

function filesOf(path) {
  const { testResults } = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(testResults) || testResults.length === 0) throw new Error('not the result of a jest run');
  return testResults;
}

function countOf({ status, assertionResults }) {
  const having = (...wanted) => assertionResults.filter((test) => wanted.includes(test.status)).length;
  const failed = having('failed');
  // A file that failed as a whole (does not load, leaks) is no test: its error is on the file.
  return [having('passed'), status === 'failed' && failed === 0 ? 1 : failed, having('pending', 'todo', 'skipped')];
}

try {
  const again = new Map((second ? filesOf(second) : []).map((file) => [file.name, file]));
  const files = filesOf(run).map((file) => again.get(file.name) ?? file);
  if (namesOnly) for (const { name, status } of files) status === 'failed' && console.log(name);
  else {
    const sum = (a, b) => a.map((n, i) => n + b[i]);
    console.log(files.map(countOf).reduce(sum).join(' '));
  }
} catch (error) {
  console.error(`${run}: ${error.message}`);
  process.exitCode = 1;
}
