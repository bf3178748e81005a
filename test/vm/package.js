/**
 * The second drive: this build (dist/ and the addon, laid out as in the clone so that tests find `lib`), the tests compiled, and
 * from node_modules only what they need. Read-only inside.
 */
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const swc = require('@swc/core');

const root = path.join(__dirname, '..', '..');
const options = {
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  module: { type: 'commonjs' },
  swcrc: false,
  sourceMaps: 'inline',
};
const folders = ['helpers', 'kernel', 'sandbox', 'security', 'vm'];

function compileTests(to) {
  for (const folder of folders) {
    for (const name of fs.readdirSync(path.join(root, 'test', folder), { recursive: true })) {
      const from = path.join(root, 'test', folder, name);
      const target = path.join(to, 'test', folder, name);
      if (fs.statSync(from).isDirectory()) fs.mkdirSync(target, { recursive: true });
      else if (name.endsWith('.ts')) {
        fs.mkdirSync(path.dirname(target), { recursive: true });
        fs.writeFileSync(target.replace(/\.ts$/, '.js'), swc.transformFileSync(from, options).code);
      } else {
        fs.mkdirSync(path.dirname(target), { recursive: true });
        fs.copyFileSync(from, target);
      }
    }
  }
}

/** Where `name` is found from `directory`, as require() looks; a package's `exports` need not show its package.json. */
function packageOf(name, directory) {
  const found = path.join(directory, 'node_modules', name);
  if (fs.existsSync(path.join(found, 'package.json'))) return found;
  if (directory === root) throw new Error(`no package ${name}`);
  return packageOf(name, path.dirname(directory));
}

/** Packages and all that they depend on, at the places that they have here. */
function copyPackages(names, to) {
  const done = new Set();
  const visit = (name, from) => {
    const directory = packageOf(name, from);
    if (done.has(directory)) return;
    done.add(directory);
    fs.cpSync(directory, path.join(to, path.relative(root, directory)), { recursive: true });
    const { dependencies = {} } = JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8'));
    for (const dependency of Object.keys(dependencies)) visit(dependency, directory);
  };
  for (const name of names) visit(name, root);
}

/** Makes the drive and returns its file. */
function makePackage(work, boots) {
  const to = path.join(work, 'package');
  fs.mkdirSync(path.join(to, 'boots'), { recursive: true });
  for (const name of ['package.json', 'types'])
    fs.cpSync(path.join(root, name), path.join(to, name), { recursive: true });
  fs.cpSync(path.join(root, 'dist'), path.join(to, 'lib'), { recursive: true });
  // As the package's own name for it, which the examples use.
  fs.symlinkSync('lib', path.join(to, 'dist'));
  fs.cpSync(path.join(root, 'examples'), path.join(to, 'examples'), { recursive: true });
  const addon = require('node-gyp-build').path(root);
  fs.mkdirSync(path.join(to, 'build', 'Release'), { recursive: true });
  fs.copyFileSync(addon, path.join(to, 'build', 'Release', 'linux_isolate.node'));
  compileTests(to);
  copyPackages(['node-gyp-build', 'expect'], to);
  for (const { name, programmes } of boots) {
    const lines = programmes.map((p) => `${p.name} ${p.who} ${p.require} ${p.files.join(' ')}\n`);
    fs.writeFileSync(path.join(to, 'boots', name), lines.join(''));
  }
  const drive = path.join(work, 'package.ext4');
  fs.writeFileSync(drive, '');
  fs.truncateSync(drive, 128 * 2 ** 20);
  execFileSync('mkfs.ext4', ['-q', '-d', to, drive]);
  return drive;
}

module.exports = { makePackage };
