// Init: builds the sandbox around itself, then starts payloads on request, reaps what ends, and cleans up after them. Everything it runs is
// named in the plan; everything inside the sandbox is hostile to it.
#include <asm/ioctls.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/utsname.h>
#include <linux/wait.h>

#include "network.hh"
#include "roles.hh"

namespace {

constexpr u32 kMaxChildren = 4096;
constexpr u32 kSigchld = 17, kSigkill = 9;

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

// A security module may keep signals from a program, as AppArmor does by default. The end of pid 1 it can't keep from it.
bool refused(i64 error) { return error == -EACCES || error == -EPERM; }

void signal(const Frame& request) {
  if (request.header.length != sizeof(abi::SignalBody)) leave(3);
  auto body = load<abi::SignalBody>(request.body);
  i64 result = 0;
  bool alone = sys(__NR_getpid) == 1, group = body.scope == abi::kSignalGroup;
  if (body.scope == abi::kSignalAll && alone) result = sys(__NR_kill, -1, body.signal);
  // Until we reap it, a child's pid can't belong to anyone else.
  for (u32 i = 0; body.scope != abi::kSignalAll && i < child_count; i++)
    if (children[i].id == body.id) result = sys(__NR_kill, group ? -children[i].pid : children[i].pid, body.signal);
  if (refused(result) && body.signal == kSigkill && alone) leave(0);
}

// For reading and writing files from outside: everything is resolved below this descriptor.
void open_root() {
  i64 root = sys(__NR_openat, kAtFdcwd, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  send_frame(abi::kFrameRoot, nullptr, 0, (i32)root);
  close_fd((i32)root);
}

// For whoever hands the namespace on: of a process that is not dumpable only it may open them itself.
void open_namespace(const Frame& request) {
  char path[64];
  Text text(path, sizeof path);
  text.add("/proc/self/ns/").add(Reader(request.body, request.header.length).string());
  i64 fd = text.ok() ? sys(__NR_openat, kAtFdcwd, path, O_RDONLY | O_CLOEXEC) : -ENAMETOOLONG;
  send_frame(abi::kFrameNamespace, nullptr, 0, (i32)fd);
  close_fd((i32)fd);
}

// The last program has ended: so do all others, before Node hears of it. Whoever could still fork is killed with the rest,
// and orphans are ours, so without children we are alone. Elsewhere than in a PID namespace the supervisor sees to it. Whom we
// may not signal ends with us.
void end_others() {
  for (i64 ended = sys(__NR_getpid) == 1; ended > 0; ended = sys(__NR_wait4, -1, nullptr, __WALL, nullptr))
    if (refused(sys(__NR_kill, -1, kSigkill))) return;
}

void report_exit(const Child& child, u32 status, const struct rusage& usage) {
  u64 wall = now_ns() - child.started_ns;
  if (child.last) end_others();
  abi::ExitedBody body = {child.id, status, wall, microseconds(usage.ru_utime),
                          microseconds(usage.ru_stime), (u64)usage.ru_maxrss, (u64)usage.ru_minflt,
                          (u64)usage.ru_majflt, (u64)usage.ru_nvcsw, (u64)usage.ru_nivcsw};
  send_frame(abi::kFrameExited, &body, sizeof body);
}

// One child; false when there is none to reap.
bool reap(u32 options) {
  u32 status = 0;
  struct rusage usage;
  i64 pid = sys(__NR_wait4, -1, &status, options | __WALL, &usage);
  if (pid <= 0) return false;
  for (u32 i = 0; i < child_count; i++) {
    if (children[i].pid != pid) continue;
    report_exit(children[i], status, usage);
    // Elsewhere than in a PID namespace the supervisor ends what is left, as long as we adopt it.
    if (children[i].last && sys(__NR_getpid) == 1) leave(0);
    children[i] = children[--child_count];
    break;
  }
  return true;
}

void send_posture() {
  abi::PostureBody body;
  memset(&body, 0, sizeof body);
  body.children = child_count;
  for (i32 fd = 0; fd <= (i32)abi::kRulesetFd; fd++) body.descriptors += sys(__NR_fcntl, fd, F_GETFD) >= 0;
  struct new_utsname name;
  if (sys(__NR_uname, &name) == 0) {
    memcpy(body.host_name, name.nodename, sizeof body.host_name);
    memcpy(body.domain_name, name.domainname, sizeof body.domain_name);
  }
  send_frame(abi::kFramePosture, &body, sizeof body);
}

// Makes the sandbox what it was before its first program: nothing runs, and what the ops name is made anew.
void reset(const Frame& request, Context& context, i32 signals) {
  if (sys(__NR_getpid) != 1) leave(3);
  // One that is being born is killed with its parent or not born (copy_process looks for signals); orphans come to us.
  do if (refused(sys(__NR_kill, -1, kSigkill))) leave(0);
  while (reap(0));
  u8 information[128];
  sys(__NR_read, signals, information, sizeof information);
  if (run_role(Reader(request.body, request.header.length), abi::kRoleInit, context)) leave(1);
  send_posture();
}

Frame request;

[[noreturn]] void serve(Context& context, i32 signals) {
  PollFd watched[2] = {{(i32)abi::kControlFd, kPollIn, 0}, {signals, kPollIn, 0}};
  for (;;) {
    i64 ready = sys(__NR_ppoll, watched, 2, nullptr, nullptr, 0);
    if (ready < 0) continue;
    if (watched[1].revents) {
      u8 information[128];
      sys(__NR_read, signals, information, sizeof information);
      while (reap(WNOHANG)) continue;
    }
    if (!watched[0].revents) continue;
    if (receive_frame(&request)) {  // Node is gone
      if (sys(__NR_getpid) == 1) leave(0);
      watched[0].fd = -1;  // reap until the supervisor has killed all that we adopt, and then us
      continue;
    }
    if (request.header.type == abi::kFrameSpawn) spawn(&request, context);
    else if (request.header.type == abi::kFrameSignal) signal(request);
    else if (request.header.type == abi::kFrameOpenRoot) open_root();
    else if (request.header.type == abi::kFrameReset) reset(request, context, signals);
    else if (request.header.type == abi::kFrameOpenNamespace) open_namespace(request);
    else if (request.header.type == abi::kFrameOpenSocket) open_socket(Reader(request.body, request.header.length));
    else leave(3);
    request.close_fds();
    request.release();
  }
}

}  // namespace

void init(Reader begin, Context& context, i32 go) {
  sys(__NR_prctl, PR_SET_NAME, "isolate-init", 0, 0, 0);
  u8 byte;
  // A new launcher has all of its launch in the socket, one that is kept ready has nothing there.
  context.waits = sys(__NR_recvfrom, (i32)abi::kControlFd, &byte, 1, 0x42 /* MSG_PEEK, MSG_DONTWAIT */, nullptr) <= 0;
  if (run_role(begin, abi::kRoleBegin, context)) leave(1);
  context.waits = false;
  // The maps are written, or the supervisor is gone.
  if (sys(__NR_read, go, &byte, 1) != 1) leave(1);
  close_fd(go);
  if (receive_frame(&request) || request.header.type != abi::kFrameBuild) leave(3);
  fill_slots(request, context);
  if (run_role(Reader(request.body, request.header.length), abi::kRoleInit, context)) leave(1);
  request.release();
  // Changing ids clears both of these, so they come after the plan.
  sys(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  sys(__NR_prctl, PR_SET_PDEATHSIG, 9, 0, 0, 0);
  sys(__NR_close_range, abi::kSlotBase, abi::kRulesetFd - 1, 0);
  sys(__NR_close_range, abi::kRulesetFd + 1, ~0u, 0);
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
