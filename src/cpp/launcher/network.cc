#include "network.hh"

#include <linux/if.h>
#include <linux/sched.h>
#include <linux/socket.h>
#include <linux/sockios.h>
#include <linux/wait.h>

#include "clone.hh"
#include "roles.hh"

namespace {

// Of the helper, which shares our memory and descriptors; pid 0: there is none.
struct Helper {
  i32 pid;
  i32 fd;
  i64 error;
  u32 syscall;
} helper = {0, -1, 0, 0};

i64 current_network() { return sys(__NR_openat, kAtFdcwd, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC); }

i64 loopback_up(i32 socket) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return sys(__NR_ioctl, socket, SIOCSIFFLAGS, &request);
}

// Leaves the namespace as a descriptor. No /proc needed: a socket knows where it was made.
i64 make(i32* fd) {
  i64 result = sys(__NR_unshare, CLONE_NEWNET);
  if (result < 0) return result;
  i64 socket = sys(__NR_socket, 2 /* AF_INET */, 2 /* SOCK_DGRAM */ | O_CLOEXEC, 0);
  if (socket < 0) return socket;
  result = loopback_up((i32)socket);
  if (result >= 0) result = sys(__NR_ioctl, socket, SIOCGSKNS, nullptr);
  if (result >= 0) *fd = (i32)result;
  close_fd((i32)socket);
  return result < 0 ? result : 0;
}

#ifndef LAUNCHER_HOSTED
// A number out of the sequence, so that programs count from 2 whether there was a helper or not.
constexpr i32 kHelperPid = 300;
alignas(16) u8 helper_stack[8192];

void run_helper(void*) {
  helper.error = make(&helper.fd);
  helper.syscall = last_syscall;
  leave(0);
}

// A new process waits for its turn on its parent's CPU, although another one may be idle. Only advice.
void move_away(i32 pid) {
  u32 cpu = 0;
  u8 cpus[128];
  memset(cpus, 0xff, sizeof cpus);
  sys(__NR_getcpu, &cpu, nullptr, nullptr);
  if (cpu < sizeof cpus * 8) cpus[cpu / 8] ^= (u8)(1 << cpu % 8);
  sys(__NR_sched_setaffinity, pid, sizeof cpus, cpus);
}

i64 start_helper(const Context& context) {
  // A shared table of descriptors grows only after an RCU grace period (fs/file.c): have its size first.
  constexpr i32 last = abi::kSlotBase + abi::kMaxSlots - 1;
  i64 grown = sys(__NR_dup3, abi::kControlFd, last, O_CLOEXEC);
  if (grown < 0) return grown;
  close_fd(last);
  i32 pid = kHelperPid;
  struct clone_args args;
  memset(&args, 0, sizeof args);
  args.flags = CLONE_VM | CLONE_FILES;
  args.stack = (u64)helper_stack;
  args.stack_size = sizeof helper_stack;
  if (sys(__NR_getpid) == 1) {
    args.set_tid = (u64)&pid;
    args.set_tid_size = 1;
  }
  i64 result = clone_into(__NR_clone3, &args, 80 /* CLONE_ARGS_SIZE_VER1 */, run_helper, nullptr);
  if (result > 0 && !context.waits) move_away((i32)result);
  return result;
}
#else
// Sanitizers don't take a second process in their memory.
i64 start_helper(const Context&) { return -ENOSYS; }
#endif

}  // namespace

// Without a helper (before 5.5) the waiting is init's own.
i64 make_network(const Context& context) {
  i64 pid = context.lacks(abi::kFeatureClone3) ? -ENOSYS : start_helper(context);
  helper.pid = pid > 0 ? (i32)pid : 0;
  return 0;
}

i64 enter_network() {
  if (!helper.pid) {
    i64 result = make(&helper.fd);
    close_fd(helper.fd);
    return result;
  }
  while (sys(__NR_wait4, helper.pid, nullptr, __WALL, nullptr) == -EINTR) continue;
  if (helper.error < 0) {
    last_syscall = helper.syscall;
    return helper.error;
  }
  i64 result = sys(__NR_setns, helper.fd, CLONE_NEWNET);
  close_fd(helper.fd);
  return result;
}

void open_socket(Reader request) {
  auto wanted = request.get<abi::OpenSocketBody>();
  i32 made = -1;
  i64 home = wanted.fresh ? current_network() : -1;
  i64 result = !wanted.fresh ? 0 : home < 0 ? home : make(&made);
  for (u32 left = request.number(); result == 0 && left > 0; left--) {
    const char* path = request.string();
    result = write_file(kAtFdcwd, path, request.string());
  }
  for (u32 i = 0; i < wanted.count && i < abi::kMaxSockets; i++) {
    i64 fd = result < 0 ? result : sys(__NR_socket, wanted.domain, wanted.type | O_CLOEXEC, wanted.protocols[i]);
    abi::SocketBody body = {(u32)(fd < 0 ? -fd : 0)};
    send_frame(abi::kFrameSocket, &body, sizeof body, fd < 0 ? -1 : (i32)fd);
    close_fd((i32)fd);
  }
  // Whatever it is asked next is meant for where it was.
  if (home >= 0 && sys(__NR_setns, home, CLONE_NEWNET) < 0) leave(3);
  close_fd((i32)home);
  close_fd(made);
}
