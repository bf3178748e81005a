// The same at growing heaps, each in a process of its own.
import { execFile } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const title = 'At a heap of 50 MB, 1 GB and 4 GB';
export const base = {};
const child = fileURLToPath(new URL('heap-child.mjs', import.meta.url));

export async function measure({ quick, step }) {
  const rows = [];
  const notes = [];
  for (const megabytes of quick ? [50, 1024] : [50, 1024, 4096]) {
    if (os.freemem() < (megabytes * 1.2 + 512) * 2 ** 20) {
      notes.push(`${megabytes} MB was left out: only ${Math.round(os.freemem() / 2 ** 20)} MB are free.`);
      continue;
    }
    step(`${megabytes} MB`, 0, 1);
    const args = [child, `${megabytes}`, quick ? '3' : '8'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
    rows.push(...JSON.parse(stdout));
  }
  return { rows, notes };
}
