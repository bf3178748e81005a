/** Runs the command itself with our stdio, and ends as it ended. */
const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const { root } = require('./paths');

function exec(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    // Ctrl-C reaches the child by the terminal. We must outlive it, so that the shell does not print its prompt too early.
    const ignore = () => {};
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', ignore).on('SIGTERM', forward).on('SIGHUP', forward);
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

module.exports = { exec };
