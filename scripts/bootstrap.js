/**
 * `npm start` and `npm test` from a fresh clone: makes whatever is missing or stale (Debian packages, node_modules, the
 * addon, dist/), then runs the command. Needs nothing but Node, and this first file parses on old ones so that it can say
 * which Node is needed. Nothing is written outside the clone, but for packages that root has apt-get install.
 */
var commands = ['start', 'test', 'build'];
var command = process.argv[2];
var version = process.versions.node.split('.').map(Number);

function refuse(message) {
  process.stderr.write(`linux-isolate: ${message}\n`);
  process.exit(1);
}

if (process.platform !== 'linux') refuse(`this needs Linux; here is ${process.platform}.`);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  refuse(`this needs Node 20.19 or newer; here is ${process.version}.`);
}
if (commands.indexOf(command) < 0) {
  refuse(`usage: node scripts/bootstrap.js ${commands.join('|')} [-- arguments]`);
}

require('./bootstrap/main')(command, process.argv.slice(3));
