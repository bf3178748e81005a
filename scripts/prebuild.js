/** prebuilds/linux-<arch>/: the addon for this machine's architecture and libc, as it goes into the package. */
const path = require('node:path');
const { root } = require('./bootstrap/paths');
const { nodeDir } = require('./bootstrap/addon');
const { step, note, StepFailed } = require('./bootstrap/step');

const prefix = nodeDir();
const prebuildify = path.join(root, 'node_modules/prebuildify/bin.js');

try {
  // Node-API is the same for all Node versions, so one build against this one serves them all.
  const target = `${process.versions.node}`;
  step('prebuild', process.execPath, [prebuildify, '-t', target, '--napi', '--strip', '--tag-libc'], {
    ...(prefix && { npm_config_nodedir: prefix }),
  });
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  note(error.message);
  process.exitCode = 1;
}
