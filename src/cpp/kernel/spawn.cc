// Starting and reaping the launcher.
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>

#include "kernel.hh"

namespace {

// launcherImage() -> Buffer: the embedded program.
Napi::Value LauncherImage(const Napi::CallbackInfo& info) {
  return Napi::Buffer<unsigned char>::Copy(info.Env(), launcher_image, launcher_image_end - launcher_image);
}

// sealedMemfd(name, bytes) -> fd. The descriptor is kept above those that a launcher's own set-up overwrites.
Napi::Value SealedMemfd(const Napi::CallbackInfo& info) {
  std::string name = info[0].ToString();
  auto bytes = info[1].As<Napi::Uint8Array>();
  int fd = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return Result(info, -errno);
  int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
  int error = errno;
  close(fd);
  if (high < 0) return Result(info, -error);
  size_t done = 0;
  while (done < bytes.ByteLength()) {
    ssize_t n = write(high, bytes.Data() + done, bytes.ByteLength() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  if (done < bytes.ByteLength() ||
      fcntl(high, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
    error = errno;
    close(high);
    return Result(info, -error);
  }
  return Result(info, high);
}

// programFd(fd?) -> the descriptor that all environments of this process start the launcher from, or -1 when unset.
Napi::Value ProgramFd(const Napi::CallbackInfo& info) {
  static std::atomic<int> program{-1};
  if (info.Length() > 0) program = Int(info, 0);
  return Result(info, program);
}

// spawnLauncher(programFd, controlFd) -> pid. posix_spawn shares memory until the exec, so its price does not
// depend on the size of this process.
Napi::Value SpawnLauncher(const Napi::CallbackInfo& info) {
  int program = Int(info, 0), control = Int(info, 1);
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", program);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  int error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  for (int fd = 1; fd < 3 && !error; fd++) error = posix_spawn_file_actions_adddup2(&actions, 0, fd);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, control, 3);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  char name[] = "linux-isolate";
  char* argv[] = {name, nullptr};
  char* envp[] = {nullptr};
  if (!error) error = posix_spawn(&pid, path, &actions, &attributes, argv, envp);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return Result(info, error ? -error : pid);
}

// reap(pid) -> wait status once the child has ended, -EAGAIN while it runs. Never waits, and only for this pid.
Napi::Value Reap(const Napi::CallbackInfo& info) {
  int status = 0;
  pid_t pid = waitpid(Int(info, 0), &status, WNOHANG);
  return Result(info, pid < 0 ? -errno : pid == 0 ? -EAGAIN : status);
}

}  // namespace

void InitSpawn(Napi::Env env, Napi::Object exports) {
  exports.Set("launcherImage", Napi::Function::New(env, LauncherImage));
  exports.Set("sealedMemfd", Napi::Function::New(env, SealedMemfd));
  exports.Set("programFd", Napi::Function::New(env, ProgramFd));
  exports.Set("spawnLauncher", Napi::Function::New(env, SpawnLauncher));
  exports.Set("reap", Napi::Function::New(env, Reap));
}
