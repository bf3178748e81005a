// Extended attributes of whatever a descriptor stands for: by its name in /proc, because the f* calls refuse O_PATH ones.
#include <sys/xattr.h>

#include <cstdio>

#include "kernel.hh"

namespace {

struct FdName {
  explicit FdName(int fd) { snprintf(text, sizeof text, "/proc/thread-self/fd/%d", fd); }
  char text[40];
};

// getxattr(fd, name, buffer) -> length or -errno; an empty buffer asks for the length.
Napi::Value GetXattr(const Napi::CallbackInfo& info) {
  std::string name = info[1].ToString();
  auto buffer = info[2].As<Napi::Uint8Array>();
  return Result(info, OrErrno(getxattr(FdName(Int(info, 0)).text, name.c_str(), buffer.Data(), buffer.ByteLength())));
}

// setxattr(fd, name, bytes, flags) -> 0 or -errno.
Napi::Value SetXattr(const Napi::CallbackInfo& info) {
  std::string name = info[1].ToString();
  auto bytes = info[2].As<Napi::Uint8Array>();
  FdName file(Int(info, 0));
  return Result(info, OrErrno(setxattr(file.text, name.c_str(), bytes.Data(), bytes.ByteLength(), Int(info, 3))));
}

// listxattr(fd, buffer) -> length or -errno: names, each ended by a NUL.
Napi::Value ListXattr(const Napi::CallbackInfo& info) {
  auto buffer = info[1].As<Napi::Uint8Array>();
  char* data = reinterpret_cast<char*>(buffer.Data());
  return Result(info, OrErrno(listxattr(FdName(Int(info, 0)).text, data, buffer.ByteLength())));
}

Napi::Value RemoveXattr(const Napi::CallbackInfo& info) {
  std::string name = info[1].ToString();
  return Result(info, OrErrno(removexattr(FdName(Int(info, 0)).text, name.c_str())));
}

}  // namespace

void InitXattr(Napi::Env env, Napi::Object exports) {
  exports.Set("getxattr", Napi::Function::New(env, GetXattr));
  exports.Set("setxattr", Napi::Function::New(env, SetXattr));
  exports.Set("listxattr", Napi::Function::New(env, ListXattr));
  exports.Set("removexattr", Napi::Function::New(env, RemoveXattr));
}
