// The same mounts on kernels without the new mount API (5.2) or mount_setattr (5.12). A slot then holds a recipe, carried
// out when it is attached. What can't be made with the same posture is refused with EOPNOTSUPP.
#pragma once
#include "ops.hh"

i64 walk_inside(i32 root, const char* path, u64 flags);

i64 legacy_tree(u32 slot, const char* path, u32 flags, u64 attributes, u32 userns);
i64 legacy_fs(u32 slot, const char* type, u64 attributes, const char** keys, const char** values, u32 count);
bool legacy_pending(u32 slot);
// Mounts the recipe. A descriptor of the target still names what lies below: the caller opens the path once more and
// hands the mount itself to legacy_finish, which restricts it and keeps it in the slot.
i64 legacy_attach(u32 slot, const char* target);
i64 legacy_finish(u32 slot, i64 fd);
i64 legacy_bind(const char* source, const char* target);
i64 legacy_mask(const char* target);
i64 legacy_remount(i32 fd, u64 attributes);
