// What the kernel charges for the work itself: usage `floor exec|all ITERATIONS PROGRAM`, prints µs of each iteration.
//   exec  vfork, execve, wait
//   all   clone3 with eight namespaces, id maps, a root like the library's default one, pivot_root, no_new_privs, execve, wait
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static void must(long result, const char *what) {
  if (result >= 0) return;
  perror(what);
  _exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void write_to(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  must(fd, path);
  must(write(fd, text, strlen(text)), path);
  close(fd);
}

static void at(const char *path) { must(mkdir(path, 0755), path); }

static void bind_mount(const char *from, const char *to, unsigned long flags) {
  must(mount(from, to, NULL, MS_BIND | MS_REC, NULL), to);
  if (flags) must(mount(NULL, to, NULL, MS_REMOUNT | MS_BIND | flags, NULL), to);
}

static void build_root(void) {
  static const char *devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
  static const char *links[] = {"bin", "lib", "lib64", "sbin"};
  char from[64], to[64];
  must(mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"), "tmpfs");
  must(chdir("/tmp"), "chdir");
  at("usr");
  bind_mount("/usr", "usr", MS_RDONLY | MS_NOSUID | MS_NODEV);
  for (int i = 0; i < 4; i++) {
    snprintf(from, sizeof from, "usr/%s", links[i]);
    must(symlink(from, links[i]), links[i]);
  }
  at("proc");
  must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
  at("dev");
  must(mount("none", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"), "dev");
  for (int i = 0; i < 6; i++) {
    snprintf(from, sizeof from, "/dev/%s", devices[i]);
    snprintf(to, sizeof to, "dev/%s", devices[i]);
    close(open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    bind_mount(from, to, 0);
  }
  at("dev/pts");
  must(mount("none", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666"), "devpts");
  at("dev/shm");
  must(mount("none", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "shm");
  at("dev/mqueue");
  must(mount("none", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "mqueue");
  at("tmp");
  must(mount("none", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "tmp");
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount");
  must(chdir("/"), "chdir");
}

static void run_all(const char *program) {
  int go[2];
  char path[64], byte;
  must(pipe2(go, O_CLOEXEC), "pipe");
  struct clone_args args = {0};
  args.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME;
  args.exit_signal = SIGCHLD;
  long pid = syscall(SYS_clone3, &args, sizeof args);
  must(pid, "clone3");
  if (pid == 0) {
    close(go[1]);
    must(read(go[0], &byte, 1), "go");
    build_root();
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "nnp");
    execl(program, program, NULL);
    _exit(127);
  }
  // Root maps itself, so that the cost of mounting is the kernel's alone.
  snprintf(path, sizeof path, "/proc/%ld/setgroups", pid);
  write_to(path, "deny");
  char map[64];
  snprintf(path, sizeof path, "/proc/%ld/uid_map", pid);
  snprintf(map, sizeof map, "0 %d 1", getuid());
  write_to(path, map);
  snprintf(path, sizeof path, "/proc/%ld/gid_map", pid);
  snprintf(map, sizeof map, "0 %d 1", getgid());
  write_to(path, map);
  must(write(go[1], "", 1), "go");
  close(go[0]);
  close(go[1]);
  int status;
  must(waitpid(pid, &status, 0), "wait");
  if (status != 0) exit(1);
}

static void run_exec(const char *program) {
  pid_t pid = vfork();
  if (pid == 0) {
    execl(program, program, NULL);
    _exit(127);
  }
  must(waitpid(pid, NULL, 0), "wait");
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  for (int i = atoi(argv[2]); i > 0; i--) {
    double start = now();
    if (strcmp(argv[1], "all") == 0) run_all(argv[3]);
    else run_exec(argv[3]);
    printf("%.1f\n", now() - start);
  }
}
