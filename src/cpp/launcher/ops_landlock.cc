// Landlock: init makes the ruleset while no program has run that could put another file under a path; each payload then
// restricts itself by it. Rules hold for what a path leads to at that moment, and for everything below.
#include <linux/stat.h>

#include "ops.hh"

namespace {

// Source: linux/landlock.h, which grows with the kernel. Trailing members that an older kernel lacks must be 0.
struct RulesetAttributes {
  u64 files, tcp, scopes;
};
struct __attribute__((packed)) PathRule {
  u64 allowed;
  i32 parent;
};
struct PortRule {
  u64 allowed, port;
};
constexpr u32 kRulePath = 1, kRulePort = 2;

i64 make_ruleset(Reader& in) {
  RulesetAttributes attributes = {in.wide(), in.wide(), in.wide()};
  if (!in.ok()) return -EBADMSG;
  i64 fd = sys(__NR_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (fd < 0) return fd;
  i64 result = sys(__NR_dup3, fd, (i32)abi::kRulesetFd, O_CLOEXEC);
  close_fd((i32)fd);
  return result;
}

i64 allow_path(Reader& in, const Context& context) {
  const char* path = in.string();
  u64 directory = in.wide(), file = in.wide();
  u32 flags = in.number();
  if (!in.ok()) return -EBADMSG;
  i64 fd = open_inside(context, path, O_PATH);
  if (fd < 0) return fd == -ENOENT && (flags & abi::kOptional) ? 0 : fd;
  struct statx status;
  i64 result = sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &status);
  if (result >= 0) {
    PathRule rule = {(status.stx_mode & 0170000) == 0040000 ? directory : file, (i32)fd};
    result = sys(__NR_landlock_add_rule, (i32)abi::kRulesetFd, kRulePath, &rule, 0);
  }
  close_fd((i32)fd);
  return result;
}

i64 allow_port(Reader& in) {
  u64 port = in.number();
  PortRule rule = {in.wide(), port};
  return in.ok() ? sys(__NR_landlock_add_rule, (i32)abi::kRulesetFd, kRulePort, &rule, 0) : -EBADMSG;
}

}  // namespace

i64 run_landlock_op(u16 code, Reader& in, Context& context) {
  switch (code) {
    case abi::kOpRuleset: return make_ruleset(in);
    case abi::kOpAllowPath: return allow_path(in, context);
    case abi::kOpAllowPort: return allow_port(in);
    case abi::kOpRestrict: return sys(__NR_landlock_restrict_self, (i32)abi::kRulesetFd, in.number());
  }
  return -ENOSYS;
}
