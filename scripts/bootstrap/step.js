/** One line per step that really does something: what it does, then how long it took; on failure the end of its output. */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { root, cache } = require('./paths');

/** Everything the bootstrap says goes to stderr: stdout belongs to the command. */
const note = (text) => fs.writeSync(2, `linux-isolate: ${text}\n`);

class StepFailed extends Error {}

const TAIL_LINES = 40;

/** Runs a program quietly, with its output in .cache/logs. Throws StepFailed with the end of it. */
function step(what, file, args, env = {}) {
  const log = path.join(cache, 'logs', `${what.replace(/[^a-z0-9]+/gi, '-')}.log`);
  fs.mkdirSync(path.dirname(log), { recursive: true });
  const started = process.hrtime.bigint();
  fs.writeSync(2, `linux-isolate: ${what} ... `);
  const fd = fs.openSync(log, 'w');
  // No stdin: a program that asks a question must fail at once, not wait for an answer that nobody gives.
  const result = spawnSync(file, args, { cwd: root, stdio: ['ignore', fd, fd], env: { ...process.env, ...env } });
  fs.closeSync(fd);
  const seconds = (Number(process.hrtime.bigint() - started) / 1e9).toFixed(1);
  if (result.status === 0) {
    fs.writeSync(2, `${seconds} s\n`);
    return;
  }
  fs.writeSync(2, `failed after ${seconds} s\n`);
  const lines = fs.readFileSync(log, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES);
  const why = result.error?.message ?? (result.signal ? `ended by ${result.signal}` : `exit code ${result.status}`);
  const command = [path.basename(file), ...args].join(' ');
  throw new StepFailed(`${command}: ${why}. The end of ${path.relative(root, log)}:\n${lines.join('\n')}`);
}

module.exports = { step, note, StepFailed };
