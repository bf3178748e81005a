// Theory of operation
//
// One static program without libc, started by the addon from a sealed memfd with a socket to Node as descriptor 3.
//
//   nursery     the process that the addon starts, once in a while. For every control socket that Node sends it forks a
//               supervisor, which is cheaper than starting one, and Node need not wait for it. It knows nothing of sandboxes.
//   supervisor  says its pid; reads `prepare`; runs its ops in the host's namespaces and clones init into the new ones. Here both may
//               wait: Node keeps one launcher ahead of its next launch. Reads `supervise`, writes the identity maps; then
//               only waits for one of two ends: the socket's (Node is gone or is done) or init's. Either way it kills init,
//               reaps everything, runs the plan's clean-up ops, and exits.
//   init        begins what every sandbox needs; after the maps reads `build` and runs its ops (mounts, pivot_root, host
//               name, ...), tells Node that it is ready, and serves requests from the same socket: start a payload, send a
//               signal. As pid 1 it reaps every orphan. Whose turn it is to read is settled by the maps.
//   payload     vforked by init for each request; runs that request's ops and ends in execve.
//
// The launcher decides nothing. TypeScript compiles options into ops and this program carries them out in order; the
// first one that fails is reported as {role, index, errno, system call}, and whatever it was meant to confine never runs.
//
// Whose word counts: Node is trusted, everything inside the sandbox is not. The only inputs are frames from Node, and
// they are still bounds-checked: a bug there must not become one here.
#include "roles.hh"

u32 last_syscall = 0;

namespace {

[[noreturn]] void start() {
  // Nothing but the socket and three null descriptors is wanted from whoever started us.
  close_others();
  // What the caller ignores would stay ignored through exec. posix_spawn resets all but the two that libc uses itself; all
  // zero is SIG_DFL.
  u64 action[4] = {};
  for (u32 signal = 32; signal <= 33; signal++) raw_syscall(__NR_rt_sigaction, signal, (i64)action, 0, 8, 0, 0);
  // Keyboard signals of the caller's terminal are not ours.
  sys(__NR_setsid);
  nurse();
}

}  // namespace

#ifdef LAUNCHER_HOSTED
int main() { start(); }
#else
extern "C" {
void* memcpy(void* to, const void* from, usize n) {
  for (usize i = 0; i < n; i++) ((u8*)to)[i] = ((const u8*)from)[i];
  return to;
}
void* memset(void* to, int value, usize n) {
  for (usize i = 0; i < n; i++) ((u8*)to)[i] = (u8)value;
  return to;
}
usize strlen(const char* s) {
  usize n = 0;
  while (s[n]) n++;
  return n;
}

[[noreturn]] void launcher_start() { start(); }
}

#if defined(__x86_64__)
asm(".global _start\n_start:\n\txor %ebp, %ebp\n\tand $-16, %rsp\n\tcall launcher_start\n\thlt\n");
#elif defined(__aarch64__)
asm(".global _start\n_start:\n\tmov x29, xzr\n\tmov x30, xzr\n\tbl launcher_start\n\tbrk #0\n");
#endif
#endif
