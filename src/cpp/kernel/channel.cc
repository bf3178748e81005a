// Channel: one end of a control socket, owned together with its place in the event loop. When its environment ends (a
// Worker too) the socket closes, and the other side sees the hang-up.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cstring>

#include "../common/abi.hh"
#include "kernel.hh"

namespace {

constexpr size_t kMaxFds = 240;

class Channel : public Napi::ObjectWrap<Channel> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Channel",
                       {
                           InstanceMethod("send", &Channel::Send),
                           InstanceMethod("receive", &Channel::Receive),
                           InstanceMethod("watch", &Channel::Watch),
                           InstanceMethod("shutdown", &Channel::Shutdown),
                           InstanceMethod("leads", &Channel::Leads),
                           InstanceMethod("ref", &Channel::Ref),
                           InstanceMethod("unref", &Channel::Unref),
                           InstanceMethod("close", &Channel::Close),
                       });
  }

  // new Channel(fd, onReady(writable: boolean)): takes the descriptor over.
  explicit Channel(const Napi::CallbackInfo& info)
      : ObjectWrap(info), fd_(Int(info, 0)), on_ready_(Napi::Persistent(info[1].As<Napi::Function>())) {
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(Env(), &loop);
    poll_ = new Poll{};
    poll_->handle.data = poll_;
    poll_->channel = this;
    if (uv_poll_init(loop, &poll_->handle, fd_) != 0) {
      delete poll_;
      poll_ = nullptr;
      return;
    }
    napi_add_async_cleanup_hook(Env(), CleanUp, poll_, &poll_->hook);
    Start(false);
    // The object lives as long as the handle does, whether JavaScript holds it or not.
    ObjectWrap::Ref();
  }

 private:
  // Outlives the channel: libuv needs it until its close callback, also when the environment is torn down before.
  struct Poll {
    uv_poll_t handle;
    Channel* channel;
    napi_async_cleanup_hook_handle hook;
  };

  // Without anything to wait for it only stops.
  void Start(bool writable) {
    int events = (reads_ ? UV_READABLE | UV_DISCONNECT : 0) | (writable ? UV_WRITABLE : 0);
    if (poll_) uv_poll_start(&poll_->handle, events, OnPoll);
  }

  static void OnPoll(uv_poll_t* handle, int status, int events) {
    Channel* self = static_cast<Poll*>(handle->data)->channel;
    Napi::HandleScope scope(self->Env());
    bool writable = status == 0 && (events & UV_WRITABLE);
    if (writable) self->Start(false);
    self->on_ready_.MakeCallback(self->Value(), {Napi::Boolean::New(self->Env(), writable)});
  }

  // The environment ends: no JavaScript any more, only the socket and the handle.
  static void CleanUp(napi_async_cleanup_hook_handle, void* data) {
    Poll* poll = static_cast<Poll*>(data);
    Channel* self = poll->channel;
    poll->channel = nullptr;
    self->on_ready_.SuppressDestruct();
    // Closed by hand a moment ago: its callback, still to come, ends the hook.
    if (!self->poll_) return;
    self->poll_ = nullptr;
    uv_poll_stop(&poll->handle);
    if (self->launcher_ < 0) self->launcher_ = StartedPid(self->fd_, 1000, false);
    close(self->fd_);
    self->fd_ = -1;
    if (self->launcher_ > 0) ReapLaterByAny(self->launcher_);
    uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle), OnClosed);
  }

  static void OnClosed(uv_handle_t* handle) {
    Poll* poll = static_cast<Poll*>(handle->data);
    Channel* self = poll->channel;
    napi_remove_async_cleanup_hook(poll->hook);
    delete poll;
    if (!self) return;
    Napi::HandleScope scope(self->Env());
    self->on_ready_.Reset();
    self->ObjectWrap::Unref();
  }

  void Release() {
    if (!poll_) return;
    Poll* poll = poll_;
    poll_ = nullptr;
    uv_poll_stop(&poll->handle);
    close(fd_);
    fd_ = -1;
    uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle), OnClosed);
  }

  // send(bytes, fds) -> bytes written or -errno. Descriptors go with the first byte.
  Napi::Value Send(const Napi::CallbackInfo& info) {
    auto bytes = info[0].As<Napi::Uint8Array>();
    auto fds = info[1].As<Napi::Array>();
    uint32_t count = fds.Length();
    if (count > kMaxFds) return Result(info, -EINVAL);
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
    iovec iov = {bytes.Data(), bytes.ByteLength()};
    msghdr message = {};
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    if (count > 0) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(count * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(count * sizeof(int));
      for (uint32_t i = 0; i < count; i++) {
        int fd = fds.Get(i).ToNumber().Int32Value();
        memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof fd);
      }
    }
    return Result(info, OrErrno(sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT)));
  }

  // receive(bytes, facts: Int32Array) -> bytes read, 0 at the end, or -errno. facts = [sender's pid, count, fd...].
  Napi::Value Receive(const Napi::CallbackInfo& info) {
    auto bytes = info[0].As<Napi::Uint8Array>();
    auto facts = info[1].As<Napi::Int32Array>();
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int)) + CMSG_SPACE(sizeof(ucred))];
    iovec iov = {bytes.Data(), bytes.ByteLength()};
    msghdr message = {};
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t n = recvmsg(fd_, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0) return Result(info, -errno);
    int pid = 0;
    size_t found = 0;
    for (cmsghdr* h = CMSG_FIRSTHDR(&message); h; h = CMSG_NXTHDR(&message, h)) {
      if (h->cmsg_level != SOL_SOCKET) continue;
      if (h->cmsg_type == SCM_CREDENTIALS) {
        ucred credentials;
        memcpy(&credentials, CMSG_DATA(h), sizeof credentials);
        pid = credentials.pid;
      } else if (h->cmsg_type == SCM_RIGHTS) {
        size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
          int fd;
          memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof fd);
          if (2 + found < facts.ElementLength()) facts[2 + found++] = fd;
          else close(fd);
        }
      }
    }
    facts[0] = pid;
    facts[1] = static_cast<int>(found);
    return Result(info, n);
  }

  // watch(readable, writable): tell when there is something to read, and (once) when there is room to send again.
  Napi::Value Watch(const Napi::CallbackInfo& info) {
    reads_ = info[0].ToBoolean();
    Start(info[1].ToBoolean());
    return info.Env().Undefined();
  }
  // shutdown(): no more requests; what the other side still says can be received.
  Napi::Value Shutdown(const Napi::CallbackInfo& info) { return Result(info, OrErrno(shutdown(fd_, SHUT_WR))); }
  // leads(pid): to this launcher, which will have to be reaped by another environment if ours ends first. -1: to one that has
  // not said its pid yet.
  Napi::Value Leads(const Napi::CallbackInfo& info) {
    launcher_ = Int(info, 0);
    return info.Env().Undefined();
  }
  Napi::Value Ref(const Napi::CallbackInfo& info) {
    if (poll_) uv_ref(reinterpret_cast<uv_handle_t*>(&poll_->handle));
    return info.Env().Undefined();
  }
  Napi::Value Unref(const Napi::CallbackInfo& info) {
    if (poll_) uv_unref(reinterpret_cast<uv_handle_t*>(&poll_->handle));
    return info.Env().Undefined();
  }
  Napi::Value Close(const Napi::CallbackInfo& info) {
    Release();
    return info.Env().Undefined();
  }

  int fd_;
  bool reads_ = true;
  int launcher_ = 0;
  Napi::FunctionReference on_ready_;
  Poll* poll_ = nullptr;
};

