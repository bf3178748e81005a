/** Stale or not, by content and not by time: a clone, a checkout and a copy all have new times and old contents. */
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { root, stamps } = require('./paths');

function* files(entry) {
  const stat = fs.statSync(entry, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    for (const name of fs.readdirSync(entry).sort()) yield* files(path.join(entry, name));
  } else if (stat?.isFile()) yield entry;
}

/** Hash of the names and contents below `entries` (relative to the clone) and of `facts`. */
function hashOf(entries, facts = []) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`${fact}\0`);
  for (const entry of entries) {
    for (const file of files(path.join(root, entry))) {
      hash
        .update(`${path.relative(root, file)}\0`)
        .update(fs.readFileSync(file))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

/** Runs `make` unless `output` exists and the stamp of that name says it was made from just this. */
function unlessMade(name, hash, output, make) {
  const stamp = path.join(stamps, name);
  if (fs.existsSync(path.join(root, output)) && readOr(stamp, '') === hash) return;
  // Without its stamp a half-made output counts as stale.
  fs.rmSync(stamp, { force: true });
  make();
  fs.mkdirSync(stamps, { recursive: true });
  fs.writeFileSync(stamp, hash);
}

function readOr(file, otherwise) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

module.exports = { hashOf, unlessMade, readOr };
