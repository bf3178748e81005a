/** The addon's functions as they are: numbers and buffers in, a result or -errno out. */

/** One end of a control socket inside the event loop. */
export interface NativeChannel {
  /** Bytes written, or -errno (-EAGAIN: wait for `writable`). Descriptors go with the first byte. */
  send(bytes: Uint8Array, fds: number[]): number;
  /** Bytes read, 0 at the end, or -errno. `facts` becomes [sender's pid, count of fds, fd…]. */
  receive(bytes: Uint8Array, facts: Int32Array): number;
  /** With true: call back once when there is room to send. */
  watch(writable: boolean): void;
  shutdown(): number;
  ref(): void;
  unref(): void;
  close(): void;
}

export interface Native {
  launcherImage(): Buffer;
  sealedMemfd(name: string, bytes: Uint8Array): number;
  /** The descriptor from which this process (all its threads) starts launchers; -1 while unset. */
  programFd(fd?: number): number;
  spawnLauncher(program: number, control: number): number;
  reap(pid: number): number;
  Channel: new (fd: number, onReady: (writable: boolean) => void) => NativeChannel;
  controlPair(): [number, number] | number;
  open(path: string, flags: number): number;
  close(fd: number): number;
  /** Acts on the calling thread (or with TSYNC all threads), for good. Without a program: -EFAULT where the flags are known. */
  seccompFilter(flags: number, program?: Uint8Array): number;
  noNewPrivileges(): number;
  /** Fills `notification` (struct seccomp_notif). -EAGAIN when there is none, -EPIPE when nobody has the filter any more. */
  notifyReceive(listener: number, notification: Uint8Array): number;
  /** Bytes read of another process's memory: up to the first page that can't be read. */
  readMemory(pid: number, address: bigint, to: Uint8Array): number;
  writeMemory(pid: number, address: bigint, bytes: Uint8Array): number;
  /** A counter that is readable while it isn't 0. Source: eventfd(2). */
  eventFd(): number;
  /** bpf(2). Each gives a descriptor, a count or 0, or -errno. */
  bpfProgramLoad(type: number, attachType: number, instructions: Uint8Array): number;
  bpfAttach(target: number, program: number, attachType: number, flags: number): number;
  bpfDetach(target: number, program: number, attachType: number): number;
  /** Fills `ids` with what is attached to the target itself. */
  bpfQuery(target: number, attachType: number, ids: Uint32Array): number;
  bpfProgramById(id: number): number;
  bpfMapCreate(type: number, keySize: number, valueSize: number, maxEntries: number): number;
  bpfMapLookup(map: number, key: Uint8Array, value: Uint8Array): number;
  /** One of two descriptors that all environments of this process share; -1 while unset. */
  bpfKept(slot: number, fd?: number): number;
  pipe(nonBlockingEnd: number): [number, number] | number;
  /** The last two act with that user's rights, for this one call. */
  openat2(
    directory: number,
    path: string,
    flags: number,
    mode: number,
    resolve: number,
    uid: number,
    gid: number,
  ): number;
  mkdirat(directory: number, name: string, mode: number, uid: number, gid: number): number;
  unlinkat(directory: number, name: string, flags: number, uid: number, gid: number): number;
  ioctl(fd: number, request: number, argument: number | Uint8Array): number;
  /** Length of the value; with an empty buffer nothing is read. O_PATH descriptors are welcome in these four. */
  getxattr(fd: number, name: string, to: Uint8Array): number;
  setxattr(fd: number, name: string, value: Uint8Array, flags: number): number;
  /** Names, each ended by a NUL. */
  listxattr(fd: number, to: Uint8Array): number;
  removexattr(fd: number, name: string): number;
  flock(fd: number, operation: number): number;
}
