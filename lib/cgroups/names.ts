/**
 * Groups carry their owner in their names: linux-isolate-<pid>-<start time>-<where>-<n>; <where> is `0` for the initial
 * namespaces. So whoever comes later can tell from the name alone whether the owner still lives.
 */
import { threadId } from 'node:worker_threads';
import { ownerState, ownToken } from '../host/owner';

export const prefix = 'linux-isolate-';

let count = 0;

/** `linux-isolate-<pid>-<start time>-<where>`, of this process. */
export function ownName(): string {
  return `${prefix}${ownToken()}`;
}

/** A name that no other group of this process has: threads count each for themselves. */
export function newName(): string {
  return `${ownName()}-${threadId === 0 ? '' : `t${threadId}.`}${count++}`;
}

const pattern = /^linux-isolate-(\d+-\d+-[\d_]+)-/;

/** `other`: not ours by its name, or from namespaces that we can't judge. */
export function ownerOf(name: string): 'alive' | 'dead' | 'other' {
  const match = pattern.exec(name);
  return match ? ownerState(match[1] as string) : 'other';
}
