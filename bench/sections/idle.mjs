// What a sandbox that does nothing holds.
import fs from 'node:fs';
import { Sandbox } from '../../dist/index.js';

export const title = 'An idle sandbox';
export const base = {};
const COUNT = 20;

const fds = () => fs.readdirSync('/proc/self/fd').length;
const threads = () => fs.readdirSync('/proc/self/task').length;
const children = (pid) =>
  fs
    .readdirSync(`/proc/${pid}/task`)
    .flatMap((tid) => fs.readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8').trim().split(' '))
    .filter(Boolean)
    .map(Number);
const below = (pid) => children(pid).flatMap((child) => [child, ...below(child)]);
const privateKib = (pid) =>
  [...fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_\w+:\s+(\d+) kB/gm)].reduce(
    (sum, [, kib]) => sum + Number(kib),
    0,
  );

const parent = (pid) => Number(/^PPid:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

export async function measure({ step }) {
  step('create', 0, 1);
  // What is there once, however many sandboxes there are: the launcher's program, the spare launcher.
  await (await Sandbox.create()).delete();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = { fds: fds(), threads: threads() };
  const sandboxes = await Promise.all(Array.from({ length: COUNT }, () => Sandbox.create()));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const held = sandboxes.flatMap(({ pid }) => [parent(pid), ...below(parent(pid))]);
  const notes = [];
  let memory;
  try {
    memory = held.reduce((sum, pid) => sum + privateKib(pid), 0) / COUNT;
  } catch {
    notes.push('Private memory can be read by root only: init is not dumpable.');
  }
  const rows = [
    { id: 'processes', name: 'processes', unit: '', median: held.length / COUNT },
    ...(memory === undefined ? [] : [{ id: 'memory', name: 'private memory of them', unit: 'KiB', median: memory }]),
    { id: 'fds', name: 'descriptors in Node', unit: '', median: (fds() - before.fds) / COUNT },
    { id: 'threads', name: 'threads in Node', unit: '', median: (threads() - before.threads) / COUNT },
  ];
  await Promise.all(sandboxes.map((sandbox) => sandbox.delete()));
  return { rows, notes };
}
