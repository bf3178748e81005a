/** node_modules as package-lock.json wants it. */
const fs = require('node:fs');
const path = require('node:path');
const { root, cache } = require('./paths');
const { step } = require('./step');

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}

/**
 * npm leaves a lock file of what it really installed. Comparing it with ours also notices a package that somebody installed
 * or removed by hand. Optional packages for other platforms are in one and not in the other.
 */
function upToDate() {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages('node_modules/.package-lock.json');
  if (!wanted || !installed) return false;
  const names = Object.keys(wanted).filter((name) => name !== '' && !(wanted[name].optional && !installed[name]));
  return names.every((name) => installed[name] && installed[name].version === wanted[name].version);
}

/** An ordinary user's cache lies in the clone; so does everybody's who has an empty setting, which npm takes for the cwd. */
function npmEnvironment() {
  const given = process.env.npm_config_cache;
  const own = process.getuid() !== 0 || given === '';
  return own ? { npm_config_cache: path.join(cache, 'npm') } : {};
}

function ensureModules() {
  if (upToDate()) return;
  // No dependency needs its install script here, and what does not run cannot go wrong.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // Started by npm itself, the very same npm does it; `npm` on the PATH may be another, or be missing.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) step('npm ci', process.execPath, [npm, ...args], npmEnvironment());
  else step('npm ci', 'npm', args, npmEnvironment());
}

module.exports = { ensureModules, upToDate };