// controlPair() -> [ours, theirs] or -errno: ours non-blocking, with the sender's pid attached to what it receives.
Napi::Value ControlPair(const Napi::CallbackInfo& info) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return Result(info, -errno);
  int on = 1;
  if (setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0) {
    int error = errno;
    close(pair[0]);
    close(pair[1]);
    return Result(info, -error);
  }
  auto result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, pair[0]);
  result.Set(1u, pair[1]);
  return result;
}

}  // namespace

int StartedPid(int control, int milliseconds, bool peek) {
  pollfd watched = {control, POLLIN, 0};
  while (poll(&watched, 1, milliseconds) < 0 && errno == EINTR) continue;
  abi::FrameHeader header = {};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(ucred))];
  iovec iov = {&header, sizeof header};
  msghdr message = {};
  message.msg_iov = &iov;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  ssize_t n = recvmsg(control, &message, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
  if (n < 0) return errno == EAGAIN ? -EAGAIN : 0;
  cmsghdr* attached = CMSG_FIRSTHDR(&message);
  if (n != sizeof header || header.type != abi::kFrameStarted || !attached) return 0;
  if (attached->cmsg_level != SOL_SOCKET || attached->cmsg_type != SCM_CREDENTIALS) return 0;
  ucred credentials;
  memcpy(&credentials, CMSG_DATA(attached), sizeof credentials);
  return credentials.pid;
}

void InitChannel(Napi::Env env, Napi::Object exports) {
  exports.Set("Channel", Channel::Define(env));
  exports.Set("controlPair", Napi::Function::New(env, ControlPair));
}
