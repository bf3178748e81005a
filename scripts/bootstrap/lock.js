/** One bootstrap at a time in a clone: two would build into each other's folders. */
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const timers = require('node:timers/promises');
const { root } = require('./paths');
const { note } = require('./step');

/** An abstract socket's name belongs to one process, and is free when that has ended, however it ended. Source: unix(7). */
const name = `\0linux-isolate-bootstrap-${createHash('sha256').update(fs.realpathSync(root)).digest('hex')}`;
const RETRY_MS = 200;

function bind() {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}

/** Gives what releases it. `onWait` is called once, when another process has it. */
async function lock(onWait = () => note('waits for another build in this clone')) {
  for (let tries = 0; ; tries++) {
    const server = await bind();
    if (server) return () => server.close();
    if (tries === 0) onWait();
    await timers.setTimeout(RETRY_MS);
  }
}

module.exports = { lock };
