// Listeners of seccomp_unotify(2).
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cstring>

#include "kernel.hh"

namespace {

// notificationReceive(fd, notification: 80 bytes) -> 1, -EAGAIN when there is none, 0 when nobody is left who could ask.
// Without a look at poll first the ioctl would wait.
Napi::Value NotificationReceive(const Napi::CallbackInfo& info) {
  pollfd watched = {Int(info, 0), POLLIN, 0};
  auto bytes = info[1].As<Napi::Uint8Array>();
  if (bytes.ByteLength() != sizeof(seccomp_notif)) return Result(info, -EINVAL);
  if (poll(&watched, 1, 0) < 0) return Result(info, -errno);
  if (!(watched.revents & POLLIN)) return Result(info, watched.revents ? 0 : -EAGAIN);
  memset(bytes.Data(), 0, sizeof(seccomp_notif));
  if (ioctl(watched.fd, SECCOMP_IOCTL_NOTIF_RECV, bytes.Data()) == 0) return Result(info, 1);
  // ENOENT: who asked was killed meanwhile.
  return Result(info, errno == ENOENT ? -EAGAIN : -errno);
}

}  // namespace

void InitSeccomp(Napi::Env env, Napi::Object exports) {
  exports.Set("notificationReceive", Napi::Function::New(env, NotificationReceive));
}
