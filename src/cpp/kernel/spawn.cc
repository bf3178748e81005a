// Starting, keeping and reaping launchers.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "../common/abi.hh"
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

// spawnNursery(programFd, controlFd) -> pid. posix_spawn shares memory until the exec, so its price does not
// depend on the size of this process.
Napi::Value SpawnNursery(const Napi::CallbackInfo& info) {
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

// Launchers on their way out, of all threads: a Worker may end before them.
std::mutex leaving_lock;
std::vector<pid_t> leaving;

// reapLater(pid): to be reaped by the reapLeft() of whichever thread is there then.
Napi::Value ReapLater(const Napi::CallbackInfo& info) {
  ReapLaterByAny(Int(info, 0));
  return info.Env().Undefined();
}

// reapLeft() -> how many of them still run.
Napi::Value ReapLeft(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> guard(leaving_lock);
  auto gone = [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; };
  leaving.erase(std::remove_if(leaving.begin(), leaving.end(), gone), leaving.end());
  return Result(info, static_cast<int64_t>(leaving.size()));
}

// heritage() -> the ids and the priority that a child of this thread has, as text.
Napi::Value Heritage(const Napi::CallbackInfo& info) {
  uid_t uids[3];
  gid_t gids[3];
  getresuid(&uids[0], &uids[1], &uids[2]);
  getresgid(&gids[0], &gids[1], &gids[2]);
  std::string text = std::to_string(getpriority(PRIO_PROCESS, 0));
  for (uid_t uid : uids) text += ' ' + std::to_string(uid);
  for (gid_t gid : gids) text += ' ' + std::to_string(gid);
  std::vector<gid_t> groups(static_cast<size_t>(std::max(getgroups(0, nullptr), 0)));
  groups.resize(static_cast<size_t>(std::max(getgroups(static_cast<int>(groups.size()), groups.data()), 0)));
  for (gid_t group : groups) text += ',' + std::to_string(group);
  return Napi::String::New(info.Env(), text);
}

// Where the launchers of this process are born, whichever of its threads asks for one.
struct Nursery {
  std::mutex lock;
  std::string key;
  int control = -1;
  pid_t pid = 0;
  std::chrono::steady_clock::time_point born;
} nursery;

// What it hands down is this process's of the moment when it was born.
constexpr auto kNurseryAge = std::chrono::seconds(1);

// keepNursery(control, pid, key) -> the pid of the one before, whose socket is closed, or 0. keepNursery(-1, 0, ''): none any more.
Napi::Value KeepNursery(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> guard(nursery.lock);
  pid_t before = nursery.pid;
  if (before) close(nursery.control);
  nursery.control = Int(info, 0);
  nursery.pid = Int(info, 1);
  nursery.key = info[2].ToString();
  nursery.born = std::chrono::steady_clock::now();
  return Result(info, before);
}

// seeNursery() -> [control, pid] or null.
Napi::Value SeeNursery(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> guard(nursery.lock);
  if (nursery.pid == 0) return info.Env().Null();
  auto result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, nursery.control);
  result.Set(1u, static_cast<int>(nursery.pid));
  return result;
}

// launch(key, control) -> 0 or -errno: asks for a launcher on that socket. -ESTALE: there is no nursery with that key, or it is old.
Napi::Value Launch(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> guard(nursery.lock);
  if (nursery.pid == 0 || nursery.key != info[0].ToString().Utf8Value()) return Result(info, -ESTALE);
  if (std::chrono::steady_clock::now() - nursery.born > kNurseryAge) return Result(info, -ESTALE);
  int fd = Int(info, 1);
  abi::FrameHeader header = {0, abi::kFrameLaunch, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof fd)] = {};
  iovec iov = {&header, sizeof header};
  msghdr message = {};
  message.msg_iov = &iov;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  // When very many are asked for at once it gets behind: some 50 µs for each.
  pollfd room = {nursery.control, POLLOUT, 0};
  int64_t n = OrErrno(sendmsg(nursery.control, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
  while (n == -EAGAIN && poll(&room, 1, 1000) == 1) n = OrErrno(sendmsg(nursery.control, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
  return Result(info, n < 0 ? n : 0);
}

// The launcher that waits for the next launch of this process.
struct Spare {
  std::mutex lock;
  std::string key;
  int control = -1;
} spare;

// keepSpare(control, key) -> whether it is kept; there is room for one.
Napi::Value KeepSpare(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> guard(spare.lock);
  bool kept = spare.control < 0;
  if (kept) {
    spare.control = Int(info, 0);
    spare.key = info[1].ToString();
  }
  return Napi::Boolean::New(info.Env(), kept);
}

Napi::Value SpareFacts(Napi::Env env, int control, int pid) {
  auto result = Napi::Array::New(env, 2);
  result.Set(0u, control);
  result.Set(1u, pid);
  return result;
}

// takeSpare(key?) -> [control, pid as startedPid gives it], or null when there is none, or one with another key. Without a key
// whoever asks wants to see its end, and waits for its pid.
Napi::Value TakeSpare(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> guard(spare.lock);
  bool any = info.Length() == 0;
  if (spare.control < 0 || (!any && spare.key != info[0].ToString().Utf8Value())) return info.Env().Null();
  int control = spare.control;
  spare.control = -1;
  return SpareFacts(info.Env(), control, StartedPid(control, any ? 1000 : 0, false));
}

// seeSpare() -> [control, pid] of the one that waits and goes on waiting, or null.
Napi::Value SeeSpare(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> guard(spare.lock);
  return spare.control < 0 ? info.Env().Null() : SpareFacts(info.Env(), spare.control, StartedPid(spare.control, 0, true));
}

// startedPid(control, milliseconds) -> the launcher's pid, 0 when it is gone, -EAGAIN when it has not started yet.
Napi::Value Started(const Napi::CallbackInfo& info) { return Result(info, StartedPid(Int(info, 0), Int(info, 1), false)); }

}  // namespace

void ReapLaterByAny(int pid) {
  std::lock_guard<std::mutex> guard(leaving_lock);
  leaving.push_back(pid);
}

void InitSpawn(Napi::Env env, Napi::Object exports) {
  exports.Set("launcherImage", Napi::Function::New(env, LauncherImage));
  exports.Set("sealedMemfd", Napi::Function::New(env, SealedMemfd));
  exports.Set("programFd", Napi::Function::New(env, ProgramFd));
  exports.Set("spawnNursery", Napi::Function::New(env, SpawnNursery));
  exports.Set("keepNursery", Napi::Function::New(env, KeepNursery));
  exports.Set("seeNursery", Napi::Function::New(env, SeeNursery));
  exports.Set("launch", Napi::Function::New(env, Launch));
  exports.Set("startedPid", Napi::Function::New(env, Started));
  exports.Set("heritage", Napi::Function::New(env, Heritage));
  exports.Set("reap", Napi::Function::New(env, Reap));
  exports.Set("reapLater", Napi::Function::New(env, ReapLater));
  exports.Set("reapLeft", Napi::Function::New(env, ReapLeft));
  exports.Set("keepSpare", Napi::Function::New(env, KeepSpare));
  exports.Set("takeSpare", Napi::Function::New(env, TakeSpare));
  exports.Set("seeSpare", Napi::Function::New(env, SeeSpare));
}
