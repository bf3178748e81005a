// Module init. Every function takes and gives numbers and buffers, and returns a result or -errno: lib/native makes
// errors of them, and decides everything else.
#include "kernel/kernel.hh"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  InitSpawn(env, exports);
  InitChannel(env, exports);
  InitSeccomp(env, exports);
  InitFiles(env, exports);
  InitBpf(env, exports);
  InitXattr(env, exports);
  InitNamespaces(env, exports);
  InitNetlink(env, exports);
  InitLandlock(env, exports);
  InitGuestSocket(env, exports);
  return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
