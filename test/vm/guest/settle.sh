#!/bin/sh
# Run by isolate-settle.service, with a network namespace of its own: one user of every hook of the network, for good.
hooks() {
  for hook in $2; do
    echo "add table $1 settle; add chain $1 settle $hook { type filter hook $hook ${3:+device $3} priority 0; policy accept; }"
  done | nft -f -
}
hooks inet 'prerouting input forward output postrouting'
hooks bridge 'prerouting input forward output postrouting'
hooks netdev 'ingress egress' lo
tc qdisc add dev lo clsact
exec python3 -c '
import signal, socket, subprocess
stamped = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
stamped.setsockopt(socket.SOL_SOCKET, 29, 1)  # SO_TIMESTAMP, as ping does
subprocess.run(["systemd-notify", "--ready"], check=True)
signal.pause()'
