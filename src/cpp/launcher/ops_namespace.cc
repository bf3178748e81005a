// Ops on namespaces and identity.
#include <linux/sched.h>
#include <linux/wait.h>

#include "network.hh"

namespace {

constexpr u32 kMaxHelperArguments = 64;

struct ProcPath {
  char text[64];
  ProcPath(i32 pid, const char* file) { Text(text, sizeof text).add("/proc/").add((u64)pid).add("/").add(file); }
};

i64 id_map(Reader& in, i32 child) {
  const char* file = in.string();
  const char* text = in.string();
  if (!in.ok()) return -EBADMSG;
  return write_file(kAtFdcwd, ProcPath(child, file).text, text);
}

// Runs `program <init's pid> argument...` and wants exit status 0 (newuidmap, newgidmap: set-user-ID programs of
// package uidmap, which check /etc/subuid).
i64 id_map_helper(Reader& in, i32 child) {
  const char* program = in.string();
  u32 count = in.number();
  if (count > kMaxHelperArguments) return -E2BIG;
  char pid[24];
  Text(pid, sizeof pid).add((u64)child);
  const char* argv[kMaxHelperArguments + 3] = {program, pid};
  for (u32 i = 0; i < count; i++) argv[i + 2] = in.string();
  if (!in.ok()) return -EBADMSG;
  const char* env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", nullptr};
  i64 helper = sys(__NR_clone, (i32)17 /* SIGCHLD */);
  if (helper == 0) {
    sys(__NR_execve, program, argv, env);
    sys(__NR_exit_group, 127);
  }
  if (helper < 0) return helper;
  i32 status = 0;
  i64 waited = sys(__NR_wait4, helper, &status, __WALL, nullptr);
  if (waited < 0) return waited;
  last_syscall = __NR_execve;
  return status == 0 ? 0 : status == (127 << 8) ? -ENOENT : -EPERM;
}

// A child that only keeps a user namespace alive until we hold its file (mount_setattr wants the mapping as one).
i64 user_namespace(Reader& in) {
  u32 slot = in.number();
  const char* uid_map = in.string();
  const char* gid_map = in.string();
  if (!in.ok()) return -EBADMSG;
  i64 holder = sys(__NR_clone, (u64)(CLONE_NEWUSER | 17));
  while (holder == 0) sys(__NR_ppoll, nullptr, 0, nullptr, nullptr, 0);
  if (holder < 0) return holder;
  i64 result = write_file(kAtFdcwd, ProcPath((i32)holder, "uid_map").text, uid_map);
  if (result == 0) result = write_file(kAtFdcwd, ProcPath((i32)holder, "gid_map").text, gid_map);
  if (result == 0) {
    result = fill_slot(slot, sys(__NR_openat, kAtFdcwd, ProcPath((i32)holder, "ns/user").text, O_RDONLY | O_CLOEXEC));
  }
  u32 failed = last_syscall;
  sys(__NR_kill, holder, 9);
  sys(__NR_wait4, holder, nullptr, __WALL, nullptr);
  last_syscall = failed;
  return result;
}

i64 set_name(i64 nr, const char* name) { return sys(nr, name, strlen(name)); }
i64 set_id(i64 nr, u32 id) { return sys(nr, id, id, id); }

i64 set_groups(Reader& in) {
  u32 count = in.number();
  const u8* groups = in.take((usize)count * sizeof(u32));
  return groups ? sys(__NR_setgroups, count, groups) : -EBADMSG;
}

// Offsets are fixed from the moment a process enters, so they are written between unshare and this.
i64 enter_time() {
  i64 fd = sys(__NR_openat, kAtFdcwd, "/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  i64 result = sys(__NR_setns, fd, CLONE_NEWTIME);
  close_fd((i32)fd);
  return result;
}

}  // namespace

i64 run_namespace_op(u16 code, Reader& in, Context& context) {
  switch (code) {
    case abi::kOpIdMap: return id_map(in, context.child);
    case abi::kOpIdMapHelper: return id_map_helper(in, context.child);
    case abi::kOpJoinNamespace: {
      u32 slot = in.number();
      return sys(__NR_setns, slot_fd(slot), in.number());
    }
    case abi::kOpUnshare: return sys(__NR_unshare, in.number());
    case abi::kOpEnterTime: return enter_time();
    case abi::kOpHostname: return set_name(__NR_sethostname, in.string());
    case abi::kOpDomainname: return set_name(__NR_setdomainname, in.string());
    case abi::kOpMakeNetwork: return make_network(context);
    case abi::kOpEnterNetwork: return enter_network();
    case abi::kOpGroups: return set_groups(in);
    case abi::kOpSetGid: return set_id(__NR_setresgid, in.number());
    case abi::kOpSetUid: return set_id(__NR_setresuid, in.number());
    case abi::kOpUserNamespace: return user_namespace(in);
  }
  return -ENOSYS;
}
