// Calls on files and descriptors that Node's fs module lacks, or makes dear.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/compat.hh"
#include "kernel.hh"

namespace {

// pipe(nonBlockingEnd, uid, gid) -> [read, write] or -errno; the end named (0, 1, or -1 for none) is non-blocking. An id of -1
// stays the caller's.
Napi::Value Pipe(const Napi::CallbackInfo& info) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return Result(info, -errno);
  int nonblocking = Int(info, 0);
  auto uid = static_cast<uid_t>(info[1].ToNumber().Int64Value()), gid = static_cast<gid_t>(info[2].ToNumber().Int64Value());
  bool failed = nonblocking >= 0 && fcntl(ends[nonblocking & 1], F_SETFL, O_NONBLOCK) < 0;
  if (failed || fchown(ends[0], uid, gid) < 0) {
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    return Result(info, -error);
  }
  auto result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, ends[0]);
  result.Set(1u, ends[1]);
  return result;
}

// read(fd, bytes) -> bytes read, 0 at the end, or -errno: no exception for a pipe that is empty now.
Napi::Value Read(const Napi::CallbackInfo& info) {
  auto bytes = info[1].As<Napi::Uint8Array>();
  return Result(info, OrErrno(read(Int(info, 0), bytes.Data(), bytes.ByteLength())));
}

// readFile(path) -> text as latin1, or -errno. To the end: files of procfs and cgroupfs give their size as 0.
Napi::Value ReadFile(const Napi::CallbackInfo& info) {
  std::string path = info[0].ToString();
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Result(info, -errno);
  char part[4096];
  std::string text;
  ssize_t n;
  while ((n = read(fd, part, sizeof part)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) text.append(part, static_cast<size_t>(n));
  int error = errno;
  close(fd);
  if (n < 0) return Result(info, -error);
  napi_value result;
  napi_status status = napi_create_string_latin1(info.Env(), text.data(), text.size(), &result);
  return status == napi_ok ? Napi::Value(info.Env(), result) : Result(info, -ENOMEM);
}

// writeFile(path, text) -> 0 or -errno; -EIO when the kernel took only a part. Creates nothing, and writes once: the kernel parses
// each write by itself.
Napi::Value WriteFile(const Napi::CallbackInfo& info) {
  std::string path = info[0].ToString();
  std::string text = info[1].ToString();
  int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Result(info, -errno);
  ssize_t n;
  do n = write(fd, text.data(), text.size());
  while (n < 0 && errno == EINTR);  // a smaller memory limit can be interrupted while it reclaims
  int64_t result = n < 0 ? -errno : static_cast<size_t>(n) < text.size() ? -EIO : 0;
  close(fd);
  return Result(info, result);
}

// eventFd() -> fd or -errno: a counter that is readable while it isn't 0, non-blocking.
Napi::Value EventFd(const Napi::CallbackInfo& info) {
  return Result(info, OrErrno(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
}

// open(path, flags) and close(fd): Node's own keep books per Worker, which descriptors that come and go here would upset.
Napi::Value Open(const Napi::CallbackInfo& info) {
  std::string path = info[0].ToString();
  return Result(info, OrErrno(open(path.c_str(), Int(info, 1) | O_CLOEXEC)));
}
Napi::Value Close(const Napi::CallbackInfo& info) { return Result(info, OrErrno(close(Int(info, 0)))); }

// Acts with another user's rights for one call: file-system ids are the calling thread's own (setfsuid(2)), and leaving 0
// takes the capabilities over files along.
class AsUser {
 public:
  AsUser(const Napi::CallbackInfo& info, size_t i) {
    gid_ = static_cast<int>(syscall(SYS_setfsgid, static_cast<uint32_t>(info[i + 1].ToNumber().Int64Value())));
    uid_ = static_cast<int>(syscall(SYS_setfsuid, static_cast<uint32_t>(info[i].ToNumber().Int64Value())));
  }
  ~AsUser() {
    syscall(SYS_setfsuid, uid_);
    syscall(SYS_setfsgid, gid_);
  }

 private:
  int uid_, gid_;
};

// openat2(directory, path, flags, mode, resolve, uid, gid) -> fd or -errno.
Napi::Value Openat2(const Napi::CallbackInfo& info) {
  std::string path = info[1].ToString();
  open_how how = {};
  how.flags = static_cast<uint64_t>(info[2].ToNumber().Int64Value()) | O_CLOEXEC;
  how.mode = static_cast<uint64_t>(info[3].ToNumber().Int64Value());
  how.resolve = static_cast<uint64_t>(info[4].ToNumber().Int64Value());
  AsUser user(info, 5);
  return Result(info, OrErrno(syscall(__NR_openat2, Int(info, 0), path.c_str(), &how, sizeof how)));
}

// *at calls on one name inside a directory descriptor, as a user.
Napi::Value Mkdirat(const Napi::CallbackInfo& info) {
  std::string name = info[1].ToString();
  AsUser user(info, 3);
  return Result(info, OrErrno(mkdirat(Int(info, 0), name.c_str(), static_cast<mode_t>(Int(info, 2)))));
}
Napi::Value Unlinkat(const Napi::CallbackInfo& info) {
  std::string name = info[1].ToString();
  AsUser user(info, 3);
  return Result(info, OrErrno(unlinkat(Int(info, 0), name.c_str(), Int(info, 2))));
}

// ioctl(fd, request, argument: number | Uint8Array) -> result or -errno.
Napi::Value Ioctl(const Napi::CallbackInfo& info) {
  auto request = static_cast<unsigned long>(info[1].ToNumber().Int64Value());
  if (info[2].IsTypedArray()) return Result(info, OrErrno(ioctl(Int(info, 0), request, info[2].As<Napi::Uint8Array>().Data())));
  return Result(info, OrErrno(ioctl(Int(info, 0), request, static_cast<unsigned long>(info[2].ToNumber().Int64Value()))));
}

// flock(fd, operation) -> 0 or -errno.
Napi::Value Flock(const Napi::CallbackInfo& info) { return Result(info, OrErrno(flock(Int(info, 0), Int(info, 1)))); }

}  // namespace

void InitFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("open", Napi::Function::New(env, Open));
  exports.Set("close", Napi::Function::New(env, Close));
  exports.Set("read", Napi::Function::New(env, Read));
  exports.Set("readFile", Napi::Function::New(env, ReadFile));
  exports.Set("writeFile", Napi::Function::New(env, WriteFile));
  exports.Set("eventFd", Napi::Function::New(env, EventFd));
  exports.Set("pipe", Napi::Function::New(env, Pipe));
  exports.Set("openat2", Napi::Function::New(env, Openat2));
  exports.Set("mkdirat", Napi::Function::New(env, Mkdirat));
  exports.Set("unlinkat", Napi::Function::New(env, Unlinkat));
  exports.Set("ioctl", Napi::Function::New(env, Ioctl));
  exports.Set("flock", Napi::Function::New(env, Flock));
}
