// Dispatch of ops, and what their families share.
#include "ops.hh"

i32 slot_fd(u32 slot) { return slot < abi::kMaxSlots ? (i32)(abi::kSlotBase + slot) : -1; }

i64 fill_slot(u32 slot, i64 fd) {
  if (fd < 0) return fd;
  i32 target = slot_fd(slot);
  if (fd == target) return 0;
  i64 result = target < 0 ? -EBADF : sys(__NR_dup3, fd, target, O_CLOEXEC);
  close_fd((i32)fd);
  return result < 0 ? result : 0;
}

i64 write_file(i32 dir, const char* path, const char* text) {
  i64 fd = sys(__NR_openat, dir, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  i64 length = (i64)strlen(text);
  i64 n = sys(__NR_write, fd, text, length);
  close_fd((i32)fd);
  return n < 0 ? n : n == length ? 0 : -EIO;
}

i64 kill_listed(const char* path) {
  char text[4096];
  i64 fd = sys(__NR_openat, kAtFdcwd, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  i64 n = sys(__NR_read, fd, text, sizeof text);
  close_fd((i32)fd);
  i64 found = 0;
  i32 pid = 0;
  // A number that the buffer cuts off has no separator behind it, and waits for the next round.
  for (i64 i = 0; i < n; i++) {
    bool digit = text[i] >= '0' && text[i] <= '9';
    if (!digit && pid) found++, sys(__NR_kill, pid, 9);
    pid = digit ? pid * 10 + (text[i] - '0') : 0;
  }
  return n < 0 ? n : found;
}

i64 run_op(u16 code, Reader& arguments, Context& context) {
  i64 result = code < abi::kOpOpenTree      ? run_namespace_op(code, arguments, context)
               : code < abi::kOpCgroupAttach ? run_mount_op(code, arguments, context)
               : code < abi::kOpRuleset      ? run_process_op(code, arguments, context)
                                             : run_landlock_op(code, arguments, context);
  if (result >= 0 && (!arguments.ok() || !arguments.done())) return -EBADMSG;
  return result < 0 ? result : 0;
}
