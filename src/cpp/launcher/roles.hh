// The launcher's roles. Each is a function that never returns to its caller's plan: main.cc tells their story.
#pragma once
#include "frame.hh"
#include "ops.hh"

[[noreturn]] void nurse();
[[noreturn]] void supervise();
[[noreturn]] void init(Reader begin, Context& context, i32 go);

// Runs the ops of one role; on failure tells Node and returns the error.
i64 run_role(Reader ops, u16 role, Context& context);

// Starts a payload for a spawn request. 0 and *pid, or -errno with *op saying which op failed.
i64 start_payload(const Frame& request, Reader ops, Context& context, i32* pid, u32* op);

[[noreturn]] inline void leave(i32 status) {
  sys(__NR_exit_group, status);
  // A payload's filter may refuse to let it go; an illegal instruction it can't refuse.
  __builtin_trap();
}

// All descriptors above the socket to Node.
inline void close_others() {
  i64 result = sys(__NR_close_range, abi::kControlFd + 1, ~0u, 0);
  for (i32 fd = abi::kControlFd + 1; result == -ENOSYS && fd < 65536; fd++) close_fd(fd);
}
