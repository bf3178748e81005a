// What acts on namespaces and what lives in them: of the calling thread, or for mounts, names and processes of all.
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "kernel.hh"

namespace {

Napi::Value Unshare(const Napi::CallbackInfo& info) { return Result(info, OrErrno(unshare(Int(info, 0)))); }
Napi::Value Setns(const Napi::CallbackInfo& info) { return Result(info, OrErrno(setns(Int(info, 0), Int(info, 1)))); }

Napi::Value Sethostname(const Napi::CallbackInfo& info) {
  std::string name = info[0].ToString();
  return Result(info, OrErrno(sethostname(name.data(), name.size())));
}
Napi::Value Setdomainname(const Napi::CallbackInfo& info) {
  std::string name = info[0].ToString();
  return Result(info, OrErrno(setdomainname(name.data(), name.size())));
}

// mount(source, target, type, flags, data) and umount(target, flags) -> 0 or -errno.
Napi::Value Mount(const Napi::CallbackInfo& info) {
  std::string source = info[0].ToString(), target = info[1].ToString(), type = info[2].ToString(), data = info[4].ToString();
  auto flags = static_cast<unsigned long>(info[3].ToNumber().Int64Value());
  return Result(info, OrErrno(mount(source.c_str(), target.c_str(), type.c_str(), flags, data.c_str())));
}
Napi::Value Umount(const Napi::CallbackInfo& info) {
  std::string target = info[0].ToString();
  return Result(info, OrErrno(umount2(target.c_str(), Int(info, 1))));
}

// clone3Refusal(size) -> -errno of clone3(2) with a struct clone_args of that size, whose last word is set. It makes nothing:
// CLONE_DETACHED is refused by every kernel that has the call, and a word beyond what it knows is refused before that.
Napi::Value Clone3Refusal(const Napi::CallbackInfo& info) {
  unsigned long long arguments[32] = {CLONE_DETACHED};
  size_t size = std::min<size_t>(static_cast<size_t>(Int(info, 0)), sizeof arguments);
  if (size >= 2 * sizeof arguments[0]) arguments[size / sizeof arguments[0] - 1] = 1;
  return Result(info, OrErrno(syscall(SYS_clone3, arguments, size)));
}

// pidfdOpen(pid, flags) -> fd; pidfdSignal(fd, signal) -> 0; or -errno.
Napi::Value PidfdOpen(const Napi::CallbackInfo& info) {
  return Result(info, OrErrno(syscall(SYS_pidfd_open, Int(info, 0), Int(info, 1))));
}
Napi::Value PidfdSignal(const Napi::CallbackInfo& info) {
  return Result(info, OrErrno(syscall(SYS_pidfd_send_signal, Int(info, 0), Int(info, 1), nullptr, 0)));
}

}  // namespace

void InitNamespaces(Napi::Env env, Napi::Object exports) {
  exports.Set("unshare", Napi::Function::New(env, Unshare));
  exports.Set("setns", Napi::Function::New(env, Setns));
  exports.Set("sethostname", Napi::Function::New(env, Sethostname));
  exports.Set("setdomainname", Napi::Function::New(env, Setdomainname));
  exports.Set("mount", Napi::Function::New(env, Mount));
  exports.Set("umount", Napi::Function::New(env, Umount));
  exports.Set("clone3Refusal", Napi::Function::New(env, Clone3Refusal));
  exports.Set("pidfdOpen", Napi::Function::New(env, PidfdOpen));
  exports.Set("pidfdSignal", Napi::Function::New(env, PidfdSignal));
}
