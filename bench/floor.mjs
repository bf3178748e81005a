// The C program that does the work and nothing else: built here, and asked for figures.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { seccomp } from '../dist/index.js';
import { spawned } from './measure.mjs';

export const program = '/usr/bin/true';
const source = path.join(path.dirname(fileURLToPath(import.meta.url)), 'floor/floor.c');

export function buildFloor(directory) {
  const binary = path.join(directory, 'floor');
  execFileSync('cc', ['-O2', '-o', binary, source]);
  const filter = path.join(directory, 'filter');
  fs.writeFileSync(filter, seccomp.compile('default').program);
  const run = (...args) => execFileSync(binary, args, { encoding: 'utf8' }).trim().split('\n').map(Number);
  return {
    exec: async (batch) => run('exec', `${batch}`, program),
    /** `without`: nonet, noseccomp; `groups`: directories of v1 controllers. */
    all:
      (without = [], groups = []) =>
      async (batch) =>
        run(['all', ...without].join(','), `${batch}`, program, filter, ...groups),
    /** Launches per second. */
    rate: async (seconds, workers) => {
      const output = path.join(directory, 'rate');
      const fd = fs.openSync(output, 'w');
      await spawned(binary, ['rate', `${seconds}`, program, filter, `${workers}`], {
        stdio: ['ignore', fd, 'inherit'],
      });
      fs.closeSync(fd);
      return Number(fs.readFileSync(output, 'utf8'));
    },
  };
}

/** Directories in which a v1 group can be made, for the controllers that `memory` and `pids` need. */
export function v1Groups() {
  return ['memory', 'pids'].map((name) => `/sys/fs/cgroup/${name}`).filter((dir) => fs.existsSync(`${dir}/tasks`));
}
