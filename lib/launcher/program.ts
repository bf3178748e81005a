/** The launcher program as a descriptor: a sealed memfd, made once per process. */
import fs from 'node:fs';
import os from 'node:os';
import { errnoName, UnsupportedError } from '../errors';
import { pretendedMissing } from '../host/pretend';
import { native } from '../native';

/** With O_DIRECTORY, whose number is not the same everywhere. Source: asm-generic/fcntl.h. */
const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;
const EACCES = os.constants.errno.EACCES;

/** Descriptor to start launchers from. */
export function launcherProgram(): number {
  const n = native();
  let fd = n.programFd();
  if (fd < 0) {
    fd = useLauncherProgram(n.launcherImage());
  }
  return fd;
}

/** Makes all later launches use this program. The hosted (sanitizer) build comes in here. */
export function useLauncherProgram(image: Uint8Array): number {
  const n = native();
  let fd = pretendedMissing().has('memfd') ? -EACCES : n.sealedMemfd('linux-isolate', image);
  // vm.memfd_noexec=2 (kernel 6.3) forbids executable memfds.
  if (fd === -EACCES) fd = unnamedFile(image);
  if (fd < 0)
    throw new UnsupportedError('launcher', `No place to run the launcher from: memfd_create gave ${errnoName(-fd)}`);
  n.programFd(fd);
  return fd;
}

/** An unlinked file, opened read-only: executable by us, writable by nobody once the writer is closed. */
function unnamedFile(image: Uint8Array): number {
  const writer = fs.openSync(os.tmpdir(), O_TMPFILE | fs.constants.O_RDWR, 0o700);
  try {
    fs.writeSync(writer, image);
    fs.fchmodSync(writer, 0o500);
    return fs.openSync(`/proc/self/fd/${writer}`, fs.constants.O_RDONLY);
  } finally {
    fs.closeSync(writer);
  }
}
