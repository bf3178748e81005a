#!/bin/sh
# Inside the virtual machine, as root in unconfined_t: runs the programmes and says so on the console, in TAP.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin NODE_PATH=
setsebool allow_execmem on 2>/dev/null
cd /opt/isolate || exit 1
echo "# kernel $(uname -r), SELinux $(cat /sys/fs/selinux/enforce 2>/dev/null || echo absent), $(node --version)"
node test/vm/root.js
# Through a pipe: the policy keeps the bus from passing the console on.
systemd-run --quiet --wait --pipe --uid=tester -p Delegate=yes -p SELinuxContext=unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 \
  -E HOME=/home/tester node /opt/isolate/test/vm/user.js </dev/null 2>&1 | cat
dmesg | grep -E 'Oops|BUG:|WARNING:' | sed 's/^/# kernel: /'
dmesg | grep -E 'avc: +denied' | tail -20 | sed 's/^/# /'
echo "# end of the guest's programme"
