// What the kernel charges for the work itself.
//   floor exec ITERATIONS PROGRAM            vfork, execve, wait
//   floor all[,WITHOUT...] ITERATIONS PROGRAM FILTER [GROUP...]
//         clone3 with eight namespaces, id maps, a root like the library's default one with masked and read-only paths,
//         loopback up, pivot_root, bounding set, ids, capabilities, no_new_privs, the library's own filter (a file of struct
//         sock_filter[]), execve, wait. WITHOUT: nonet, noseccomp. GROUP: directories of v1 controllers, in which a group is
//         made, joined and removed.
//   floor rate SECONDS PROGRAM FILTER WORKERS   as `all`, by so many processes at once; prints launches per second
// The first two print the microseconds of each iteration.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

static void file_at(const char *path, const char *text) {
  int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  must(fd, path);
  must(write(fd, text, strlen(text)), path);
  close(fd);
}

// Paths that are not there are skipped, as the library does.
static void cover_proc(void) {
  static const char *masked[] = {"acpi", "asound", "interrupts", "kcore", "keys", "kmsg", "key-users", "latency_stats",
                                 "sched_debug", "scsi", "timer_list", "timer_stats"};
  static const char *readonly[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};
  char path[64];
  struct stat status;
  for (unsigned i = 0; i < sizeof masked / sizeof *masked; i++) {
    snprintf(path, sizeof path, "proc/%s", masked[i]);
    if (stat(path, &status) < 0) continue;
    if (S_ISDIR(status.st_mode)) must(mount("none", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "nr_inodes=1"), path);
    else bind_mount("/dev/null", path, 0);
  }
  for (unsigned i = 0; i < sizeof readonly / sizeof *readonly; i++) {
    snprintf(path, sizeof path, "proc/%s", readonly[i]);
    if (stat(path, &status) == 0) bind_mount(path, path, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
  }
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
  at("etc");
  file_at("etc/passwd", "root:x:0:0:root:/:/bin/sh\n");
  file_at("etc/group", "root:x:0:\n");
  file_at("etc/hosts", "127.0.0.1 localhost\n");
  file_at("etc/nsswitch.conf", "passwd: files\n");
  at("etc/alternatives");
  bind_mount("/etc/alternatives", "etc/alternatives", MS_RDONLY | MS_NOSUID | MS_NODEV);
  close(open("etc/ld.so.cache", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
  bind_mount("/etc/ld.so.cache", "etc/ld.so.cache", MS_RDONLY | MS_NOSUID | MS_NODEV);
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
  static const char *devlinks[][2] = {{"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
                                      {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}};
  for (int i = 0; i < 5; i++) must(symlink(devlinks[i][0], devlinks[i][1]), devlinks[i][1]);
  at("dev/pts");
  must(mount("none", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666"), "devpts");
  at("dev/shm");
  must(mount("none", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "shm");
  at("dev/mqueue");
  must(mount("none", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "mqueue");
  at("tmp");
  must(mount("none", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "tmp");
  cover_proc();
  must(mount(NULL, "dev", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL), "dev");
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount");
  must(chdir("/"), "chdir");
  must(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL), "/");
}

static void loopback_up(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  must(fd, "socket");
  must(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
  close(fd);
}

static struct sock_filter filter[4096];
static struct sock_fprog filter_program = {0, filter};

static void read_filter(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  must(fd, path);
  long n = read(fd, filter, sizeof filter);
  must(n, path);
  filter_program.len = n / sizeof *filter;
  close(fd);
}

static int with_network = 1, with_seccomp = 1;

static void confine(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {0};
  for (int i = 0; prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0; i++) continue;
  must(setresgid(0, 0, 0), "setresgid");
  must(setresuid(0, 0, 0), "setresuid");
  must(syscall(SYS_capset, &header, none), "capset");
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "nnp");
  if (with_seccomp) must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter_program), "seccomp");
}

static int group_count;
static char **groups;

static void group_path(char *path, const char *parent, const char *file) {
  snprintf(path, 256, "%s/linux-isolate-%d-floor%s", parent, getpid(), file);
}

static void run_all(const char *program) {
  int go[2];
  char path[64], byte;
  must(pipe2(go, O_CLOEXEC), "pipe");
  struct clone_args args = {0};
  args.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME;
  if (with_network) args.flags |= CLONE_NEWNET;
  char group[256];
  int tasks[8];
  for (int i = 0; i < group_count; i++) {
    group_path(group, groups[i], "");
    must(mkdir(group, 0755), group);
    group_path(group, groups[i], "/tasks");
    must(tasks[i] = open(group, O_WRONLY | O_CLOEXEC), group);
  }
  args.exit_signal = SIGCHLD;
  long pid = syscall(SYS_clone3, &args, sizeof args);
  must(pid, "clone3");
  if (pid == 0) {
    close(go[1]);
    must(read(go[0], &byte, 1), "go");
    for (int i = 0; i < group_count; i++) must(write(tasks[i], "0", 1), "tasks");
    build_root();
    if (with_network) loopback_up();
    confine();
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
  for (int i = 0; i < group_count; i++) {
    close(tasks[i]);
    group_path(group, groups[i], "");
    while (rmdir(group) < 0 && errno == EBUSY) usleep(100);
  }
  if (status != 0) exit(1);
}

static void run_rate(double seconds, const char *program, int workers) {
  int counts[2];
  must(pipe(counts), "pipe");
  for (int i = 0; i < workers; i++) {
    if (fork() != 0) continue;
    int n = 0;
    for (double end = now() + seconds * 1e6; now() < end; n++) run_all(program);
    must(write(counts[1], &n, sizeof n), "count");
    exit(0);
  }
  int sum = 0;
  for (int i = 0, n; i < workers; i++) {
    must(read(counts[0], &n, sizeof n), "count");
    sum += n;
  }
  while (wait(NULL) > 0) continue;
  printf("%.1f\n", sum / seconds);
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
  if (argc < 4) return 2;
  if (argc > 4) read_filter(argv[4]);
  if (strcmp(argv[1], "rate") == 0) {
    run_rate(atof(argv[2]), argv[3], argc > 5 ? atoi(argv[5]) : 1);
    return 0;
  }
  with_network = strstr(argv[1], ",nonet") == NULL;
  with_seccomp = strstr(argv[1], ",noseccomp") == NULL;
  group_count = argc > 5 ? argc - 5 : 0;
  groups = argv + 5;
  if (group_count > 8) return 2;
  for (int i = atoi(argv[2]); i > 0; i--) {
    double start = now();
    if (strncmp(argv[1], "all", 3) == 0) run_all(argv[3]);
    else run_exec(argv[3]);
    printf("%.1f\n", now() - start);
  }
}
