// The supervisor: in the host's namespaces, parent of init, and the only one who cleans up. It never reads the control
// socket after `supervise`: it watches for its end (Node is gone) and for the end of init.
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include <linux/wait.h>

#include "roles.hh"

namespace {

constexpr u32 kSigchld = 17, kSigkill = 9;

i64 clone_init(const abi::PrepareHeader& header, const Context& context, i32* pidfd) {
  struct clone_args args;
  memset(&args, 0, sizeof args);
  args.flags = header.clone_flags | CLONE_PIDFD;
  args.pidfd = (u64)pidfd;
  args.exit_signal = kSigchld;
  usize size = 64;  // CLONE_ARGS_SIZE_VER0: kernels without the cgroup field refuse a longer one
  if (header.cgroup_slot != abi::kNone) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (u64)slot_fd(header.cgroup_slot);
    size = sizeof args;
  }
  if (!context.lacks(abi::kFeatureClone3)) {
    i64 pid = sys(__NR_clone3, &args, size);
    if (pid != -ENOSYS) return pid;
  }
  // Before 5.3 (or with clone3 forbidden): plain clone. What it can't say is done by other means or refused.
  if (args.flags & (CLONE_INTO_CGROUP | CLONE_NEWTIME)) return -EOPNOTSUPP;
  return sys(__NR_clone, args.flags | kSigchld, nullptr, pidfd, nullptr, 0);
}

// Without a PID namespace of its own a sandbox's orphans come to us (PR_SET_CHILD_SUBREAPER): kill until none is left.
void kill_children() {
  for (int round = 0; round < 10000 && sys(__NR_wait4, -1, nullptr, WNOHANG | __WALL, nullptr) != -ECHILD; round++) {
    kill_listed("/proc/thread-self/children");
    sys(__NR_wait4, -1, nullptr, __WALL, nullptr);
  }
}

// In a PID namespace that others have as well nobody's end takes the rest along, and orphans go to its first process once
// init is gone. While init lives, all that is left of the sandbox is, or becomes, its child, and is reaped by it.
void kill_below(i32 init) {
  char path[64];
  Text(path, sizeof path).add("/proc/").add((u64)init).add("/task/").add((u64)init).add("/children");
  struct __kernel_timespec pause = {0, 1000000};
  for (int round = 0; round < 10000 && kill_listed(path) > 0; round++) sys(__NR_nanosleep, &pause, nullptr);
}

// Until something happens to the socket or the process ends; true when it has.
bool wait_for(u16 events, i32 pidfd) {
  PollFd watched[2] = {{(i32)abi::kControlFd, events, 0}, {pidfd, kPollIn, 0}};
  while (!watched[0].revents && !watched[1].revents) sys(__NR_ppoll, watched, 2, nullptr, nullptr, 0);
  return watched[1].revents != 0;
}

[[noreturn]] void clean_up(Reader plan, Context& context, i32 status) {
  kill_children();
  OpList ops(plan);
  while (ops.next(abi::kRoleCleanup)) {
    // Counters in what is removed here are Node's to read first.
    wait_for(kPollRdhup, -1);
    if (run_op(ops.code, ops.arguments, context)) status = 1;
  }
  leave(status);
}

}  // namespace

i64 run_role(Reader plan, u16 role, Context& context) {
  OpList ops(plan);
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

void supervise() {
  static Frame prepare, rest;
  static Context context;
  send_frame(abi::kFrameStarted, nullptr, 0);
  if (receive_frame(&prepare) || prepare.header.type != abi::kFramePrepare) leave(2);
  Reader first(prepare.body, prepare.header.length);
  auto header = first.get<abi::PrepareHeader>();
  context.disabled = header.disabled;
  if (!first.ok() || header.magic != abi::kMagic || header.version != abi::kVersion) {
    send_failed(abi::kNone, abi::kRoleSupervisor, abi::kNone, -EBADMSG);
    leave(2);
  }
  fill_slots(prepare, context);
  if (run_role(first, abi::kRoleSupervisor, context)) clean_up(Reader(), context, 1);

  i32 go[2];
  i32 pidfd = -1;
  i64 pid = sys(__NR_pipe2, go, O_CLOEXEC);
  if (pid >= 0) pid = clone_init(header, context, &pidfd);
  if (pid == 0) {
    close_fd(go[1]);
    init(first, context, go[0]);
  }
  if (pid < 0) {
    send_failed(abi::kNone, abi::kRoleSupervisor, abi::kNone, pid);
    clean_up(Reader(), context, 1);
  }
  close_fd(go[0]);
  // Slots are init's now; kept here they would hold its cgroup and mounts.
  sys(__NR_close_range, abi::kSlotBase, abi::kSlotBase + abi::kMaxSlots, 0);
  context.child = (i32)pid;
  Reader plan;
  // A launcher that Node keeps ready waits here. Without init there is nothing to wait for.
  if (!wait_for(kPollIn, pidfd) && receive_frame(&rest) == 0 && rest.header.type == abi::kFrameSupervise) {
    plan = Reader(rest.body, rest.header.length);
    if (run_role(plan, abi::kRoleMap, context) == 0) {
      sys(__NR_write, go[1], "", 1);
      close_fd(go[1]);
      // Node lets go of its end, or init ends.
      wait_for(kPollRdhup, pidfd);
    }
  }
  if (!(header.clone_flags & CLONE_NEWPID)) kill_below((i32)pid);
  sys(__NR_kill, pid, kSigkill);
  abi::InitExitedBody ended = {0};
  while (sys(__NR_wait4, pid, &ended.status, __WALL, nullptr) == -EINTR) continue;
  // When init has left as it should and nothing is to be removed, the end of the socket says as much.
  if (ended.status || OpList(plan).next(abi::kRoleCleanup)) send_frame(abi::kFrameInitExited, &ended, sizeof ended);
  clean_up(plan, context, 0);
}
