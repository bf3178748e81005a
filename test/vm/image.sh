#!/usr/bin/env bash
# Makes the root file system of the VM tier: Debian trixie with a stock kernel, systemd, Node 20 and SELinux's default policy.
# Kept outside the tree and made anew when this file changes. Prints the path of the image.
set -euo pipefail

cache=${LINUX_ISOLATE_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/linux-isolate/vm}
key=$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-16)
image=$cache/$key.ext4
boot=$cache/$key.boot
root=$cache/$key.root

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }

packages=linux-image-cloud-amd64,systemd,systemd-sysv,dbus,nodejs,selinux-policy-default,policycoreutils,selinux-utils
packages+=,semodule-utils,iproute2,kmod,uidmap,python3-minimal,attr

if [ ! -f "$image" ]; then
  rm -rf "$cache"
  mkdir -p "$cache" "$boot"
  mirror=$(apt-get indextargets --format '$(SITE)' | head -1)
  say 'image: debootstrap trixie (some two minutes)'
  debootstrap --variant=minbase --include="$packages" trixie "$root" "$mirror" >"$cache/debootstrap.log" 2>&1 ||
    { tail -20 "$cache/debootstrap.log" >&2; exit 1; }

  printf 'SELINUX=enforcing\nSELINUXTYPE=default\n' >"$root/etc/selinux/config"
  printf 'vm\n' >"$root/etc/hostname"
  printf '/dev/vda / ext4 rw 0 0\n' >"$root/etc/fstab"
  chroot "$root" useradd --create-home --uid 1500 tester
  # Nothing else is wanted on the console, nor a login.
  rm -f "$root"/etc/systemd/system/getty.target.wants/*
  ln -s /dev/null "$root/etc/systemd/system/serial-getty@ttyS0.service"
  cat >"$root/etc/systemd/system/isolate-test.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
SELinuxContext=unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023
Delegate=yes
ExecStart=/bin/sh -c 'mount -o ro /dev/vdb /opt/isolate && exec sh /opt/isolate/test/vm/guest.sh'
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
ExecStopPost=/bin/systemctl --no-block poweroff --force
[Install]
WantedBy=multi-user.target
UNIT
  mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/opt/isolate"
  ln -s ../isolate-test.service "$root/etc/systemd/system/multi-user.target.wants/"
  cp "$root"/boot/vmlinuz-* "$boot/vmlinuz"
  cp "$root"/boot/initrd.img-* "$boot/initrd"
  say 'image: labels'
  # Its messages are about compiled expressions of a newer version, which it then does without.
  setfiles -F -r "$root" "$root/etc/selinux/default/contexts/files/file_contexts" "$root" >"$cache/setfiles.log" 2>&1 || true
  getfattr -n security.selinux "$root/usr/bin/node" >/dev/null || { tail -5 "$cache/setfiles.log" >&2; exit 1; }
  say 'image: ext4'
  rm -f "$image.new"
  truncate -s 3G "$image.new"
  mkfs.ext4 -q -d "$root" "$image.new"
  mv "$image.new" "$image"
  rm -rf "$root"
fi
printf '%s %s\n' "$image" "$boot"
