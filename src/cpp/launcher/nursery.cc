// The nursery: forks a supervisor for every control socket that Node sends, until Node is gone or wants a younger one. Whoever
// is born here has the nursery's untouched memory, that one socket, and Node as its parent.
#include <linux/sched.h>

#include "roles.hh"

namespace {

constexpr u32 kSigchld = 17;

struct Failure {
  abi::FrameHeader header;
  abi::FailedBody body;
};

}  // namespace

void nurse() {
  static Frame order;
  while (receive_frame(&order) == 0 && order.header.type == abi::kFrameLaunch && order.fd_count == 1) {
    i32 control = order.fds[0];
    i64 pid = sys(__NR_clone, CLONE_PARENT | kSigchld, nullptr, nullptr, nullptr, 0);
    if (pid == 0) {
      if (sys(__NR_dup3, control, abi::kControlFd, 0) < 0) leave(2);
      close_others();
      sys(__NR_setsid);
      supervise();
    }
    // Nobody else will be there to say it.
    Failure failed = {{sizeof failed.body, abi::kFrameFailed, 0},
                      {abi::kNone, abi::kRoleSupervisor, abi::kNone, (i32)-pid, last_syscall}};
    if (pid < 0) sys(__NR_sendto, control, &failed, sizeof failed, kMsgNosignal);
    order.close_fds();
  }
  leave(0);
}
