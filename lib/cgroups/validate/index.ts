/** Resources from the caller → ResourceConfig. All issues at once; nothing is created here. */
import type { Issue } from '../../../types/errors';
import { ValidationError } from '../../errors';
import type { ResourceConfig } from '../config';
import { readCpu, readCpuset } from './cpu';
import { readDevices, readIo, readNetwork } from './devices';
import { type HostLimits, hostLimits } from './host';
import { type AddIssue, Reader, show } from './reader';
import { readHugetlb, readMemory, readMisc, readPids, readRdma } from './simple';

export { type HostLimits, hostLimits, parseList } from './host';
export type { AddIssue } from './reader';

/**
 * @param path where the value stands in the caller's options: `resources`
 * @param add receives each problem; the value it belongs to is left out of the result
 */
export function readResources(
  value: unknown,
  path: string,
  add: AddIssue,
  host: HostLimits = hostLimits(),
): ResourceConfig {
  const reader = new Reader(add, host);
  const config = reader.object<ResourceConfig>(value, path, {
    memory: (v, at) => readMemory(reader, v, at),
    cpu: (v, at) => readCpu(reader, v, at),
    cpuset: (v, at) => readCpuset(reader, v, at),
    pids: (v, at) => readPids(reader, v, at),
    io: (v, at) => readIo(reader, v, at),
    hugetlb: (v, at) => readHugetlb(reader, v, at),
    rdma: (v, at) => readRdma(reader, v, at),
    misc: (v, at) => readMisc(reader, v, at),
    devices: (v, at) => readDevices(reader, v, at),
    network: (v, at) => readNetwork(reader, v, at),
    unified: (v, at) => readUnified(reader, v, at),
  });
  return config ?? {};
}

/** Throws ValidationError with every problem. */
export function parseResources(value: unknown, path = 'resources', host?: HostLimits): ResourceConfig {
  const issues: Issue[] = [];
  const add: AddIssue = (at, message, hint) => {
    if (issues.length < 100) issues.push({ path: at, message, hint });
    return undefined;
  };
  const config = readResources(value, path, add, host);
  if (issues.length > 0) throw new ValidationError(issues);
  return config;
}

/** Of the core's own files only limits on descendants; the others move processes or share out controllers. */
const unifiedName = /^(?:cgroup\.max\.(?:depth|descendants)|(?!cgroup\.)[a-z][a-z0-9_]*(?:\.[A-Za-z0-9_-]+)+)$/;

function readUnified(reader: Reader, value: unknown, path: string): Record<string, string> | undefined {
  return reader.record(value, path, unifiedName, (text, at) => {
    if (typeof text === 'string' && text !== '' && text.length <= 4096 && !text.includes('\0')) return text;
    return reader.add(at, `must be the text to write, 1 to 4096 characters, got ${show(text)}`);
  });
}
