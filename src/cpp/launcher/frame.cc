#include "frame.hh"

#include <linux/mman.h>

namespace {

// Moves the descriptors of one control message into the frame; more than we hold means a broken peer.
void collect_fds(const MsgHdr& message, Frame* frame) {
  const u8* at = (const u8*)message.control;
  usize left = message.control_length;
  while (left >= sizeof(CmsgHdr)) {
    auto header = load<CmsgHdr>(at);
    if (header.length < sizeof header || header.length > left) break;
    if (header.level == kSolSocket && header.type == kScmRights) {
      usize count = (header.length - sizeof header) / sizeof(i32);
      for (usize i = 0; i < count; i++) {
        i32 fd = load<i32>(at + sizeof header + i * sizeof(i32));
        if (frame->fd_count < abi::kMaxFds) frame->fds[frame->fd_count++] = fd;
        else close_fd(fd);
      }
    }
    usize step = (header.length + 7) & ~(usize)7;
    if (step >= left) break;
    at += step;
    left -= step;
  }
}

i64 read_all(u8* to, usize length, Frame* frame) {
  while (length > 0) {
    alignas(8) u8 control[sizeof(CmsgHdr) * 2 + abi::kMaxFds * sizeof(i32) + 64];
    IoVec iov = {to, length};
    MsgHdr message = {nullptr, 0, &iov, 1, control, sizeof control, 0};
    i64 n = sys(__NR_recvmsg, (i32)abi::kControlFd, &message, kMsgWaitall | kMsgCmsgCloexec);
    if (n == -EINTR) continue;
    if (n < 0) return n;
    collect_fds(message, frame);
    if (n == 0) return -EPIPE;
    to += n;
    length -= (usize)n;
  }
  return 0;
}

}  // namespace

void Frame::close_fds() {
  for (u32 i = 0; i < fd_count; i++) close_fd(fds[i]);
  fd_count = 0;
}

void Frame::release() {
  if (body && body != small) sys(__NR_munmap, body, header.length);
  body = nullptr;
}

void fill_slots(Frame& frame, Context& context) {
  for (u32 i = 0; i < frame.fd_count; i++) fill_slot(context.slots++, frame.fds[i]);
  frame.fd_count = 0;
}

i64 receive_frame(Frame* frame) {
  frame->body = nullptr;
  frame->fd_count = 0;
  i64 error = read_all((u8*)&frame->header, sizeof frame->header, frame);
  if (!error && (frame->header.length > abi::kMaxFrame || frame->header.fds != frame->fd_count)) error = -EBADMSG;
  if (!error && frame->header.length > 0) {
    i64 map = (i64)frame->small;
    if (frame->header.length > sizeof frame->small)
      map = sys(__NR_mmap, nullptr, frame->header.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map < 0) error = map;
    else frame->body = (u8*)map;
    if (!error) error = read_all(frame->body, frame->header.length, frame);
  }
  if (error) {
    frame->close_fds();
    frame->release();
  }
  return error;
}

i64 send_frame(u16 type, const void* body, u32 length, i32 fd, i32 pid) {
  struct {
    CmsgHdr header;
    i32 fd;
    i32 pad;
  } rights = {{sizeof(CmsgHdr) + sizeof(i32), kSolSocket, kScmRights}, fd, 0};
  struct {
    CmsgHdr header;
    u32 pid, uid, gid, pad;
  } credentials = {{sizeof(CmsgHdr) + 12, kSolSocket, kScmCredentials}, (u32)pid, 0, 0, 0};
  u8 control[sizeof rights + sizeof credentials];
  usize control_length = 0;
  if (fd >= 0) {
    memcpy(control, &rights, sizeof rights);
    control_length += sizeof rights;
  }
  if (pid) {
    credentials.uid = (u32)sys(__NR_getuid);
    credentials.gid = (u32)sys(__NR_getgid);
    memcpy(control + control_length, &credentials, sizeof credentials);
    control_length += sizeof credentials;
  }
  abi::FrameHeader header = {length, type, (u16)(fd >= 0 ? 1 : 0)};
  IoVec iov[2] = {{&header, sizeof header}, {body, length}};
  MsgHdr message = {nullptr, 0, iov, 2, control, control_length, 0};
  // Small frames fit the socket buffer whole, so a short write cannot happen to them.
  i64 n = sys(__NR_sendmsg, (i32)abi::kControlFd, &message, kMsgNosignal);
  if (n == -EPERM && pid) return send_frame(type, body, length, fd, 0);
  return n < 0 ? n : 0;
}

void send_failed(u32 id, u32 role, u32 op, i64 error) {
  abi::FailedBody body = {id, role, op, (i32)-error, last_syscall};
  send_frame(abi::kFrameFailed, &body, sizeof body);
}
