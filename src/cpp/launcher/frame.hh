// Frames on the control socket: one header, a body, descriptors with the header's first byte.
#pragma once
#include "ops.hh"

struct Frame {
  abi::FrameHeader header;
  u8* body;        // `small`, or an anonymous mapping of its own, which release() unmaps
  u8 small[8192];  // most are, and the next one finds its pages there
  i32 fds[abi::kMaxFds];
  u32 fd_count;

  void release();
  void close_fds();
};

// Its descriptors become the next slots.
void fill_slots(Frame& frame, Context& context);

// 0, or -errno; -EPIPE at the end of the stream. Nothing stays allocated on failure.
i64 receive_frame(Frame* frame);

// `pid` != 0 asks the kernel to vouch for that pid (SCM_CREDENTIALS); without the right to do so the frame goes bare.
i64 send_frame(u16 type, const void* body, u32 length, i32 fd = -1, i32 pid = 0);

void send_failed(u32 id, u32 role, u32 op, i64 error);
