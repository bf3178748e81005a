#include "listener.hh"

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include "clone.hh"
#include "frame.hh"
#include "roles.hh"

#ifndef LAUNCHER_HOSTED
namespace {

// Once its filter stands, the payload's own calls may be refused or wait for an answer. So a relay that was started before,
// and shares memory and descriptors with it, sends the listener.
constexpr i32 kPending = -1000000;
struct Relay {
  u32 id;
  i32 listener;  // kPending, a descriptor, or -errno
  i32 sent;
};
Relay relay;
alignas(16) u8 relay_stack[8192];

void run_relay(void*) {
  i32 fd = kPending;
  while ((fd = __atomic_load_n(&relay.listener, __ATOMIC_ACQUIRE)) == kPending) sys(__NR_sched_yield);
  abi::ListenerBody body = {relay.id};
  if (fd >= 0) send_frame(abi::kFrameListener, &body, sizeof body, fd, 0, abi::kListenerFd);
  __atomic_store_n(&relay.sent, 1, __ATOMIC_RELEASE);
  leave(0);
}

}  // namespace

i64 install_listening(const sock_fprog& program, u32 flags, const Context& context) {
  relay = {context.spawn_id, kPending, 0};
  // Init's child, so that the program never meets it.
  u64 clone_flags = CLONE_VM | CLONE_FILES | CLONE_PARENT;
  i64 pid = clone_into(__NR_clone, clone_flags, relay_stack + sizeof relay_stack, run_relay, nullptr);
  if (pid < 0) return pid;
  i64 result = sys(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  __atomic_store_n(&relay.listener, (i32)result, __ATOMIC_RELEASE);
  // No system call to wait with.
  while (!__atomic_load_n(&relay.sent, __ATOMIC_ACQUIRE)) continue;
  return result < 0 ? result : 0;
}
#else
i64 install_listening(const sock_fprog&, u32, const Context&) { return -ENOSYS; }
#endif
