// Raw system calls: -errno or the result, never a global errno. `last_syscall` lets a failure name its call.
#pragma once
#include <linux/types.h>

#include "../common/compat.hh"

using u8 = __u8;
using u16 = __u16;
using u32 = __u32;
using u64 = __u64;
using i32 = __s32;
using i64 = __s64;
using usize = __SIZE_TYPE__;

extern u32 last_syscall;

#if defined(LAUNCHER_FUZZ)
// The fuzzer wants the decoders, not their effects.
inline i64 raw_syscall(i64, i64, i64, i64, i64, i64, i64) { return -38; }
#elif defined(__x86_64__)
inline i64 raw_syscall(i64 nr, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f) {
  i64 result;
  register i64 r10 asm("r10") = d;
  register i64 r8 asm("r8") = e;
  register i64 r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline i64 raw_syscall(i64 nr, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f) {
  register i64 x8 asm("x8") = nr;
  register i64 x0 asm("x0") = a;
  register i64 x1 asm("x1") = b;
  register i64 x2 asm("x2") = c;
  register i64 x3 asm("x3") = d;
  register i64 x4 asm("x4") = e;
  register i64 x5 asm("x5") = f;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "linux-isolate supports x86_64 and aarch64"
#endif

template <typename A = i64, typename B = i64, typename C = i64, typename D = i64, typename E = i64, typename F = i64>
inline i64 sys(i64 nr, A a = 0, B b = 0, C c = 0, D d = 0, E e = 0, F f = 0) {
  i64 result = raw_syscall(nr, (i64)a, (i64)b, (i64)c, (i64)d, (i64)e, (i64)f);
  if (result < 0) last_syscall = (u32)nr;
  return result;
}

// Error numbers used by name here; asm/errno.h has them all.
#include <asm/errno.h>
#include <linux/fcntl.h>

// Not in <linux/fcntl.h>, but on every architecture we support.
constexpr i32 kAtFdcwd = -100;

struct IoVec {
  const void* base;
  usize length;
};
struct MsgHdr {
  void* name;
  i32 name_length;
  IoVec* iov;
  usize iov_length;
  void* control;
  usize control_length;
  u32 flags;
};
struct CmsgHdr {
  usize length;
  i32 level;
  i32 type;
};
constexpr i32 kSolSocket = 1, kScmRights = 1, kScmCredentials = 2;
constexpr u32 kMsgWaitall = 0x100, kMsgNosignal = 0x4000, kMsgCmsgCloexec = 0x40000000;

struct PollFd {
  i32 fd;
  u16 events;
  u16 revents;
};
constexpr u16 kPollIn = 1, kPollErr = 8, kPollHup = 16, kPollRdhup = 0x2000;

// close() in the launcher has nobody to tell: the descriptor is gone either way.
inline void close_fd(i32 fd) {
  if (fd >= 0) raw_syscall(__NR_close, fd, 0, 0, 0, 0, 0);
}
