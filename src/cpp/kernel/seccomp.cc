// Filters on ourselves, and the listener's side of user notification.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "kernel.hh"

namespace {

// seccompFilter(flags, program?) -> result or -errno. Without a program the kernel says EFAULT if it knows the flags.
Napi::Value SeccompFilter(const Napi::CallbackInfo& info) {
  auto flags = static_cast<unsigned long>(info[0].ToNumber().Int64Value());
  if (!info[1].IsTypedArray()) return Result(info, OrErrno(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr)));
  auto bytes = info[1].As<Napi::Uint8Array>();
  sock_fprog program = {static_cast<unsigned short>(bytes.ByteLength() / sizeof(sock_filter)),
                        reinterpret_cast<sock_filter*>(bytes.Data())};
  return Result(info, OrErrno(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program)));
}

Napi::Value NoNewPrivileges(const Napi::CallbackInfo& info) {
  return Result(info, OrErrno(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)));
}

// notifyReceive(listener, buffer) -> 0, -EAGAIN or -EPIPE. The ioctl waits when there is nothing, so poll(2) asks first;
// a caller that has been killed meanwhile is ENOENT.
Napi::Value NotifyReceive(const Napi::CallbackInfo& info) {
  auto buffer = info[1].As<Napi::Uint8Array>();
  pollfd look = {Int(info, 0), POLLIN, 0};
  int n = poll(&look, 1, 0);
  if (n < 0) return Result(info, -errno);
  if (!(look.revents & POLLIN)) return Result(info, n == 0 ? -EAGAIN : -EPIPE);
  memset(buffer.Data(), 0, buffer.ByteLength());
  return Result(info, OrErrno(ioctl(look.fd, SECCOMP_IOCTL_NOTIF_RECV, buffer.Data())));
}

// readMemory(pid, address, buffer), writeMemory(pid, address, bytes) -> bytes or -errno.
Napi::Value CopyMemory(const Napi::CallbackInfo& info, decltype(process_vm_readv)* copy) {
  bool lossless;
  uint64_t address = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
  auto buffer = info[2].As<Napi::Uint8Array>();
  iovec ours = {buffer.Data(), buffer.ByteLength()};
  iovec theirs = {reinterpret_cast<void*>(address), buffer.ByteLength()};
  return Result(info, OrErrno(copy(Int(info, 0), &ours, 1, &theirs, 1, 0)));
}
Napi::Value ReadMemory(const Napi::CallbackInfo& info) { return CopyMemory(info, process_vm_readv); }
Napi::Value WriteMemory(const Napi::CallbackInfo& info) { return CopyMemory(info, process_vm_writev); }

}  // namespace

void InitSeccomp(Napi::Env env, Napi::Object exports) {
  exports.Set("seccompFilter", Napi::Function::New(env, SeccompFilter));
  exports.Set("noNewPrivileges", Napi::Function::New(env, NoNewPrivileges));
  exports.Set("notifyReceive", Napi::Function::New(env, NotifyReceive));
  exports.Set("writeMemory", Napi::Function::New(env, WriteMemory));
  exports.Set("readMemory", Napi::Function::New(env, ReadMemory));
}
