#include "mount_legacy.hh"

#include <linux/mount.h>

namespace {

enum Kind : u8 { kKindNone, kKindTree, kKindFs };

struct Recipe {
  Kind kind;
  u32 flags;
  u64 attributes;
  const char* type;  // points into the plan, which stays mapped during set-up
  char options[512];
};
Recipe recipes[abi::kMaxSlots];

// The attributes that we use have the numbers of MS_RDONLY, MS_NOSUID, MS_NODEV and MS_NOEXEC.
u64 mount_flags(u64 attributes) { return attributes & 15; }

// In a user namespace a remount must keep the flags that are locked on the mount, so it adds to what statfs tells.
i64 remount(const char* target, u64 attributes) {
  u64 status[16] = {};
  i64 result = sys(__NR_statfs, target, status);
  if (result < 0) return result;
  constexpr u64 kept = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | 1024 /* noatime */ | 2048 /* nodiratime */;
  u64 now = status[10] & kept;  // f_flags; its low bits equal MS_*, but relatime
  if (status[10] & 4096) now |= MS_RELATIME;
  return sys(__NR_mount, nullptr, target, nullptr, MS_BIND | MS_REMOUNT | mount_flags(attributes) | now, nullptr);
}

// Number after `label` in a small proc file.
i64 field(const char* path, const char* label) {
  char text[512];
  i64 fd = sys(__NR_openat, kAtFdcwd, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  i64 n = sys(__NR_read, fd, text, sizeof text - 1);
  close_fd((i32)fd);
  if (n < 0) return n;
  text[n] = 0;
  for (char* at = text; *at; at++) {
    usize length = 0;
    while (label[length] && at[length] == label[length]) length++;
    if (label[length]) continue;
    at += length;
    while (*at == ' ' || *at == '\t') at++;
    i64 value = 0;
    while (*at >= '0' && *at <= '9') value = value * 10 + (*at++ - '0');
    return value;
  }
  return -ENOENT;
}

// Does any mount have `id` as its parent? Second number of each line of mountinfo.
i64 has_children(i64 id) {
  i64 fd = sys(__NR_openat, kAtFdcwd, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  char buffer[1024];
  i64 n, number = 0;
  u32 column = 0;
  bool found = false;
  while (!found && (n = sys(__NR_read, fd, buffer, sizeof buffer)) > 0) {
    for (i64 i = 0; i < n; i++) {
      char c = buffer[i];
      if (c == '\n') column = 0, number = 0;
      else if (c == ' ') {
        if (column == 1 && number == id) found = true;
        column++, number = 0;
      } else if (column == 1) number = number * 10 + (c - '0');
    }
  }
  close_fd((i32)fd);
  return found;
}

// A read-only remount reaches one mount only: with others below, the tree would stay writable there.
i64 restrict_tree(i32 fd, u64 attributes, u32 flags) {
  if (!attributes) return 0;
  if (flags & abi::kRecursive) {
    char info[64];
    Text(info, sizeof info).add("/proc/self/fdinfo/").add((u64)fd);
    i64 id = field(info, "mnt_id:");
    i64 children = id < 0 ? id : has_children(id);
    if (children != 0) return children < 0 ? children : -EOPNOTSUPP;
  }
  return remount(FdPath(fd).text, attributes);
}

}  // namespace

i64 walk_inside(i32 root, const char* path, u64 flags) {
  i64 at = sys(__NR_openat, root, ".", O_PATH | O_CLOEXEC);
  char name[256];
  while (at >= 0) {
    while (*path == '/') path++;
    usize n = 0;
    while (path[n] && path[n] != '/') n++;
    if (n == 0) break;
    if (n >= sizeof name || (n == 2 && path[0] == '.' && path[1] == '.')) {
      close_fd((i32)at);
      return -EINVAL;
    }
    memcpy(name, path, n);
    name[n] = 0;
    path += n;
    // O_PATH|O_NOFOLLOW opens a symlink itself; going through it then fails with ENOTDIR, as it should.
    i64 next = sys(__NR_openat, at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    close_fd((i32)at);
    at = next;
  }
  if (at < 0 || (flags & O_PATH)) return at;
  i64 fd = sys(__NR_openat, kAtFdcwd, FdPath((i32)at).text, flags | O_CLOEXEC);
  close_fd((i32)at);
  return fd;
}

bool legacy_pending(u32 slot) { return slot < abi::kMaxSlots && recipes[slot].kind != kKindNone; }

i64 legacy_tree(u32 slot, const char* path, u32 flags, u64 attributes, u32 userns) {
  if (slot >= abi::kMaxSlots) return -EBADF;
  if (userns != abi::kNone) return -EOPNOTSUPP;
  recipes[slot].kind = kKindTree;
  recipes[slot].flags = flags;
  recipes[slot].attributes = attributes;
  return fill_slot(slot, sys(__NR_openat, kAtFdcwd, path, O_PATH | O_CLOEXEC));
}

i64 legacy_fs(u32 slot, const char* type, u64 attributes, const char** keys, const char** values, u32 count) {
  if (slot >= abi::kMaxSlots) return -EBADF;
  Recipe& recipe = recipes[slot];
  recipe.kind = kKindFs;
  recipe.attributes = attributes;
  recipe.type = type;
  Text text(recipe.options, sizeof recipe.options);
  bool first = true;
  for (u32 i = 0; i < count; i++) {
    if (!first) text.add(",");
    first = false;
    text.add(keys[i]);
    // Quoted for the sake of contexts, whose categories are parted by commas; only they may be.
    const char* quote = equal(keys[i], "context") ? "\"" : "";
    if (values[i][0]) text.add("=").add(quote).add(values[i]).add(quote);
  }
  return text.ok() ? 0 : -E2BIG;
}

i64 legacy_bind(const char* source, const char* target) {
  return sys(__NR_mount, source, target, nullptr, MS_BIND, nullptr);
}

i64 legacy_attach(u32 slot, const char* target) {
  const Recipe& recipe = recipes[slot];
  if (recipe.kind == kKindFs) {
    return sys(__NR_mount, recipe.type, target, recipe.type, mount_flags(recipe.attributes), recipe.options);
  }
  u64 flags = MS_BIND | (recipe.flags & abi::kRecursive ? MS_REC : 0);
  return sys(__NR_mount, FdPath(slot_fd(slot)).text, target, nullptr, flags, nullptr);
}

i64 legacy_finish(u32 slot, i64 fd) {
  if (fd < 0) return fd;
  Recipe& recipe = recipes[slot];
  i64 result = recipe.kind == kKindTree ? restrict_tree((i32)fd, recipe.attributes, recipe.flags) : 0;
  recipe.kind = kKindNone;
  if (result >= 0) return fill_slot(slot, fd);
  close_fd((i32)fd);
  return result;
}

i64 legacy_mask(const char* target) {
  return sys(__NR_mount, "tmpfs", target, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "nr_inodes=1");
}

i64 legacy_remount(i32 fd, u64 attributes) { return remount(FdPath(fd).text, attributes); }
