/** Where the bootstrap keeps what it knows. All of it is ignored by git. */
const path = require('node:path');

const root = path.resolve(__dirname, '../..');

module.exports = {
  root,
  /** npm's cache, node-gyp's headers and logs of an ordinary user: kept in the clone, not in the home folder. */
  cache: path.join(root, '.cache'),
  /** Goes with node_modules, so that a new `npm ci` makes everything else anew as well. */
  stamps: path.join(root, 'node_modules/.cache/linux-isolate'),
};
