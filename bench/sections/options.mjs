// What single walls cost: a cold run with and without, beside the kernel's own price for the same.
import { run } from '../../dist/index.js';
import { program, v1Groups } from '../floor.mjs';
import { interleave, repeat } from '../measure.mjs';

export const title = 'With and without';
export const base = { '÷ floor': 'floor' };

export async function measure({ floor, quick, step }) {
  const cold = (options) => repeat(() => run(program, [], options));
  const contestants = [
    { id: 'floor', name: 'floor: all', measure: floor.all() },
    { id: 'floor-nonet', name: 'floor: without network namespace', measure: floor.all(['nonet']) },
    { id: 'floor-noseccomp', name: 'floor: without seccomp', measure: floor.all(['noseccomp']) },
    { id: 'cold', name: 'run(): all', measure: cold({}) },
    { id: 'nonet', name: "run(): network: 'host'", measure: cold({ network: 'host' }) },
    { id: 'noseccomp', name: "run(): seccomp: 'unconfined'", measure: cold({ seccomp: 'unconfined' }) },
  ];
  const groups = v1Groups();
  const notes = [];
  if (process.getuid() === 0 && groups.length > 0) {
    contestants.push({ id: 'floor-cgroup', name: 'floor: with cgroups (v1)', measure: floor.all([], groups) });
  } else notes.push('No floor with cgroups: that one knows v1, as root.');
  const limits = { memory: '256MiB', pids: 64 };
  contestants.push({ id: 'cgroup', name: 'run(): memory and pids limited', measure: cold(limits) });
  const { rows, failed } = await interleave(contestants, { rounds: quick ? 3 : 10, batch: quick ? 5 : 15, step });
  for (const { name, reason } of failed) notes.push(`${name} could not be measured: ${reason}`);
  return { rows, notes };
}
