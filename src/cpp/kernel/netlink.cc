// Netlink sockets that listen to what the kernel multicasts.
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel.hh"

namespace {

// netlinkListen(protocol, groups, filter) -> fd or -errno: non-blocking. The filter (struct sock_filter[], empty for none)
// is there before the first message can be.
Napi::Value NetlinkListen(const Napi::CallbackInfo& info) {
  auto bytes = info[2].As<Napi::Uint8Array>();
  sock_fprog program = {static_cast<unsigned short>(bytes.ByteLength() / sizeof(sock_filter)),
                        reinterpret_cast<sock_filter*>(bytes.Data())};
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = static_cast<__u32>(Int(info, 1));
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, Int(info, 0));
  if (fd < 0) return Result(info, -errno);
  if ((program.len > 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) ||
      bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    int error = errno;
    close(fd);
    return Result(info, -error);
  }
  return Result(info, fd);
}

// netlinkSend(fd, messages) -> bytes or -errno. The kernel has answered when it returns (netlink_unicast_kernel).
Napi::Value NetlinkSend(const Napi::CallbackInfo& info) {
  auto bytes = info[1].As<Napi::Uint8Array>();
  return Result(info, OrErrno(send(Int(info, 0), bytes.Data(), bytes.ByteLength(), MSG_DONTWAIT)));
}

// netlinkReceive(fd, to) -> bytes of one datagram, or -errno; -EAGAIN when there is none.
Napi::Value NetlinkReceive(const Napi::CallbackInfo& info) {
  auto to = info[1].As<Napi::Uint8Array>();
  return Result(info, OrErrno(recv(Int(info, 0), to.Data(), to.ByteLength(), MSG_DONTWAIT)));
}

}  // namespace

void InitNetlink(Napi::Env env, Napi::Object exports) {
  exports.Set("netlinkSend", Napi::Function::New(env, NetlinkSend));
  exports.Set("netlinkReceive", Napi::Function::New(env, NetlinkReceive));
  exports.Set("netlinkListen", Napi::Function::New(env, NetlinkListen));
}
