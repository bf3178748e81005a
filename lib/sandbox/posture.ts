/**
 * What a sandbox is at one moment, as far as its programs can change it: a text for each fact. Taken before the first program
 * and after each clean-up; two that are equal say that nothing of a program is left.
 *
 * Much of it is init's: a program of the same user may set another process's limits and send it signals (prlimit(2), kill(2)),
 * and what init has, the next program inherits or sees.
 */
import fs from 'node:fs';
import type { Group } from '../cgroups';
import type { Posture } from '../launcher';
import type { SandboxFiles } from './files';

export type Facts = ReadonlyMap<string, string>;

/** Lines of /proc/<pid>/status that tell of rights, signals and confinement, and none that moves by itself. */
const statusFields = new Set(
  'Name Umask TracerPid Uid Gid Groups Threads SigPnd ShdPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Seccomp_filters Cpus_allowed Mems_allowed CoreDumping'.split(
    ' ',
  ),
);

/** Priority, nice value, real-time priority and policy: fields 18, 19, 40 and 41 of /proc/<pid>/stat (proc(5)). */
const statFields = [18, 19, 40, 41];

export async function takePosture(
  pid: number,
  report: Posture,
  files: SandboxFiles,
  renewed: ReadonlyMap<string, string>,
): Promise<Facts> {
  const facts = new Map<string, string>();
  for (const [key, value] of Object.entries(report)) facts.set(`init ${key}`, String(value));
  const read = (name: string): string => fs.readFileSync(`/proc/${pid}/${name}`, 'utf8');
  for (const line of read('status').split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (statusFields.has(name)) facts.set(`init ${name}`, line.slice(colon + 1).trim());
  }
  const stat = read('stat');
  // The name before may hold spaces and brackets; field 3 follows its last one.
  const numbers = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  facts.set('init priority', statFields.map((field) => numbers[field - 3]).join(' '));
  for (const name of ['limits', 'oom_score_adj', 'cgroup']) facts.set(`init ${name}`, read(name));
  for (const [point, text] of mounts(read('mountinfo'), renewed)) facts.set(`mount ${point}`, text);
  for (const [directory, type] of renewed) {
    if (type === 'devpts') continue;
    const names = (await files.list(directory)).map((entry) => `${entry.name} (${entry.type})`);
    facts.set(`in ${directory}`, names.sort().join(', '));
  }
  return facts;
}

/** By mount point; those stacked on one point are told apart. What is mounted anew has other numbers each time. */
function mounts(mountinfo: string, renewed: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of mountinfo.split('\n')) {
    if (line === '') continue;
    const [id, parent, device, root, point, ...rest] = line.split(' ');
    const numbers = renewed.has(point as string) ? '' : `${id} ${parent} ${device}`;
    let key = point as string;
    while (found.has(key)) key += ' (above)';
    found.set(key, [numbers, root, ...rest].join(' '));
  }
  return found;
}

/** The first fact that differs, for a person; undefined when there is none. */
export function difference(before: Facts, after: Facts): string | undefined {
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key), after.get(key)];
    if (was !== is) return `${key}: ${firstChange(was, is)}`;
  }
  return undefined;
}

function firstChange(was: string | undefined, is: string | undefined): string {
  if (was === undefined) return `now ${short(is as string)}, and was not there`;
  if (is === undefined) return `was ${short(was)}, and is gone`;
  const [before, after] = [was.split('\n'), is.split('\n')];
  const line = before.findIndex((text, i) => text !== after[i]);
  if (line < 0) return `${after.length} lines, and had ${before.length}`;
  return `now ${short(after[line] ?? '')}, was ${short(before[line] as string)}`;
}

const short = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);

/** Counters that go back by themselves, a little later: a process's end and a file system's are not one moment. */
export function groupFacts(group: Group | undefined): Facts {
  const facts = new Map<string, string>();
  for (const [file, value] of Object.entries(group?.remains() ?? {})) facts.set(`cgroup ${file}`, String(value));
  return facts;
}
