/** Which hierarchy, if any, lets this process limit a given resource. Written apart from lib/cgroups so that it can judge it. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';

const readText = (path: string) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

function canWrite(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Mount points by type, with the super block's options: `cgroup` has its controllers there. */
function cgroupMounts(type: 'cgroup' | 'cgroup2'): { point: string; options: string[] }[] {
  return readText('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(` - ${type} `))
    .map((line) => ({ point: line.split(' ')[4] ?? '', options: line.split(' ').at(-1)?.split(',') ?? [] }));
}

/** /proc/self/cgroup gives our place; inside a cgroup namespace or a container it may not exist below the mount. */
function ownGroup(point: string, controller: string): string {
  const line = readText('/proc/self/cgroup')
    .split('\n')
    .find((l) => (controller === '' ? l.startsWith('0::') : (l.split(':')[1] ?? '').split(',').includes(controller)));
  const path = `${point}${line?.split(':').slice(2).join(':') ?? ''}`;
  return existsSync(path) ? path : point;
}

/**
 * `'v1'` or `'v2'` where a child group with this controller can be made, else undefined. The empty name asks for v2 itself,
 * which can freeze and kill without any controller.
 */
export function cgroupController(name: string): 'v1' | 'v2' | undefined {
  for (const { point, options } of cgroupMounts('cgroup')) {
    if (options.includes(name) && canWrite(ownGroup(point, name))) return 'v1';
  }
  for (const { point } of cgroupMounts('cgroup2')) {
    const group = ownGroup(point, '');
    const controllers = readText(`${group}/cgroup.controllers`).trim().split(' ');
    if (canWrite(group) && (name === '' || controllers.includes(name))) return 'v2';
  }
  return undefined;
}
