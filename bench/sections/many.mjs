// A thousand sandboxes alive at once.
import fs from 'node:fs';
import { Sandbox } from '../../dist/index.js';

export const title = 'Many alive at once';
export const base = {};
const AT_ONCE = 16;

async function each(count, act) {
  let next = 0;
  const work = async () => {
    for (let i = next++; i < count; i = next++) await act(i);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return (performance.now() - start) / 1000;
}
const fds = () => fs.readdirSync('/proc/self/fd').length;
const alive = (pid) => fs.existsSync(`/proc/${pid}`);

export async function measure({ quick, step }) {
  const count = quick ? 100 : 1000;
  await (await Sandbox.create()).delete();
  const before = fds();
  const sandboxes = [];
  step(`create ${count}`, 0, 2);
  const created = await each(count, async (i) => {
    sandboxes[i] = await Sandbox.create();
  });
  const pids = sandboxes.map(({ pid }) => pid);
  const up = pids.filter(alive).length;
  step(`delete ${count}`, 1, 2);
  const deleted = await each(count, (i) => sandboxes[i].delete());
  const left = pids.filter(alive).length + Math.max(0, fds() - before);
  const rows = [
    { id: 'alive', name: 'alive', unit: '', median: up },
    { id: 'create', name: `create ${count}, ${AT_ONCE} at a time`, unit: 's', median: created, count },
    { id: 'delete', name: `delete ${count}`, unit: 's', median: deleted, count },
    { id: 'left', name: 'processes and descriptors left', unit: '', median: left },
  ];
  return { rows, notes: [] };
}
