#!/bin/sh
# Inside the virtual machine, as root in unconfined_t: runs the programmes and says so on the console, in TAP.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin NODE_PATH=
setsebool allow_execmem on 2>/dev/null
cd /opt/isolate || exit 1
echo "# kernel $(uname -r), SELinux $(cat /sys/fs/selinux/enforce 2>/dev/null || echo absent), $(node --version)"
node test/vm/root.js
# A delegated subtree as Delegate=yes gives it: the user's own directories, with the program in a leaf (the policy keeps
# systemd-run from talking to the bus here).
delegated=/sys/fs/cgroup/tester.slice
mkdir -p $delegated/leaf
echo '+memory +pids +cpu' > $delegated/cgroup.subtree_control
for directory in $delegated $delegated/leaf; do
  chown tester: $directory $directory/cgroup.procs $directory/cgroup.subtree_control $directory/cgroup.threads
done
(
  sh -c 'echo $PPID' > $delegated/leaf/cgroup.procs
  exec setpriv --reuid tester --regid tester --init-groups env HOME=/home/tester node test/vm/user.js
)
dmesg | grep -E 'Oops|BUG:|WARNING:' | sed 's/^/# kernel: /'
dmesg | grep -E 'avc: +denied' | tail -20 | sed 's/^/# /'
echo "# end of the guest's programme"
