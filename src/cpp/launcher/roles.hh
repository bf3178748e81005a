// The launcher's three roles. Each is a function that never returns to its caller's plan: main.cc tells their story.
#pragma once
#include "frame.hh"
#include "ops.hh"

struct Plan {
  abi::PlanHeader header;
  Reader ops;
};

[[noreturn]] void supervise();
[[noreturn]] void init(const Plan& plan, Context& context, i32 go);

// Starts a payload for a spawn request. 0 and *pid, or -errno with *op saying which op failed.
i64 start_payload(const Frame& request, Reader ops, Context& context, i32* pid, u32* op);

[[noreturn]] inline void leave(i32 status) {
  sys(__NR_exit_group, status);
  // A payload's filter may refuse to let it go; an illegal instruction it can't refuse.
  __builtin_trap();
}
