/** dist/ from lib/ and types/. */
const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./paths');
const { step } = require('./step');
const { hashOf, unlessMade } = require('./stamp');

function ensureDist() {
  const hash = hashOf(['lib', 'types', 'tsconfig.json', 'node_modules/typescript/package.json']);
  unlessMade('dist', hash, 'dist/index.js', () => {
    // A file that is gone from lib/ must not live on in dist/.
    fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true });
    step('compile TypeScript', process.execPath, [
      path.join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.json',
    ]);
  });
}

module.exports = { ensureDist };
