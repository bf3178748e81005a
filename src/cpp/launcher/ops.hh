// The vocabulary of plans. Each op is one idea of the kernel's; TypeScript decides order and arguments.
#pragma once
#include "plan.hh"

struct Context {
  u32 disabled = 0;    // abi::Feature bits
  u32 slots = 0;       // those that came with frames
  i32 root = -1;       // the new root, once attached
  bool waits = false;  // kept ready: what is done now has nothing beside it (role Begin)
  i32 child = 0;       // init, as the supervisor sees it (role Map)
  i32* fds = nullptr;  // what came with a spawn request (role Payload)
  u32 fd_count = 0;
  i32* listener = nullptr;  // where a filter's listener is told (role Payload)
  void* scratch = nullptr;  // for argv and envp (role Payload)
  usize scratch_size = 0;

  bool lacks(u32 feature) const { return (disabled & feature) != 0; }
};

// Runs one op: 0 or -errno. -EBADMSG for arguments that don't decode, -ENOSYS for an unknown code.
i64 run_op(u16 code, Reader& arguments, Context& context);

i64 run_mount_op(u16 code, Reader& arguments, Context& context);
i64 run_process_op(u16 code, Reader& arguments, Context& context);
i64 run_namespace_op(u16 code, Reader& arguments, Context& context);
i64 run_landlock_op(u16 code, Reader& arguments, Context& context);

// Shared by the op families.
i32 slot_fd(u32 slot);                                        // descriptor of a slot, or -1
i64 fill_slot(u32 slot, i64 fd);                              // moves fd (or passes -errno on) into the slot
i64 open_inside(const Context& context, const char* path, u64 flags);  // in the new root, whatever symlinks it holds
i64 write_file(i32 dir, const char* path, const char* text);  // one write, which must take everything
i64 kill_listed(const char* path);  // SIGKILL for every pid in a file of pids; the number of them
i64 kill_cgroup(const char* directory);
