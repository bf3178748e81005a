// Init: builds the sandbox around itself, then starts payloads on request and reaps what ends. Everything it runs is
// named in the plan; everything inside the sandbox is hostile to it.
#include <asm/ioctls.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/wait.h>

#include "roles.hh"

namespace {

constexpr u32 kMaxChildren = 4096;
constexpr u32 kSigchld = 17;

struct Child {
  u32 id;
  i32 pid;
  u64 started_ns;
  bool last;
};
Child children[kMaxChildren];
u32 child_count = 0;

u64 now_ns() {
  struct __kernel_timespec time = {};
  sys(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &time);
  return (u64)time.tv_sec * 1000000000 + (u64)time.tv_nsec;
}

u64 microseconds(const struct __kernel_old_timeval& time) { return (u64)time.tv_sec * 1000000 + (u64)time.tv_usec; }

// A pseudo-terminal of the sandbox's own devpts; the peer joins the request's descriptors. Returns the master.
i64 open_terminal(const abi::SpawnHeader& header, Frame* request) {
  if (request->fd_count >= abi::kMaxFds) return -EMFILE;
  i64 master = sys(__NR_openat, kAtFdcwd, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0) return master;
  u16 size[4] = {header.rows, header.columns, 0, 0};
  i32 unlock = 0;
  i64 result = sys(__NR_ioctl, master, TIOCSPTLCK, &unlock);
  if (result >= 0) result = sys(__NR_ioctl, master, TIOCSWINSZ, size);
  if (result >= 0) result = sys(__NR_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (result < 0) {
    close_fd((i32)master);
    return result;
  }
  request->fds[request->fd_count++] = (i32)result;
  return master;
}

void spawn(Frame* request, Context& context) {
  Reader body(request->body, request->header.length);
  auto header = body.get<abi::SpawnHeader>();
  if (!body.ok()) leave(3);
  i32 pid = 0;
  u32 op = abi::kNone;
  i64 master = -1;
  i64 error = child_count == kMaxChildren ? -EAGAIN : 0;
  if (!error && (header.flags & abi::kSpawnTerminal)) {
    master = open_terminal(header, request);
    if (master < 0) error = master;
  }
  u64 started = now_ns();
  if (!error) {
    context.fds = request->fds;
    context.fd_count = request->fd_count;
    error = start_payload(*request, body, context, &pid, &op);
  }
  if (error) {
    send_failed(header.id, abi::kRolePayload, op, error);
  } else {
    children[child_count++] = {header.id, pid, started, (header.flags & abi::kSpawnLast) != 0};
    abi::SpawnedBody spawned = {header.id, (u32)pid};
    send_frame(abi::kFrameSpawned, &spawned, sizeof spawned, (i32)master, pid);
  }
  close_fd((i32)master);
  request->close_fds();
}

void signal(const Frame& request) {
  if (request.header.length != sizeof(abi::SignalBody)) leave(3);
  auto body = load<abi::SignalBody>(request.body);
  if (body.scope == abi::kSignalAll) {
    if (sys(__NR_getpid) == 1) sys(__NR_kill, -1, body.signal);
    return;
  }
  // Until we reap it, a child's pid can't belong to anyone else.
  for (u32 i = 0; i < child_count; i++) {
    if (children[i].id != body.id) continue;
    sys(__NR_kill, body.scope == abi::kSignalGroup ? -children[i].pid : children[i].pid, body.signal);
  }
}

// For reading and writing files from outside: everything is resolved below this descriptor.
void open_root() {
  i64 root = sys(__NR_openat, kAtFdcwd, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  send_frame(abi::kFrameRoot, nullptr, 0, (i32)root);
  close_fd((i32)root);
}

void report_exit(const Child& child, u32 status, const struct rusage& usage) {
  abi::ExitedBody body = {child.id, status, now_ns() - child.started_ns, microseconds(usage.ru_utime),
                          microseconds(usage.ru_stime), (u64)usage.ru_maxrss, (u64)usage.ru_minflt,
                          (u64)usage.ru_majflt, (u64)usage.ru_nvcsw, (u64)usage.ru_nivcsw};
  send_frame(abi::kFrameExited, &body, sizeof body);
}

void reap() {
  for (;;) {
    u32 status = 0;
    struct rusage usage;
    i64 pid = sys(__NR_wait4, -1, &status, WNOHANG | __WALL, &usage);
    if (pid <= 0) return;
    for (u32 i = 0; i < child_count; i++) {
      if (children[i].pid != pid) continue;
      report_exit(children[i], status, usage);
      // The kernel kills what it left behind in this PID namespace; elsewhere the supervisor does.
      if (children[i].last) leave(0);
      children[i] = children[--child_count];
      break;
    }
  }
}

[[noreturn]] void serve(Context& context, i32 signals) {
  static Frame request;
  PollFd watched[2] = {{(i32)abi::kControlFd, kPollIn, 0}, {signals, kPollIn, 0}};
  for (;;) {
    i64 ready = sys(__NR_ppoll, watched, 2, nullptr, nullptr, 0);
    if (ready < 0) continue;
    if (watched[1].revents) {
      u8 information[128];
      sys(__NR_read, signals, information, sizeof information);
      reap();
    }
    if (!watched[0].revents) continue;
    if (receive_frame(&request)) leave(0);  // Node is gone
    if (request.header.type == abi::kFrameSpawn) spawn(&request, context);
    else if (request.header.type == abi::kFrameSignal) signal(request);
    else if (request.header.type == abi::kFrameOpenRoot) open_root();
    else leave(3);
    request.close_fds();
    request.release();
  }
}

}  // namespace

void init(const Plan& plan, Context& context, i32 go) {
  sys(__NR_prctl, PR_SET_NAME, "isolate-init", 0, 0, 0);
  u8 byte;
  // The maps are written, or the supervisor is gone.
  if (sys(__NR_read, go, &byte, 1) != 1) leave(1);
  close_fd(go);
  OpList ops(plan.ops);
  while (ops.next(abi::kRoleInit)) {
    i64 error = run_op(ops.code, ops.arguments, context);
    if (!error) continue;
    send_failed(abi::kNone, abi::kRoleInit, ops.index(), error);
    leave(1);
  }
  if (!ops.ok()) leave(1);
  // Changing ids clears both of these, so they come after the plan.
  sys(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  sys(__NR_prctl, PR_SET_PDEATHSIG, 9, 0, 0, 0);
  sys(__NR_close_range, abi::kSlotBase, ~0u, 0);
  u64 all = ~0ull, sigchld = 1ull << (kSigchld - 1);
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &all, nullptr, sizeof all);
  i64 signals = sys(__NR_signalfd4, -1, &sigchld, sizeof sigchld, O_CLOEXEC | O_NONBLOCK);
  if (signals < 0) {
    send_failed(abi::kNone, abi::kRoleInit, abi::kNone, signals);
    leave(1);
  }
  send_frame(abi::kFrameReady, nullptr, 0);
  serve(context, (i32)signals);
}
