// A socket of another process: taken, looked at, and connected while the event loop goes on.
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "../common/compat.hh"
#include "kernel.hh"

namespace {

constexpr unsigned kPidfdThread = O_EXCL;  // 6.9: of a thread, whose descriptors may be its own

// takeDescriptor(thread, process, number) -> fd or -errno: that process's descriptor, shared with it. Needs the right to trace it.
Napi::Value TakeDescriptor(const Napi::CallbackInfo& info) {
  auto pidfd = static_cast<int>(syscall(__NR_pidfd_open, Int(info, 0), kPidfdThread));
  if (pidfd < 0 && errno == EINVAL) pidfd = static_cast<int>(syscall(__NR_pidfd_open, Int(info, 1), 0));
  if (pidfd < 0) return Result(info, -errno);
  auto result = OrErrno(syscall(__NR_pidfd_getfd, pidfd, Int(info, 2), 0));
  close(pidfd);
  return Result(info, result);
}

// socketKind(fd) -> [domain, type, protocol] or -errno. None of them can change.
Napi::Value SocketKind(const Napi::CallbackInfo& info) {
  auto kind = Napi::Array::New(info.Env(), 3);
  const int options[] = {SO_DOMAIN, SO_TYPE, SO_PROTOCOL};
  for (uint32_t i = 0; i < 3; i++) {
    int value = 0;
    socklen_t size = sizeof value;
    if (getsockopt(Int(info, 0), SOL_SOCKET, options[i], &value, &size) < 0) return Result(info, -errno);
    kind.Set(i, value);
  }
  return kind;
}

struct Connecting {
  int fd;
  int result;
  socklen_t size;
  sockaddr_storage address;
  Napi::ThreadSafeFunction done;
};

// On a thread of its own: whether connect(2) waits is a flag that the socket shares with its guest, who may change it.
void* Connect(void* argument) {
  auto* job = static_cast<Connecting*>(argument);
  job->result = connect(job->fd, reinterpret_cast<sockaddr*>(&job->address), job->size) < 0 ? -errno : 0;
  auto done = job->done;
  done.NonBlockingCall(job, [](Napi::Env env, Napi::Function callback, Connecting* job) {
    int result = job->result;
    delete job;
    if (env != nullptr) callback.Call({Napi::Number::New(env, result)});
  });
  done.Release();
  return nullptr;
}

// connectSocket(fd, address, done(result)) -> 0 or -errno. The descriptor stays the caller's, who may end the waiting by
// shutdownSocket() and closes it after `done`.
Napi::Value ConnectSocket(const Napi::CallbackInfo& info) {
  auto bytes = info[1].As<Napi::Uint8Array>();
  if (bytes.ByteLength() > sizeof(sockaddr_storage)) return Result(info, -EINVAL);
  auto* job = new Connecting{Int(info, 0), 0, static_cast<socklen_t>(bytes.ByteLength()), {}, {}};
  memcpy(&job->address, bytes.Data(), bytes.ByteLength());
  job->done = Napi::ThreadSafeFunction::New(info.Env(), info[2].As<Napi::Function>(), "connect", 0, 1);
  job->done.Unref(info.Env());
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  // Signals are for Node's own threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, Connect, job);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error == 0) return Result(info, 0);
  job->done.Release();
  delete job;
  return Result(info, -error);
}

// shutdownSocket(fd): a connect(2) that waits on it fails.
Napi::Value ShutdownSocket(const Napi::CallbackInfo& info) { return Result(info, OrErrno(shutdown(Int(info, 0), SHUT_RDWR))); }

}  // namespace

void InitGuestSocket(Napi::Env env, Napi::Object exports) {
  exports.Set("takeDescriptor", Napi::Function::New(env, TakeDescriptor));
  exports.Set("socketKind", Napi::Function::New(env, SocketKind));
  exports.Set("connectSocket", Napi::Function::New(env, ConnectSocket));
  exports.Set("shutdownSocket", Napi::Function::New(env, ShutdownSocket));
}
