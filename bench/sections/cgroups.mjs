// A control group made with its limits and removed, beside the bare mkdir, write and rmdir of the same directories and files.
import fs from 'node:fs';
import { join } from 'node:path';
import { cgroups } from '../../dist/index.js';
import { interleave, repeat } from '../measure.mjs';

export const title = 'Control groups';
export const base = { '÷ floor': 'plain' };

const resources = { memory: { max: '64MiB' }, pids: { max: 20 } };

/** What a group consists of here: its directories, and each file that its limits are written to. */
function shape() {
  const group = cgroups.Cgroup.create({ resources });
  const files = ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes', 'memory.max', 'memory.swap.max', 'pids.max'];
  const directories = group.paths.map((path) => ({
    path: `${path}-plain`,
    files: files.filter((file) => fs.existsSync(join(path, file))),
  }));
  return { group, directories };
}

function plain(directories) {
  for (const { path } of directories) fs.mkdirSync(path);
  for (const { path, files } of directories) for (const file of files) write(join(path, file), file);
  for (const { path } of directories) fs.rmdirSync(path);
}

function write(path, file) {
  const fd = fs.openSync(path, 'r+');
  fs.writeSync(fd, file === 'pids.max' ? '20' : file.includes('swap') ? '0' : String(64 * 2 ** 20));
  fs.closeSync(fd);
}

export async function measure({ quick, step }) {
  let made;
  try {
    made = shape();
  } catch (error) {
    return { rows: [], notes: [`No group can be made here: ${error.message}`] };
  }
  const { group, directories } = made;
  await group.delete();
  const contestants = [
    {
      id: 'plain',
      name: `mkdir, write, rmdir of ${directories.length} directories`,
      measure: repeat(() => plain(directories)),
    },
    {
      id: 'cgroup',
      name: 'Cgroup.create() and delete()',
      measure: repeat(() => cgroups.Cgroup.create({ resources }).delete()),
    },
  ];
  const { rows, failed } = await interleave(contestants, { rounds: quick ? 3 : 10, batch: quick ? 20 : 100, step });
  return { rows, notes: failed.map(({ name, reason }) => `${name} could not be measured: ${reason}`) };
}
