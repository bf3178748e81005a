// The binary contract between TypeScript and the launcher. lib/plan/abi.ts holds the same numbers; test/unit/plan/abi
// compares the two files. All integers are little-endian; strings are {u32 length without NUL}{bytes}{NUL}.
#pragma once
#include <linux/types.h>

namespace abi {

constexpr __u32 kMagic = 0x4f53494c;  // "LISO"
constexpr __u32 kVersion = 1;
constexpr __u32 kMaxFrame = 8 << 20;
constexpr __u32 kMaxFds = 240;  // below the kernel's SCM_MAX_FD (253)
constexpr __u32 kControlFd = 3;
// Where a courier keeps it: above where op Fds moves things (256 to 319). That also makes the table large enough before it
// is shared: growing a shared one waits for an RCU grace period, some 10 ms (fs/file.c, expand_fdtable).
constexpr __u32 kCourierFd = 320;
// Where init keeps the Landlock ruleset for its payloads.
constexpr __u32 kRulesetFd = 321;
// Slot n of a plan is file descriptor kSlotBase + n, so that TypeScript can name it in /proc/self/fd paths.
constexpr __u32 kSlotBase = 64;
constexpr __u32 kMaxSlots = 240;
constexpr __u32 kNone = 0xffffffff;

// A frame: header, then `length` bytes. Descriptors travel with the header's first byte.
struct FrameHeader {
  __u32 length;
  __u16 type;
  __u16 fds;
};

enum Frame : __u16 {
  // Node -> launcher
  kFramePrepare = 1,  // PrepareHeader, ops of the roles Supervisor and Begin; descriptors: the first slots
  kFrameSpawn = 2,   // SpawnHeader, ops; descriptors: what op Fds distributes
  kFrameSignal = 3,  // SignalBody
  kFrameOpenRoot = 4,  // empty; answered by kFrameRoot
  kFrameSupervise = 5,  // ops of the roles Map and Cleanup
  kFrameBuild = 6,      // ops of the role Init; descriptors: the next slots
  kFrameReset = 7,      // ops of the role Init; everything inside is killed first; answered by kFramePosture
  kFrameOpenNamespace = 8,  // string: a file of /proc/self/ns; answered by kFrameNamespace
  kFrameLaunch = 10,  // to the nursery: empty; descriptor: the control socket of a supervisor to be born
  kFrameOpenSocket = 9,  // OpenSocketBody, count, (path, text)...; answered by kFrameSocket
  // launcher -> Node
  kFrameReady = 16,       // init is set up; empty body, init's pid comes as SCM_CREDENTIALS
  kFrameFailed = 17,      // FailedBody
  kFrameSpawned = 18,     // SpawnedBody; the payload's pid comes as SCM_CREDENTIALS; descriptor: pty master, if asked for
  kFrameExited = 19,      // ExitedBody
  kFrameInitExited = 20,  // InitExitedBody, from the supervisor: if there are clean-up ops, or it did not leave by itself
  kFrameListener = 22,    // u32 id of the spawn, before its kFrameSpawned; descriptor: the seccomp listener
  kFrameNamespace = 24,  // empty; descriptor: init's namespace, none when there is no such file
  kFrameSocket = 25,      // SocketBody; descriptor: the socket, none when it failed
  kFrameRoot = 21,        // empty; descriptor: the sandbox's root directory, O_PATH
  kFramePosture = 23,     // PostureBody, after a reset
  kFrameStarted = 26,     // the first one; empty body, the supervisor's pid comes as SCM_CREDENTIALS
};

struct PrepareHeader {
  __u32 magic;
  __u32 version;
  __u32 disabled;     // enum Feature bits: pretend that the kernel lacks these
  __u32 cgroup_slot;  // cgroup v2 directory for CLONE_INTO_CGROUP, or kNone
  __u64 clone_flags;
};

enum Feature : __u32 {
  kFeatureClone3 = 1,
  kFeatureCloseRange = 2,
  kFeatureOpenat2 = 4,
  kFeatureMountApi = 8,
  kFeatureMountSetattr = 16,
};

struct SpawnHeader {
  __u32 id;
  __u32 flags;  // kSpawn*
  __u16 rows;
  __u16 columns;
  __u32 cgroup;  // index among the descriptors: cgroup v2 directory that it is born into, or kNone
};
constexpr __u32 kSpawnTerminal = 1;
constexpr __u32 kSpawnLast = 2;  // init ends with this program
constexpr __u32 kSpawnListener = 4;  // one of its filters has a listener

struct SignalBody {
  __u32 id;  // of a spawn; ignored for kSignalAll
  __u32 signal;
  __u32 scope;
};
constexpr __u32 kSignalProcess = 0;
constexpr __u32 kSignalGroup = 1;
constexpr __u32 kSignalAll = 2;  // every process of the PID namespace but init

struct FailedBody {
  __u32 id;  // of the spawn that failed, or kNone for the sandbox itself
  __u32 role;
  __u32 op;  // index in its frame, or kNone when no op was running
  __s32 error;
  __u32 syscall;
};

struct SpawnedBody {
  __u32 id;
  __u32 pid;  // as init sees it
};

struct ExitedBody {
  __u32 id;
  __u32 status;  // as wait4 gives it
  __u64 wall_ns;
  __u64 user_us;
  __u64 system_us;
  __u64 maxrss_kib;
  __u64 minor_faults;
  __u64 major_faults;
  __u64 voluntary_switches;
  __u64 involuntary_switches;
};

// A socket of init's network namespace, or of a new one (loopback up) that lives as long as somebody has the socket. The
// files, of /proc/sys/net, are written before in the namespace that the socket is made in.
constexpr __u32 kMaxSockets = 2;

// One answer for each of `count` sockets, which differ in their protocol.
struct OpenSocketBody {
  __u32 fresh;
  __u32 domain;
  __u32 type;
  __u32 count;
  __u32 protocols[kMaxSockets];
};

struct SocketBody {
  __u32 error;
};

struct InitExitedBody {
  __u32 status;
};

// What only init can tell of itself.
struct PostureBody {
  __u32 children;     // that are not reaped
  __u32 descriptors;  // open ones
  char host_name[65];
  char domain_name[65];
  __u16 pad;
};

struct OpHeader {
  __u16 code;
  __u16 role;
  __u32 size;  // with this header
};

enum Role : __u16 {
  kRoleSupervisor = 0,  // in the host's namespaces, before init exists
  kRoleMap = 1,         // supervisor, while init waits: identity maps
  kRoleInit = 2,
  kRolePayload = 3,
  kRoleCleanup = 4,  // supervisor, after the last process is gone; errors don't stop the rest
  kRoleBegin = 5,    // init, before anything is known of the particular sandbox
};

enum Op : __u16 {
  // namespaces and identity
  kOpIdMap = 1,          // file, text                        /proc/<init>/<file>
  kOpIdMapHelper = 2,    // program, count, argument...       newuidmap, newgidmap
  kOpJoinNamespace = 3,  // slot, type
  kOpUnshare = 4,        // flags
  kOpEnterTime = 5,      //                                   become a member of time_for_children
  kOpHostname = 6,       // name
  kOpDomainname = 7,     // name
  kOpMakeNetwork = 8,    //                                   begins a network namespace, loopback device up
  kOpGroups = 9,  // count, gid...
  kOpSetGid = 10,
  kOpSetUid = 11,
  kOpUserNamespace = 12,  // slot, uid map, gid map            a namespace used only as an id mapping
  kOpEnterNetwork = 13,   //                                   becomes a member of it
  // files and mounts; destinations are inside the new root
  kOpOpenTree = 20,   // slot, path, flags, attr_set(u64), userns slot   clone of a host tree, detached
  kOpNewFs = 21,      // slot, type, attributes(u64), count, (key, value)...
  kOpAttach = 22,     // slot, destination, flags
  kOpMkdir = 23,      // path, mode
  kOpSymlink = 24,    // target, path
  kOpFile = 25,       // path, mode, text
  kOpMask = 26,       // path
  kOpSetAttr = 27,    // path, attr_set(u64), flags
  kOpPivotRoot = 28,
  kOpPropagation = 29,  // flags
  kOpWriteFile = 30,    // path, text                          in the file system as it is now
  kOpWriteProc = 31,    // path, text                          the same, only if it really is a file of procfs
  kOpSetXattr = 32,     // path, name, value                   inside the new root
  kOpUnmount = 33,      // path                                lets go of what is mounted there, at once
  // cgroups
  kOpCgroupAttach = 40,  // slot of a v1 `tasks` file
  kOpCgroupKill = 41,    // directory
  kOpRmdir = 42,         // path                               with the groups of single programs inside
  kOpCgroupJoin = 43,    // index among the request's descriptors: a v1 `tasks` file
  kOpUnlink = 44,        // path
  // the process
  kOpPrctl = 50,  // option, arg2(u64), arg3(u64), arg4(u64), arg5(u64)
  kOpUmask = 51,
  kOpSetsid = 52,
  kOpControllingTty = 53,  // descriptor
  kOpChdir = 54,           // path
  kOpFds = 55,             // count, (index among the request's descriptors, target)...
  kOpRlimit = 56,          // resource, soft(u64), hard(u64)
  kOpDropBounding = 57,    // kept(u64)
  kOpCapset = 58,          // effective(u64), permitted(u64), inheritable(u64)
  kOpAmbient = 59,         // mask(u64)
  kOpCloseRange = 60,      // first, last
  kOpCheckCwd = 61,
  kOpKeyring = 62,
  kOpSeccomp = 63,  // flags, size, filter
  kOpExec = 64,     // candidates, path..., argc, argument..., envc, variable...
  // Landlock
  kOpRuleset = 70,    // files(u64), tcp(u64), scopes(u64)      what it is about; kept for payloads
  kOpAllowPath = 71,  // path, rights if a directory(u64), rights if not(u64), flags   inside the new root
  kOpAllowPort = 72,  // port, rights(u64)
  kOpRestrict = 73,   // flags
};

// Flags of OpenTree, Attach, SetAttr and AllowPath.
constexpr __u32 kRecursive = 1;
constexpr __u32 kMakeDir = 2;      // make the destination when it is missing: a directory,
constexpr __u32 kMakeFile = 4;     // or an empty file
constexpr __u32 kAsRoot = 8;       // the mount becomes the new root
constexpr __u32 kAsHidden = 16;    // attach below the new root, out of sight (overlay layers)
constexpr __u32 kOptional = 32;    // a missing path is no error
constexpr __u32 kBindSelf = 64;    // SetAttr on a path that is no mount point of its own

}  // namespace abi
