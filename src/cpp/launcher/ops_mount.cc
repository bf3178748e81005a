// Ops on mounts and files. Trees are cloned or made detached, given their attributes, and only then attached, so that no
// half-configured mount is ever reachable. Destinations are resolved inside the new root, whatever symlinks it holds.
#include <asm/statfs.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "mount_legacy.hh"
#include "ops.hh"

namespace {

constexpr u32 kMaxParameters = 32;
constexpr u32 kMountDetach = 2, kUnmountNoFollow = 8;

// What Mask covers paths with, made once: an empty read-only directory, and the null device.
i32 mask_directory = -1;
i32 mask_file = -1;
bool mask_directory_placed = false;

i64 open_in(i32 dir, const char* path, u64 flags, u64 resolve) {
  struct open_how how;
  memset(&how, 0, sizeof how);
  how.flags = flags | O_CLOEXEC;
  how.resolve = resolve;
  return sys(__NR_openat2, dir, path, &how, sizeof how);
}

// The directory that the last op made something in: the next one often does so in the same. Attaching may cover it.
struct Parent {
  char path[128];
  i32 fd;
};
Parent last_parent = {{}, -1};

void forget_parent() {
  close_fd(last_parent.fd);
  last_parent.fd = -1;
}

// The directory that holds the last component of `path`, which `name` is set to. Stays open until another one is asked for.
i64 open_parent(const Context& context, const char* path, const char** name) {
  char parent[4096];
  usize length = strlen(path), slash = length;
  if (length >= sizeof parent) return -ENAMETOOLONG;
  while (slash > 0 && path[slash - 1] != '/') slash--;
  if (length == slash) return -EINVAL;
  *name = path + slash;
  if (slash == 0) path = "/", slash = 1;
  memcpy(parent, path, slash);
  parent[slash] = 0;
  if (last_parent.fd >= 0 && equal(last_parent.path, parent)) return last_parent.fd;
  forget_parent();
  i64 fd = open_inside(context, parent, O_PATH | O_DIRECTORY);
  if (fd < 0) return fd;
  last_parent.fd = (i32)fd;
  // A longer path never compares equal.
  last_parent.path[0] = 0;
  if (slash < sizeof last_parent.path) memcpy(last_parent.path, parent, slash + 1);
  return fd;
}

// A directory, or a symbolic link when there is a target. 1 for a new one, 0 for a directory that was there.
i64 make_entry(const Context& context, const char* path, u32 mode, const char* target) {
  const char* name;
  i64 parent = open_parent(context, path, &name);
  if (parent < 0) return parent;
  i64 result = target ? sys(__NR_symlinkat, target, parent, name) : sys(__NR_mkdirat, parent, name, mode);
  return result == 0 ? 1 : !target && result == -EEXIST ? 0 : result;
}

i64 make_dir(const Context& context, const char* path, u32 mode) { return make_entry(context, path, mode, nullptr); }

i64 make_file(const Context& context, const char* path, u32 mode, const char* text) {
  const char* name;
  i64 parent = open_parent(context, path, &name);
  if (parent < 0) return parent;
  i64 fd = sys(__NR_openat, parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) return fd;
  i64 result = 0;
  for (usize left = strlen(text); left > 0 && result >= 0; left -= (usize)result, text += result) {
    result = sys(__NR_write, fd, text, left);
  }
  close_fd((i32)fd);
  return result < 0 ? result : 1;
}

i64 make_destination(const Context& context, const char* path, u32 flags) {
  return flags & abi::kMakeDir ? make_dir(context, path, 0755) : make_file(context, path, 0644, "");
}

// The destination, and what is missing on the way to it.
i64 make_way(const Context& context, const char* path, u32 flags) {
  i64 made = make_destination(context, path, flags);
  if (made != -ENOENT) return made;
  char prefix[4096];
  usize length = strlen(path);
  if (length >= sizeof prefix) return -ENAMETOOLONG;
  for (usize i = 1; i < length; i++) {
    if (path[i] != '/') continue;
    memcpy(prefix, path, i);
    prefix[i] = 0;
    i64 result = make_dir(context, prefix, 0755);
    if (result < 0) return result;
  }
  return make_destination(context, path, flags);
}

i64 set_attributes(i32 fd, u64 set, bool recursive, i32 userns) {
  struct mount_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.attr_set = set;
  if (userns >= 0) {
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = (u64)userns;
    // Cloned by the supervisor, where mounts may be shared: what is attached below would appear on the host as well.
    attributes.propagation = MS_SLAVE;
  }
  return sys(__NR_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes, sizeof attributes);
}

i64 move_to(i32 mount, i32 destination) {
  return sys(__NR_move_mount, mount, "", destination, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

i64 open_tree(Reader& in, const Context& context) {
  u32 slot = in.number();
  const char* path = in.string();
  u32 flags = in.number();
  u64 set = in.wide();
  u32 userns = in.number();
  if (!in.ok()) return -EBADMSG;
  if (context.lacks(abi::kFeatureMountApi)) return legacy_tree(slot, path, flags, set, userns);
  u32 tree_flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (flags & abi::kRecursive ? AT_RECURSIVE : 0);
  i64 fd = sys(__NR_open_tree, kAtFdcwd, path, tree_flags);
  if (fd == -ENOSYS) return legacy_tree(slot, path, flags, set, userns);
  if (fd < 0) return fd;
  if (set || userns != abi::kNone) {
    i64 result = context.lacks(abi::kFeatureMountSetattr)
                     ? -ENOSYS
                     : set_attributes((i32)fd, set, flags & abi::kRecursive, slot_fd(userns));
    if (result < 0) {
      close_fd((i32)fd);
      return result == -ENOSYS ? legacy_tree(slot, path, flags, set, userns) : result;
    }
  }
  return fill_slot(slot, fd);
}

i64 new_fs(Reader& in, const Context& context) {
  u32 slot = in.number();
  const char* type = in.string();
  u64 attributes = in.wide();
  u32 count = in.number();
  if (count > kMaxParameters) return -E2BIG;
  const char* keys[kMaxParameters];
  const char* values[kMaxParameters];
  for (u32 i = 0; i < count; i++) {
    keys[i] = in.string();
    values[i] = in.string();
  }
  if (!in.ok()) return -EBADMSG;
  if (context.lacks(abi::kFeatureMountApi)) return legacy_fs(slot, type, attributes, keys, values, count);
  i64 fs = sys(__NR_fsopen, type, FSOPEN_CLOEXEC);
  if (fs == -ENOSYS) return legacy_fs(slot, type, attributes, keys, values, count);
  if (fs < 0) return fs;
  i64 result = 0;
  for (u32 i = 0; i < count && result >= 0; i++) {
    bool flag = values[i][0] == 0;
    result = sys(__NR_fsconfig, fs, flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, keys[i], flag ? nullptr : values[i], 0);
  }
  if (result >= 0) result = sys(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (result >= 0) result = sys(__NR_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
  close_fd((i32)fs);
  return fill_slot(slot, result);
}

// New root and overlay layers are stacked on "/": path lookups still start at the old root below them, so host paths
// keep working until pivot_root. "/.." is the way to the top of that stack.
i64 attach_on_top(u32 slot, u32 flags, Context& context) {
  i32 mount = slot_fd(slot);
  i64 result;
  if (legacy_pending(slot)) {
    result = legacy_attach(slot, "/");
    if (result >= 0) result = legacy_finish(slot, sys(__NR_openat, kAtFdcwd, "/..", O_PATH | O_CLOEXEC));
  } else {
    result = sys(__NR_move_mount, mount, "", kAtFdcwd, "/", MOVE_MOUNT_F_EMPTY_PATH);
  }
  if (result >= 0 && (flags & abi::kAsRoot)) context.root = mount;
  forget_parent();
  return result;
}

// Onto what is there, wherever the path leads inside the new root.
i64 attach_to(u32 slot, const char* destination, const Context& context) {
  i64 target = open_inside(context, destination, O_PATH);
  if (target < 0) return target;
  i64 result;
  if (legacy_pending(slot)) {
    result = legacy_attach(slot, FdPath((i32)target).text);
    if (result >= 0) result = legacy_finish(slot, open_inside(context, destination, O_PATH));
  } else {
    result = move_to(slot_fd(slot), (i32)target);
  }
  close_fd((i32)target);
  forget_parent();
  return result;
}

i64 attach(Reader& in, Context& context) {
  u32 slot = in.number();
  const char* destination = in.string();
  u32 flags = in.number();
  i32 mount = slot_fd(slot);
  if (!in.ok() || mount < 0) return -EBADMSG;
  if (flags & (abi::kAsRoot | abi::kAsHidden)) return attach_on_top(slot, flags, context);
  i64 made = flags & (abi::kMakeDir | abi::kMakeFile) ? make_way(context, destination, flags) : 0;
  const char* name;
  // What we have just made is no link, and its name leads nowhere else.
  i64 parent = made > 0 && !legacy_pending(slot) ? open_parent(context, destination, &name) : -ENOENT;
  i64 result = parent < 0 ? attach_to(slot, destination, context)
                          : sys(__NR_move_mount, mount, "", parent, name, MOVE_MOUNT_F_EMPTY_PATH);
  // In a reset nothing comes after that would.
  if (context.root < 0) forget_parent();
  if (result >= 0) close_fd(mount);
  return result == -ENOENT && made < 0 ? made : result;
}

i64 file_type(i32 fd, u32* device) {
  struct statx status;
  i64 result = sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &status);
  if (result < 0) return result;
  *device = status.stx_rdev_major << 20 | status.stx_rdev_minor;
  return status.stx_mode & S_IFMT;
}

i64 clone_tree(i32 fd, const char* path) {
  return sys(__NR_open_tree, fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (fd >= 0 ? AT_EMPTY_PATH : 0));
}

// A replaced /dev/null would make the mask a hole, so it has to be the real one.
i64 prepare_masks() {
  i64 null = sys(__NR_openat, kAtFdcwd, "/dev/null", O_PATH | O_CLOEXEC);
  if (null < 0) return null;
  u32 device = 0;
  i64 type = file_type((i32)null, &device);
  if (type != S_IFCHR || device != (1 << 20 | 3)) return type < 0 ? type : -ENODEV;
  mask_file = (i32)null;
  i64 fs = sys(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (fs == -ENOSYS) return 0;
  if (fs < 0) return fs;
  i64 result = sys(__NR_fsconfig, fs, FSCONFIG_SET_STRING, "nr_inodes", "1", 0);
  if (result >= 0) result = sys(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (result >= 0) {
    result = sys(__NR_fsmount, fs, FSMOUNT_CLOEXEC,
                 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }
  close_fd((i32)fs);
  if (result < 0) return result;
  mask_directory = (i32)result;
  return 0;
}

// A detached mount can be cloned only since 6.15, so the first directory gets the empty one itself; it is attached then. The
// null device is the host's: who owns it there must not change its mode from here. It can be written to all the same.
i64 cover(bool directory, i32 target) {
  if (directory && !mask_directory_placed) {
    mask_directory_placed = true;
    return move_to(mask_directory, target);
  }
  i64 tree = clone_tree(directory ? mask_directory : mask_file, "");
  if (tree < 0) return tree;
  i64 result = directory ? 0 : set_attributes((i32)tree, MOUNT_ATTR_RDONLY, false, -1);
  if (result >= 0) result = move_to((i32)tree, target);
  close_fd((i32)tree);
  return result;
}

bool lacks_attributes(const Context& context) { return context.lacks(abi::kFeatureMountSetattr | abi::kFeatureMountApi); }

// Takes the descriptor over.
i64 restrict_mount(const Context& context, i64 mount, u64 set, bool recursive) {
  if (mount < 0) return mount;
  i64 result = lacks_attributes(context) ? legacy_remount((i32)mount, set) : set_attributes((i32)mount, set, recursive, -1);
  close_fd((i32)mount);
  return result;
}

i64 mask(Reader& in, const Context& context) {
  const char* path = in.string();
  i64 target = open_inside(context, path, O_PATH);
  if (target == -ENOENT || target == -ENOTDIR) return 0;
  if (target < 0) return target;
  u32 device;
  i64 type = file_type((i32)target, &device);
  i64 result = type;
  bool directory = type == S_IFDIR, legacy = lacks_attributes(context);
  FdPath covered((i32)target);
  if (type >= 0 && !legacy) result = cover(directory, (i32)target);
  else if (type >= 0) result = directory ? legacy_mask(covered.text) : legacy_bind(FdPath(mask_file).text, covered.text);
  close_fd((i32)target);
  return result < 0 || directory || !legacy
             ? result
             : restrict_mount(context, open_inside(context, path, O_PATH), MOUNT_ATTR_RDONLY, false);
}

// Covers a path with a clone of itself, so that attributes can differ from the mount it belongs to.
i64 bind_self(i32 target, u64 set) {
  i64 tree = sys(__NR_open_tree, target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
  if (tree < 0) return tree;
  i64 result = set_attributes((i32)tree, set, true, -1);
  if (result >= 0) result = move_to((i32)tree, target);
  close_fd((i32)tree);
  return result;
}

i64 set_attr(Reader& in, const Context& context) {
  const char* path = in.string();
  u64 set = in.wide();
  u32 flags = in.number();
  i64 target = open_inside(context, path, O_PATH);
  if ((target == -ENOENT || target == -ENOTDIR) && (flags & abi::kOptional)) return 0;
  if (target < 0) return target;
  bool legacy = lacks_attributes(context), recursive = flags & abi::kRecursive;
  if (!(flags & abi::kBindSelf)) return restrict_mount(context, target, set, recursive);
  FdPath at((i32)target);
  i64 result = legacy ? legacy_bind(at.text, at.text) : bind_self((i32)target, set);
  close_fd((i32)target);
  if (result < 0 || !legacy) return result;
  return restrict_mount(context, open_inside(context, path, O_PATH), set, recursive);
}

// Where a label is written must not be a file that somebody put there (CVE-2019-16884): the program would run without it.
i64 write_proc(Reader& in) {
  i64 fd = sys(__NR_openat, kAtFdcwd, in.string(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return fd;
  struct statfs status;
  const char* text = in.string();
  i64 length = (i64)strlen(text);
  i64 result = sys(__NR_fstatfs, fd, &status);
  if (result >= 0 && status.f_type != PROC_SUPER_MAGIC) result = -EXDEV;
  if (result >= 0) result = sys(__NR_write, fd, text, length);
  close_fd((i32)fd);
  return result < 0 || result == length ? result : -EIO;
}

i64 set_xattr(Reader& in, const Context& context) {
  i64 target = open_inside(context, in.string(), O_PATH);
  if (target < 0) return target;
  const char* name = in.string();
  const char* value = in.string();
  i64 result = sys(__NR_setxattr, FdPath((i32)target).text, name, value, strlen(value), 0);
  close_fd((i32)target);
  return result;
}

// pivot_root(".", ".") stacks the old root on the new one, from where it is unmounted: no put_old directory needed.
i64 pivot_root(Context& context) {
  forget_parent();
  i64 result = sys(__NR_fchdir, context.root);
  if (result >= 0) result = sys(__NR_pivot_root, ".", ".");
  if (result >= 0) result = sys(__NR_umount2, ".", kMountDetach);
  if (result >= 0) result = sys(__NR_chdir, "/");
  close_fd(context.root);
  context.root = -1;
  return result;
}

}  // namespace

// A path inside the new root, which may be hostile. Without openat2 (before 5.6): component by component, no symlinks.
i64 open_inside(const Context& context, const char* path, u64 flags) {
  if (context.root < 0) return sys(__NR_openat, kAtFdcwd, path, flags | O_CLOEXEC);
  if (!context.lacks(abi::kFeatureOpenat2)) {
    i64 fd = open_in(context.root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (fd != -ENOSYS) return fd;
  }
  return walk_inside(context.root, path, flags);
}

i64 run_mount_op(u16 code, Reader& in, Context& context) {
  switch (code) {
    case abi::kOpOpenTree: return open_tree(in, context);
    case abi::kOpNewFs: return new_fs(in, context);
    case abi::kOpAttach: return attach(in, context);
    case abi::kOpMkdir: {
      const char* path = in.string();
      return make_dir(context, path, in.number());
    }
    case abi::kOpSymlink: {
      const char* target = in.string();
      return make_entry(context, in.string(), 0, target);
    }
    case abi::kOpFile: {
      const char* path = in.string();
      u32 mode = in.number();
      return make_file(context, path, mode, in.string());
    }
    case abi::kOpMask: {
      i64 ready = mask_file < 0 ? prepare_masks() : 0;
      return ready < 0 ? ready : mask(in, context);
    }
    case abi::kOpSetAttr: return set_attr(in, context);
    case abi::kOpPivotRoot: return pivot_root(context);
    case abi::kOpPropagation: return sys(__NR_mount, nullptr, "/", nullptr, in.number(), nullptr);
    case abi::kOpWriteFile: {
      const char* path = in.string();
      return write_file(kAtFdcwd, path, in.string());
    }
    case abi::kOpWriteProc: return write_proc(in);
    case abi::kOpSetXattr: return set_xattr(in, context);
    case abi::kOpUnmount: return forget_parent(), sys(__NR_umount2, in.string(), kMountDetach | kUnmountNoFollow);
  }
  return -ENOSYS;
}
