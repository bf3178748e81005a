/** build/Release/linux_isolate.node from src/cpp. */
const fs = require('node:fs');
const path = require('node:path');
const { root, cache } = require('./paths');
const { step } = require('./step');
const { hashOf, unlessMade, readOr } = require('./stamp');

/** Node's own headers beside the running Node, if they are of its version; then nothing has to be downloaded. */
function nodeDir() {
  const prefix = path.resolve(fs.realpathSync(process.execPath), '../..');
  const header = readOr(path.join(prefix, 'include/node/node_version.h'), '');
  const number = (name) => new RegExp(`^#define NODE_${name}_VERSION (\\d+)$`, 'm').exec(header)?.[1];
  const found = ['MAJOR', 'MINOR', 'PATCH'].map(number).join('.');
  return found === process.versions.node ? prefix : undefined;
}

function ensureAddon() {
  const facts = [process.version, process.arch, fs.realpathSync(root)];
  const hash = hashOf(['binding.gyp', 'src/cpp', 'node_modules/node-addon-api/package.json'], facts);
  unlessMade('addon', hash, 'build/Release/linux_isolate.node', () => {
    const prefix = nodeDir();
    const where = prefix ? [`--nodedir=${prefix}`] : [`--devdir=${path.join(cache, 'node-gyp')}`];
    const gyp = path.join(root, 'node_modules/node-gyp/bin/node-gyp.js');
    step('compile the addon', process.execPath, [gyp, 'rebuild', ...where], { MAKEFLAGS: '-j2' });
  });
}

module.exports = { ensureAddon, nodeDir };
