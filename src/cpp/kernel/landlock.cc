// What this kernel's Landlock can do. Rulesets are the launcher's business: they restrict whoever applies them.
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/compat.hh"
#include "kernel.hh"

namespace {

// landlockFacts(flags) -> a number or -errno: with 1 the ABI's version.
Napi::Value LandlockFacts(const Napi::CallbackInfo& info) {
  return Result(info, OrErrno(syscall(__NR_landlock_create_ruleset, nullptr, 0, Int(info, 0))));
}

}  // namespace

void InitLandlock(Napi::Env env, Napi::Object exports) {
  exports.Set("landlockFacts", Napi::Function::New(env, LandlockFacts));
}
