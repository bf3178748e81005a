// What the files of this folder export to JavaScript, and the few conversions they share.
#pragma once
#include <napi.h>

#include <cerrno>
#include <cstdint>
#include <string>

void InitSpawn(Napi::Env env, Napi::Object exports);
void InitChannel(Napi::Env env, Napi::Object exports);
void InitSeccomp(Napi::Env env, Napi::Object exports);
void InitFiles(Napi::Env env, Napi::Object exports);
void InitBpf(Napi::Env env, Napi::Object exports);
void InitXattr(Napi::Env env, Napi::Object exports);
void InitNamespaces(Napi::Env env, Napi::Object exports);
void InitNetlink(Napi::Env env, Napi::Object exports);
void InitLandlock(Napi::Env env, Napi::Object exports);
void InitGuestSocket(Napi::Env env, Napi::Object exports);

// The launcher program, embedded at build time.
extern "C" const unsigned char launcher_image[];
extern "C" const unsigned char launcher_image_end[];

inline int Int(const Napi::CallbackInfo& info, size_t i) { return info[i].ToNumber().Int32Value(); }
inline Napi::Value Result(const Napi::CallbackInfo& info, int64_t result) {
  return Napi::Number::New(info.Env(), static_cast<double>(result));
}
// Result of a libc call: itself, or -errno.
inline int64_t OrErrno(int64_t result) { return result < 0 ? -errno : result; }

// The pid of the launcher behind a control socket, which is the first thing it says; 0 when it is gone without a word, -EAGAIN
// when it has said nothing for so long. With `peek` it can be heard again.
int StartedPid(int control, int milliseconds, bool peek);

// A launcher that is about to end, for reapLeft() of whichever thread is there then.
void ReapLaterByAny(int pid);
