// From a spawn request to a running program. The child is vforked: init stands still and shares its memory until the
// exec, so failures come back through a plain struct and no page is copied.
#include <linux/prctl.h>
#include <linux/sched.h>

#include "clone.hh"
#include "roles.hh"

namespace {

struct Attempt {
  Reader ops;
  Context* context;
  u32 id;
  bool courier;  // the next child is a courier
  u32 cgroup;    // as in SpawnHeader
  // Written by the child.
  i32 pid, listener;
  i64 error;
  u32 op, syscall;
};

// Everything between fork and exec. Only returns when it failed.
void become_payload(Attempt* attempt) {
  u64 none = 0;
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, nullptr, sizeof none);
  OpList ops(attempt->ops);
  i64 error = 0;
  while (!error && ops.next(abi::kRolePayload)) error = run_op(ops.code, ops.arguments, *attempt->context);
  attempt->error = error ? error : -EBADMSG;  // a plan without exec is malformed
  attempt->op = ops.ok() ? ops.index() : abi::kNone;
  attempt->syscall = last_syscall;
}

i64 vfork_payload(Attempt* attempt, u64 flags);

// A listener appears among the descriptors of whoever installs the filter, and from then on the filter says what that
// process may send. So a courier shares them with the payload, outlives their parting in execve, and does the sending.
void deliver_listener(Attempt* attempt) {
  attempt->courier = false;
  sys(__NR_dup3, (i32)abi::kControlFd, (i32)abi::kCourierFd, O_CLOEXEC);
  attempt->pid = (i32)vfork_payload(attempt, CLONE_FILES | CLONE_PARENT);
  if (attempt->pid < 0) attempt->error = attempt->pid, attempt->syscall = last_syscall;
  if (attempt->error) return;
  // It may well have got the control socket's number.
  i64 listener = sys(__NR_fcntl, attempt->listener, F_DUPFD_CLOEXEC, abi::kCourierFd);
  sys(__NR_dup3, (i32)abi::kCourierFd, (i32)abi::kControlFd, O_CLOEXEC);
  send_frame(abi::kFrameListener, &attempt->id, sizeof attempt->id, (i32)listener);
  attempt->courier = true;
}

void enter(Attempt* attempt) {
  if (attempt->courier) deliver_listener(attempt);
  else become_payload(attempt);
  leave(127);
}

// Into a v2 group of its own: by birth, since moving a process later waits for an RCU grace period. 0, or -errno.
i64 into_cgroup(const Attempt& attempt, u64 flags, struct clone_args* args) {
  const Context& context = *attempt.context;
  if (context.lacks(abi::kFeatureClone3)) return -EOPNOTSUPP;
  if (attempt.cgroup >= context.fd_count) return -EBADF;
  memset(args, 0, sizeof *args);
  args->flags = flags | CLONE_INTO_CGROUP;
  args->exit_signal = flags & CLONE_PARENT ? 0 : 17;  // a sibling's is its parent's
  args->cgroup = (u64)context.fds[attempt.cgroup];
  return 0;
}

bool born_elsewhere(const Attempt& attempt) { return !attempt.courier && attempt.cgroup != abi::kNone; }

#ifdef LAUNCHER_HOSTED
constexpr usize kRoom = 0;
// Sanitizers keep state per stack and memory: no shared memory there, but the same waiting until exec.
i64 vfork_payload(Attempt* attempt, u64 flags) {
  struct clone_args args;
  i64 pid = born_elsewhere(*attempt) ? into_cgroup(*attempt, flags | CLONE_VFORK, &args) : 1;
  if (pid < 0) return pid;
  pid = pid == 0 ? sys(__NR_clone3, &args, sizeof args)
                 : sys(__NR_clone, flags | CLONE_VFORK | 17, nullptr, nullptr, nullptr, 0);
  if (pid == 0) enter(attempt);
  return pid;
}
#else
constexpr usize kRoom = 16384;
alignas(16) u8 stacks[2][16384];  // the payload's and the courier's

void payload_entry(void* attempt) { enter((Attempt*)attempt); }

i64 vfork_payload(Attempt* attempt, u64 flags) {
  u8* stack = stacks[attempt->courier];
  flags |= CLONE_VM | CLONE_VFORK;
  if (!born_elsewhere(*attempt))
    return clone_into(__NR_clone, flags | 17, stack + sizeof stacks[0], payload_entry, attempt);
  struct clone_args args;
  i64 error = into_cgroup(*attempt, flags, &args);
  if (error) return error;
  args.stack = (u64)stack;
  args.stack_size = sizeof stacks[0];
  return clone_into(__NR_clone3, &args, sizeof args, payload_entry, attempt);
}
#endif

}  // namespace

i64 start_payload(const Frame& request, Reader ops, Context& context, i32* pid, u32* op) {
  *op = abi::kNone;
  // The child writes its failure here, and its argv and envp behind it; a mapping is shared, so that a plain fork works as well.
  alignas(16) static u8 room[kRoom + 1];
  usize size = sizeof(Attempt) + request.header.length * 2 + 4096;
  bool fits = size <= kRoom;
  i64 map = fits ? (i64)room : sys(__NR_mmap, nullptr, size, 3 /* read, write */, 0x21 /* shared, anonymous */, -1, 0);
  if (map < 0) return map;
  auto* attempt = (Attempt*)map;
  auto header = load<abi::SpawnHeader>(request.body);
  *attempt = {ops, &context, header.id, (header.flags & abi::kSpawnListener) != 0, header.cgroup, 0, 0, 0, 0, 0};
  context.listener = &attempt->listener;
  context.scratch = attempt + 1;
  context.scratch_size = size - sizeof(Attempt);
  i64 result = vfork_payload(attempt, 0);
  // Somebody has ended the courier, and the payload is on its way in our memory still.
  if (result > 0 && (header.flags & abi::kSpawnListener) && !attempt->courier && !attempt->error) leave(3);
  *pid = attempt->pid ? attempt->pid : (i32)result;
  // Changing ids in the child resets the dumpable flag of the memory that we share.
  sys(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (result > 0 && attempt->error) {
    result = attempt->error;
    *op = attempt->op;
    last_syscall = attempt->syscall;
  }
  if (!fits) sys(__NR_munmap, map, size);
  return result < 0 ? result : 0;
}
