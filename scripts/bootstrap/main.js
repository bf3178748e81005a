/** The order of the steps: each looks whether it has anything to do, and says so only when it has. */
const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./paths');
const { lock } = require('./lock');
const { StepFailed, note } = require('./step');
const { ensurePrograms } = require('./packages');
const { ensureModules } = require('./modules');
const { ensureAddon } = require('./addon');
const { ensureDist } = require('./dist');
const { exec } = require('./exec');

module.exports = async function main(command, args) {
  try {
    const release = await lock();
    try {
      ensurePrograms();
      ensureModules();
      ensureAddon();
      ensureDist();
    } finally {
      release();
    }
    process.exitCode = await run(command, args);
  } catch (error) {
    const refused = ['EACCES', 'EPERM', 'EROFS'].includes(error.code);
    if (!refused && !(error instanceof StepFailed)) throw error;
    note(error.message);
    if (refused) note(`run this as the user who owns ${root}, or clone it yourself`);
    process.exitCode = 1;
  }
};

async function run(command, args) {
  if (command === 'test') return exec([path.join(root, 'node_modules/jest/bin/jest.js'), ...args]);
  if (command === 'start') return start(args);
  return 0;
}

/** What this host can do, then the example that uses it. */
async function start(args) {
  const cli = path.join(root, 'dist/cli/main.js');
  const example = path.join(root, 'examples/code-runner/main.js');
  if (fs.existsSync(cli)) {
    const code = await exec([cli, 'doctor']);
    // An example on a host where the doctor already says no would only repeat it, at length.
    if (code !== 0) return code;
  }
  return exec([example, ...args]);
}
