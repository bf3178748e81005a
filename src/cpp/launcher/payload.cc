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
  // Written by the child.
  i64 error;
  u32 op;
  u32 syscall;
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

#ifdef LAUNCHER_HOSTED
// Sanitizers keep state per stack and memory: no shared memory there, but the same waiting until exec.
i64 vfork_payload(Attempt* attempt) {
  i64 pid = sys(__NR_clone, (u64)(CLONE_VFORK | 17), nullptr, nullptr, nullptr, 0);
  if (pid == 0) {
    become_payload(attempt);
    leave(127);
  }
  return pid;
}
#else
alignas(16) u8 payload_stack[16384];

void payload_entry(void* attempt) {
  become_payload((Attempt*)attempt);
  leave(127);
}

i64 vfork_payload(Attempt* attempt) {
  u8* top = payload_stack + sizeof payload_stack;
  return clone_into(__NR_clone, CLONE_VM | CLONE_VFORK | 17, top, payload_entry, attempt);
}
#endif

}  // namespace

i64 start_payload(const Frame& request, Reader ops, Context& context, i32* pid, u32* op) {
  *op = abi::kNone;
  // The child writes its failure here, and its argv and envp behind it; shared, so that a plain fork works as well.
  usize size = sizeof(Attempt) + request.header.length * 2 + 4096;
  i64 map = sys(__NR_mmap, nullptr, size, 3 /* read, write */, 0x21 /* shared, anonymous */, -1, 0);
  if (map < 0) return map;
  auto* attempt = (Attempt*)map;
  attempt->ops = ops;
  attempt->context = &context;
  context.scratch = attempt + 1;
  context.scratch_size = size - sizeof(Attempt);
  i64 result = vfork_payload(attempt);
  *pid = (i32)result;
  // Changing ids in the child resets the dumpable flag of the memory that we share.
  sys(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (result > 0 && attempt->error) {
    result = attempt->error;
    *op = attempt->op;
    last_syscall = attempt->syscall;
  }
  sys(__NR_munmap, map, size);
  return result < 0 ? result : 0;
}
