// Ops on the process itself and its cgroup: mostly those of a payload between fork and exec.
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/seccomp.h>
#include <linux/time_types.h>

#include "ops.hh"

namespace {

constexpr u32 kMaxTargets = 64;
constexpr u32 kTiocsctty = 0x540E;

// A single-threaded process that writes 0 to a v1 `tasks` file moves itself without the threadgroup lock that makes
// `cgroup.procs` wait for an RCU grace period.
i64 attach_cgroup(i32 fd) {
  i64 n = sys(__NR_write, fd, "0", 1);
  return n == 1 ? 0 : n < 0 ? n : -EIO;
}

// Calls `each(directory, name)` for the groups inside: those of single programs, which have none themselves.
template <typename Each>
void each_child(const char* path, Each each) {
  struct Entry {
    u64 inode, offset;
    u16 size;
    u8 type;
    char name[1];
  };
  alignas(8) u8 buffer[4096];
  i64 directory = sys(__NR_openat, kAtFdcwd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (i64 n; (n = sys(__NR_getdents64, directory, buffer, sizeof buffer)) > 0;) {
    for (const u8* at = buffer; at < buffer + n; at += ((const Entry*)at)->size) {
      auto entry = (const Entry*)at;
      if (entry->type == 4 /* DT_DIR */ && entry->name[0] != '.') each((i32)directory, entry->name);
    }
  }
  close_fd((i32)directory);
}

i64 rmdir_patiently(const char* path) {
  // A cgroup stays busy for a moment after its last process is reaped.
  for (int attempt = 0;; attempt++) {
    i64 result = sys(__NR_unlinkat, kAtFdcwd, path, AT_REMOVEDIR);
    if (result != -EBUSY || attempt == 200) return result == -ENOENT ? 0 : result;
    each_child(path, [](i32 parent, const char* name) { sys(__NR_unlinkat, parent, name, AT_REMOVEDIR); });
    struct __kernel_timespec pause = {0, attempt < 20 ? 100000 : 5000000};
    sys(__NR_nanosleep, &pause, nullptr);
  }
}

// Distributes descriptors: first out of the way of all targets, then each to its place, without CLOEXEC there.
i64 place_fds(Reader& in, const Context& context) {
  u32 count = in.number();
  if (count > kMaxTargets) return -E2BIG;
  i32 moved[kMaxTargets];
  u32 targets[kMaxTargets];
  for (u32 i = 0; i < count; i++) {
    u32 index = in.number();
    targets[i] = in.number();
    if (!in.ok() || index >= context.fd_count) return -EBADF;
    i64 fd = sys(__NR_fcntl, context.fds[index], F_DUPFD_CLOEXEC, 256);
    if (fd < 0) return fd;
    moved[i] = (i32)fd;
  }
  for (u32 i = 0; i < count; i++) {
    i64 result = sys(__NR_dup3, moved[i], targets[i], 0);
    if (result < 0) return result;
  }
  return 0;
}

i64 drop_bounding(u64 kept) {
  for (u32 capability = 0; capability < 64; capability++) {
    if (kept >> capability & 1) continue;
    i64 result = sys(__NR_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (result == -EINVAL) return 0;  // beyond this kernel's last capability
    if (result < 0) return result;
  }
  return 0;
}

i64 set_capabilities(u64 effective, u64 permitted, u64 inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {(u32)effective, (u32)permitted, (u32)inheritable},
      {(u32)(effective >> 32), (u32)(permitted >> 32), (u32)(inheritable >> 32)},
  };
  return sys(__NR_capset, &header, data);
}

i64 set_ambient(u64 mask) {
  i64 result = sys(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (u32 capability = 0; capability < 64 && result >= 0; capability++) {
    if (mask >> capability & 1) result = sys(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  }
  return result;
}

i64 set_rlimit(Reader& in) {
  u32 resource = in.number();
  struct rlimit64 limit = {in.wide(), in.wide()};
  return in.ok() ? sys(__NR_prlimit64, 0, resource, &limit, nullptr) : -EBADMSG;
}

i64 close_fds(u32 first, u32 last, const Context& context) {
  if (!context.lacks(abi::kFeatureCloseRange)) {
    i64 result = sys(__NR_close_range, first, last, 0);
    if (result != -ENOSYS) return result;
  }
  // Before 5.9: up to the hard limit, which bounds every descriptor number that can be open.
  struct rlimit64 limit;
  i64 result = sys(__NR_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
  if (result < 0) return result;
  u64 end = limit.rlim_max < 1048576 ? limit.rlim_max : 1048576;
  for (u64 fd = first; fd < end && fd <= last; fd++) close_fd((i32)fd);
  return 0;
}

// getcwd answers "(unreachable)..." for a directory outside the root (CVE-2024-21626 is of this kind).
i64 check_cwd() {
  char path[4096];
  i64 n = sys(__NR_getcwd, path, sizeof path);
  return n < 0 ? n : path[0] == '/' ? 0 : -ENOENT;
}

i64 install_filter(Reader& in, Context& context) {
  u32 flags = in.number();
  u32 size = in.number();
  const u8* filter = in.take(size);
  if (!filter || size % sizeof(struct sock_filter) != 0) return -EBADMSG;
  struct sock_fprog program = {(u16)(size / sizeof(struct sock_filter)), (struct sock_filter*)filter};
  if (size / sizeof(struct sock_filter) > 4096) return -E2BIG;
  i64 result = sys(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (result <= 0) return result;
  *context.listener = (i32)result;
  return 0;
}

// argv and envp are arrays of pointers into the plan, built in the caller's scratch memory.
const char** string_array(Reader& in, const char**& at, const char** end) {
  u32 count = in.number();
  const char** array = at;
  if (!in.ok() || count >= (usize)(end - at)) return nullptr;
  for (u32 i = 0; i < count; i++) *at++ = in.string();
  *at++ = nullptr;
  return array;
}

// Tries each candidate as execvp does: EACCES is remembered, and told if nothing else is found.
i64 exec(Reader& in, const Context& context) {
  const char** at = (const char**)context.scratch;
  const char** end = at + context.scratch_size / sizeof(char*);
  const char** candidates = string_array(in, at, end);
  const char** argv = candidates ? string_array(in, at, end) : nullptr;
  const char** envp = argv ? string_array(in, at, end) : nullptr;
  if (!envp || !in.ok() || !in.done()) return -EBADMSG;
  i64 result = -ENOENT;
  for (; *candidates; candidates++) {
    i64 error = sys(__NR_execve, *candidates, argv, envp);
    if (error == -ENOENT || error == -ENOTDIR) continue;
    result = error;
    if (error != -EACCES) break;
  }
  return result;
}

}  // namespace

i64 kill_cgroup(const char* directory) {
  char path[512];
  if (!Text(path, sizeof path).add(directory).add("/cgroup.kill").ok()) return -ENAMETOOLONG;
  i64 result = write_file(kAtFdcwd, path, "1");
  if (result != -ENOENT) return result;
  for (int round = 0; round < 100; round++) {
    Text(path, sizeof path).add(directory).add("/cgroup.procs");
    result = kill_listed(path);
    each_child(directory, [&](i32, const char* name) {
      if (!Text(path, sizeof path).add(directory).add("/").add(name).add("/cgroup.procs").ok()) return;
      i64 found = kill_listed(path);
      if (found > 0 && result >= 0) result += found;
    });
    if (result <= 0) return result == -ENOENT ? 0 : result;
    struct __kernel_timespec pause = {0, 1000000};
    sys(__NR_nanosleep, &pause, nullptr);
  }
  return -EBUSY;
}

i64 run_process_op(u16 code, Reader& in, Context& context) {
  switch (code) {
    case abi::kOpCgroupAttach: return attach_cgroup(slot_fd(in.number()));
    case abi::kOpCgroupJoin: {
      u32 index = in.number();
      return index < context.fd_count ? attach_cgroup(context.fds[index]) : -EBADF;
    }
    case abi::kOpCgroupKill: return kill_cgroup(in.string());
    case abi::kOpRmdir: return rmdir_patiently(in.string());
    case abi::kOpUnlink: return sys(__NR_unlinkat, kAtFdcwd, in.string(), 0);
    case abi::kOpPrctl: {
      u32 option = in.number();
      u64 a = in.wide(), b = in.wide(), c = in.wide(), d = in.wide();
      return sys(__NR_prctl, option, a, b, c, d);
    }
    case abi::kOpUmask: return sys(__NR_umask, in.number()), 0;
    case abi::kOpSetsid: return sys(__NR_setsid);
    case abi::kOpControllingTty: return sys(__NR_ioctl, in.number(), kTiocsctty, 0);
    case abi::kOpChdir: return sys(__NR_chdir, in.string());
    case abi::kOpFds: return place_fds(in, context);
    case abi::kOpRlimit: return set_rlimit(in);
    case abi::kOpDropBounding: return drop_bounding(in.wide());
    case abi::kOpCapset: {
      u64 effective = in.wide(), permitted = in.wide();
      return set_capabilities(effective, permitted, in.wide());
    }
    case abi::kOpAmbient: return set_ambient(in.wide());
    case abi::kOpCloseRange: {
      u32 first = in.number();
      return close_fds(first, in.number(), context);
    }
    case abi::kOpCheckCwd: return check_cwd();
    case abi::kOpKeyring: return sys(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
    case abi::kOpSeccomp: return install_filter(in, context);
    case abi::kOpExec: return exec(in, context);
  }
  return -ENOSYS;
}
