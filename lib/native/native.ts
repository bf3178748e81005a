/** The addon's functions as they are: numbers and buffers in, a result or -errno out. */

/** One end of a control socket, or any descriptor that can be polled, inside the event loop. */
export interface NativeChannel {
  /** Bytes written, or -errno (-EAGAIN: wait for `writable`). Descriptors go with the first byte. */
  send(bytes: Uint8Array, fds: number[]): number;
  /** Bytes read, 0 at the end, or -errno. `facts` becomes [sender's pid, count of fds, fd…]. */
  receive(bytes: Uint8Array, facts: Int32Array): number;
  /** Call back when there is something to read (as from the start), and once when there is room to send. */
  watch(readable: boolean, writable: boolean): void;
  shutdown(): number;
  /** Whose process is reaped by others if this environment ends before it; -1 while it has not said its pid. */
  leads(pid: number): void;
  ref(): void;
  unref(): void;
  close(): void;
}

export interface Native {
  launcherImage(): Buffer;
  sealedMemfd(name: string, bytes: Uint8Array): number;
  /** The descriptor from which this process (all its threads) starts launchers; -1 while unset. */
  programFd(fd?: number): number;
  /** Starts the process that all launchers of this process (all its threads) are forked from. */
  spawnNursery(program: number, control: number): number;
  /** Takes it over; the pid of the one before, which ends now, or 0. With -1, 0 and '' there is none any more. */
  keepNursery(control: number, pid: number, key: string): number;
  seeNursery(): [number, number] | null;
  /** Asks it for a launcher on that socket. -ESTALE: there is none with this key, or it is too old. */
  launch(key: string, control: number): number;
  /** The pid of the launcher at the other end, which it says first. 0 when it is gone, -EAGAIN when it has not started yet. */
  startedPid(control: number, milliseconds: number): number;
  /** The ids and the priority that a child of this thread has, as text. */
  heritage(): string;
  reap(pid: number): number;
  /** For one that is about to end: reapLeft() of any thread reaps it. */
  reapLater(pid: number): void;
  /** How many of those still run. */
  reapLeft(): number;
  /** One launcher that waits for the next launch of any thread; false when there is one already. */
  keepSpare(control: number, key: string): boolean;
  /** Hands it out when it has this key, with its pid as startedPid() gives it; without a key any, after it has started. */
  takeSpare(key?: string): [number, number] | null;
  /** The one that waits, and goes on waiting. */
  seeSpare(): [number, number] | null;
  Channel: new (fd: number, onReady: (writable: boolean) => void) => NativeChannel;
  controlPair(): [number, number] | number;
  open(path: string, flags: number): number;
  close(fd: number): number;
  /** Bytes read, 0 at the end, -EAGAIN when there are none now. */
  read(fd: number, to: Uint8Array): number;
  /** All of a small file's text, as latin1, or -errno. On cgroupfs 10 µs, where fs.readFileSync takes 26 to 46; nothing is thrown. */
  readFile(path: string): string | number;
  /** By one write(2) that has to take it all: 0 or -errno. The file has to exist. */
  writeFile(path: string, text: string): number;
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
  /** An owner of -1 stays the caller's. */
  pipe(nonBlockingEnd: number, uid: number, gid: number): [number, number] | number;
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
  /** Another process's descriptor. Of the thread itself where the kernel can (6.9), else of its process. */
  takeDescriptor(thread: number, process: number, number: number): number;
  /** Domain, type and protocol. */
  socketKind(fd: number): [number, number, number] | number;
  /** Waits on a thread of its own; `done` hears 0 or -errno, if this gave 0. Leave the descriptor open until then. */
  connectSocket(fd: number, address: Uint8Array, done: (result: number) => void): number;
  shutdownSocket(fd: number): number;
  /** Both act on the calling thread. */
  unshare(flags: number): number;
  setns(fd: number, kind: number): number;
  sethostname(name: string): number;
  setdomainname(name: string): number;
  mount(source: string, target: string, type: string, flags: number, data: string): number;
  umount(target: string, flags: number): number;
  /** -errno of a clone3(2) that no kernel carries out, with a struct of this size. */
  clone3Refusal(size: number): number;
  pidfdOpen(pid: number, flags: number): number;
  pidfdSignal(pidfd: number, signal: number): number;
  /** A socket that hears these multicast groups (bits); `filter` is a struct sock_filter[]. Source: netlink(7). */
  netlinkListen(protocol: number, groups: number, filter: Uint8Array): number;
  /** Bytes taken, or -errno. The kernel's answers wait when it returns. */
  netlinkSend(fd: number, messages: Uint8Array): number;
  /** One datagram's bytes, or -errno: -EAGAIN when none waits. */
  netlinkReceive(fd: number, to: Uint8Array): number;
  /** landlock_create_ruleset(2) without a ruleset: 1 as flags asks for the ABI version. */
  landlockFacts(flags: number): number;
}
