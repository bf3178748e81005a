// The supervisor: in the host's namespaces, parent of init, and the only one who cleans up. It never reads the control
// socket after the plan: it watches for its end (Node is gone) and for the end of init.
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "roles.hh"

namespace {

constexpr u32 kSigchld = 17, kSigkill = 9;

// Before 5.3 (or with clone3 forbidden): plain clone. What it can't say is done by other means or refused.
i64 legacy_clone(u64 flags, i32* pidfd) {
  if (flags & (CLONE_INTO_CGROUP | CLONE_NEWTIME)) return -EOPNOTSUPP;
  return sys(__NR_clone, flags | CLONE_PIDFD | kSigchld, nullptr, pidfd, nullptr, 0);
}

i64 clone_init(const Plan& plan, const Context& context, i32* pidfd) {
  struct clone_args args;
  memset(&args, 0, sizeof args);
  args.flags = plan.header.clone_flags | CLONE_PIDFD;
  args.pidfd = (u64)pidfd;
  args.exit_signal = kSigchld;
  usize size = 64;  // CLONE_ARGS_SIZE_VER0: kernels without the cgroup field refuse a longer one
  if (plan.header.cgroup_slot != abi::kNone) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (u64)slot_fd(plan.header.cgroup_slot);
    size = sizeof args;
  }
  if (!context.lacks(abi::kFeatureClone3)) {
    i64 pid = sys(__NR_clone3, &args, size);
    if (pid != -ENOSYS) return pid;
  }
  return legacy_clone(args.flags, pidfd);
}

// Runs the ops of one role; on failure tells Node and returns the error.
i64 run_role(const Plan& plan, u16 role, Context& context) {
  OpList ops(plan.ops);
  while (ops.next(role)) {
    i64 error = run_op(ops.code, ops.arguments, context);
    if (error) {
      send_failed(abi::kNone, role, ops.index(), error);
      return error;
    }
  }
  if (ops.ok()) return 0;
  send_failed(abi::kNone, role, abi::kNone, -EBADMSG);
  return -EBADMSG;
}

// Without a PID namespace of its own a sandbox's orphans come to us (PR_SET_CHILD_SUBREAPER): kill until none is left.
void kill_children() {
  for (int round = 0; round < 10000 && sys(__NR_wait4, -1, nullptr, WNOHANG | __WALL, nullptr) != -ECHILD; round++) {
    kill_listed("/proc/thread-self/children");
    sys(__NR_wait4, -1, nullptr, __WALL, nullptr);
  }
}

// Until Node lets go of its end of the socket, or the process ends.
void wait_for_end(i32 pidfd) {
  PollFd watched[2] = {{(i32)abi::kControlFd, kPollRdhup, 0}, {pidfd, kPollIn, 0}};
  while (!watched[0].revents && !watched[1].revents) sys(__NR_ppoll, watched, 2, nullptr, nullptr, 0);
}

[[noreturn]] void clean_up(const Plan& plan, Context& context, i32 status) {
  kill_children();
  OpList ops(plan.ops);
  while (ops.next(abi::kRoleCleanup)) {
    // Counters in what is removed here are Node's to read first.
    wait_for_end(-1);
    if (run_op(ops.code, ops.arguments, context)) status = 1;
  }
  leave(status);
}

}  // namespace

void supervise() {
  static Frame frame;
  static Plan plan;
  static Context context;
  if (receive_frame(&frame) || frame.header.type != abi::kFramePlan) leave(2);
  Reader body(frame.body, frame.header.length);
  plan.header = body.get<abi::PlanHeader>();
  plan.ops = body;
  context.disabled = plan.header.disabled;
  if (!body.ok() || plan.header.magic != abi::kMagic || plan.header.version != abi::kVersion) {
    send_failed(abi::kNone, abi::kRoleSupervisor, abi::kNone, -EBADMSG);
    leave(2);
  }
  for (u32 i = 0; i < frame.fd_count; i++) fill_slot(i, frame.fds[i]);
  if (run_role(plan, abi::kRoleSupervisor, context)) clean_up(plan, context, 1);

  i32 go[2];
  i32 pidfd = -1;
  i64 pid = sys(__NR_pipe2, go, O_CLOEXEC);
  if (pid >= 0) pid = clone_init(plan, context, &pidfd);
  if (pid == 0) {
    close_fd(go[1]);
    init(plan, context, go[0]);
  }
  if (pid < 0) {
    send_failed(abi::kNone, abi::kRoleSupervisor, abi::kNone, pid);
    clean_up(plan, context, 1);
  }
  close_fd(go[0]);
  context.child = (i32)pid;
  bool mapped = run_role(plan, abi::kRoleMap, context) == 0;
  // Slots are init's now; kept here they would hold its cgroup and mounts.
  sys(__NR_close_range, abi::kSlotBase, abi::kSlotBase + abi::kMaxSlots, 0);
  if (mapped) {
    sys(__NR_write, go[1], "", 1);
    close_fd(go[1]);
    wait_for_end(pidfd);
  }
  sys(__NR_kill, pid, kSigkill);
  abi::InitExitedBody ended = {0};
  while (sys(__NR_wait4, pid, &ended.status, __WALL, nullptr) == -EINTR) continue;
  send_frame(abi::kFrameInitExited, &ended, sizeof ended);
  clean_up(plan, context, 0);
}
