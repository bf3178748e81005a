#!/bin/sh
# Inside the virtual machine, as root in unconfined_t. Reads from the kernel's command line which boot this is, runs that boot's
# programmes one after the other, and reports on the second serial line, which nothing else writes to:
#   # programme NAME     TAP of that programme    # status N
#   # kernel log         dmesg                     # end
# /tmp is in memory; tests of disks want one.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TMPDIR=/var/tmp LINUX_ISOLATE_PATIENCE=6
exec >/dev/ttyS1 2>&1 </dev/null
stty -F /dev/ttyS1 -opost 2>/dev/null
cd /opt/isolate || exit 1
boot=$(sed -n 's/.*isolate\.boot=\([^ ]*\).*/\1/p' /proc/cmdline)
# See run.js: with one CPU until here, nobody can run what is being patched.
echo 1 >/sys/devices/system/cpu/cpu1/online
[ "$(systemctl is-active isolate-settle)" = active ] || echo '# not settled'
# V8 makes code at run time.
setsebool allow_execmem on 2>/dev/null
enforce=$(cat /sys/fs/selinux/enforce 2>/dev/null || echo absent)
echo "# kernel $(uname -r), SELinux enforcing: $enforce, modules: $(cat /sys/kernel/security/lsm)"

if [ "$boot" = shell ]; then
  echo '# end'
  exec setsid --ctty --wait bash -i </dev/ttyS0 >/dev/ttyS0 2>&1
fi

as_root() { node test/vm/guest/suite.js "$@"; }

# With the environment of a login; nothing of the tree is the user's own yet.
as_login() {
  setpriv --reuid tester --regid tester --init-groups env HOME=/home/tester USER=tester XDG_RUNTIME_DIR=/run/user/1500 \
    node test/vm/guest/suite.js "$@"
}

# As a login of an ordinary user has it: a scope of the user's own service manager, which delegates the subtree.
as_user() {
  setpriv --reuid tester --regid tester --init-groups env HOME=/home/tester USER=tester XDG_RUNTIME_DIR=/run/user/1500 \
    systemd-run --user --scope --quiet -p Delegate=yes node test/vm/guest/suite.js "$@"
}

# A subtree given by hand, where the policy keeps an unconfined caller from the user's service manager.
as_owner() {
  delegated=/sys/fs/cgroup/tester.slice
  mkdir -p $delegated/leaf
  echo '+memory +pids +cpu +cpuset +io' >$delegated/cgroup.subtree_control
  for directory in $delegated $delegated/leaf; do
    (cd $directory && chown tester: . cgroup.procs cgroup.subtree_control cgroup.threads)
  done
  (
    sh -c 'echo $PPID' >$delegated/leaf/cgroup.procs
    exec setpriv --reuid tester --regid tester --init-groups env HOME=/home/tester USER=tester node test/vm/guest/suite.js "$@"
  )
}

while read -r name who require files; do
  echo "# programme $name"
  export LINUX_ISOLATE_REQUIRE="$require"
  "as_$who" $files
  echo "# status $?"
done <"boots/$boot"
echo '# kernel log'
dmesg --notime 2>/dev/null || dmesg
echo '# end'
