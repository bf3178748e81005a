/**
 * Jest reporter: names every skipped test at the end of the run, grouped by the capability that was missing.
 * Plain JavaScript because jest loads reporters without the transform.
 */

/** With `-t` every other test is reported as pending, which says nothing about this host. */
const filtered = process.argv.some((arg) => /^(-t|--testNamePattern)(=|$)/.test(arg));

/** Empty when nothing was skipped. */
function summarise(results) {
  const byReason = new Map();
  for (const test of results.testResults.flatMap((file) => file.testResults)) {
    if (test.status !== 'pending' && test.status !== 'todo') continue;
    const missing = /\[missing: ([^\]]+)\]/.exec(test.fullName)?.[1];
    if (missing === undefined && filtered) continue;
    const reason = missing ? `missing ${missing}` : 'no reason given';
    if (!byReason.has(reason)) byReason.set(reason, []);
    byReason.get(reason).push(test.fullName.replace(/ ?\[missing: [^\]]+\]/, ''));
  }
  const groups = [...byReason].map(([why, names]) => [`  ${why} (${names.length}):`, ...names.map((n) => `    ${n}`)]);
  return groups.length > 0 ? ['Skipped:', ...groups.flat()].join('\n') : '';
}

class SkipsReporter {
  onRunComplete(_contexts, results) {
    const text = summarise(results);
    if (text) process.stderr.write(`\n${text}\n`);
  }
}

module.exports = SkipsReporter;
module.exports.summarise = summarise;
