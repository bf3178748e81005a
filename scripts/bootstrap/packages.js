/** Programs that the build and the examples need, and the Debian packages they come in. */
const fs = require('node:fs');
const path = require('node:path');
const { step, note, StepFailed } = require('./step');

/** node-gyp needs all of them; the code-runner example compiles C++ and runs Python too. */
const packageOf = { 'g++': 'g++', make: 'make', python3: 'python3' };

const onPath = (program, dirs = (process.env.PATH ?? '').split(':')) =>
  dirs.some((dir) => dir !== '' && isExecutable(path.join(dir, program)));

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function ensurePrograms() {
  const missing = Object.keys(packageOf).filter((program) => !onPath(program));
  if (missing.length === 0) return;
  const names = missing.map((program) => packageOf[program]);
  const aptGet = onPath('apt-get');
  if (!aptGet) throw new StepFailed(`${missing.join(', ')} not found. Install: ${names.join(', ')}.`);
  if (process.getuid() !== 0) {
    throw new StepFailed(`${missing.join(', ')} not found. Run: sudo apt-get install -y ${names.join(' ')}`);
  }
  const install = ['install', '-y', '--no-install-recommends', ...names];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    step(`apt-get install ${names.join(' ')}`, 'apt-get', install, env);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    // New machines come without package lists, or with old ones.
    note('trying again with fresh package lists');
    step('apt-get update', 'apt-get', ['update'], env);
    step(`apt-get install ${names.join(' ')}`, 'apt-get', install, env);
  }
}

module.exports = { ensurePrograms };
