#!/usr/bin/env bash
# image.sh KERNEL SUITE: makes the disk image of one kernel, or finds it made, and prints `IMAGE BOOT-DIRECTORY`.
#
# Everything comes from the mirror that apt already uses here. Two stages, both kept outside the tree and keyed by what made
# them, so that a changed policy or unit costs seconds and not a new debootstrap:
#   base-KEY/          Debian trixie without a kernel: systemd, Node 20, SELinux's default policy, the tests' programs
#   KERNEL-KEY.ext4    with a stock kernel of SUITE, our policy module and unit, and SELinux labels
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
kernel=$1 suite=$2

cache=${LINUX_ISOLATE_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/linux-isolate/vm}
mirror=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' | head -1)
say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
# quietly LOG COMMAND...: its output only when it fails.
quietly() { local log=$cache/$1.log; shift; "$@" >"$log" 2>&1 || { tail -20 "$log" >&2; return 1; }; }

packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,kmod,initramfs-tools,zstd,procps
packages+=,nodejs,python3,iproute2,iputils-ping,nftables,passt,uidmap,strace,attr
packages+=,selinux-policy-default,policycoreutils,selinux-utils,semodule-utils,apparmor

base=$cache/base-$(sha256sum <<<"trixie $packages" | cut -c1-12)
key=$(cat "${BASH_SOURCE[0]}" "$here"/policy/* "$here"/guest/{*.service,settle.sh} <(echo "$suite") | sha256sum | cut -c1-12)
image=$cache/$kernel-$key.ext4
boot=$cache/$kernel-$key.boot
mkdir -p "$cache"

make_base() {
  say 'image: debootstrap of trixie, some two minutes'
  rm -rf "$cache"/base-*
  quietly debootstrap debootstrap --variant=minbase --include="$packages" trixie "$base.new" "$mirror"
  mv "$base.new" "$base"
}

configure() {
  printf 'SELINUX=enforcing\nSELINUXTYPE=default\n' >"$1/etc/selinux/config"
  printf 'vm\n' >"$1/etc/hostname"
  printf '/dev/vda / ext4 rw 0 0\n' >"$1/etc/fstab"
  # An initrd with all modules takes long to unpack under emulation; ours only has to find the disk.
  printf 'MODULES=list\n' >"$1/etc/initramfs-tools/conf.d/vm"
  printf '%s\n' virtio_pci virtio_blk ext4 >>"$1/etc/initramfs-tools/modules"
  chroot "$1" useradd --create-home --uid 1500 --shell /bin/bash tester
  mkdir -p "$1/var/lib/systemd/linger" "$1/opt/isolate" "$1/etc/systemd/system/multi-user.target.wants"
  touch "$1/var/lib/systemd/linger/tester"
  # No login on the consoles; profiles are loaded by the tests, and what waits for a network or a clock is not wanted.
  rm -f "$1"/etc/systemd/system/getty.target.wants/*
  local unit
  for unit in serial-getty@ttyS0 serial-getty@ttyS1 getty@tty1 apparmor systemd-timesyncd selinux-autorelabel-mark; do
    ln -sf /dev/null "$1/etc/systemd/system/$unit.service"
  done
  rm -f "$1"/etc/systemd/system/timers.target.wants/*
  cp "$here"/guest/*.service "$1/etc/systemd/system/"
  install "$here/guest/settle.sh" "$1/usr/local/sbin/isolate-settle"
  ln -s ../isolate-test.service "$1/etc/systemd/system/multi-user.target.wants/"
}

install_kernel() {
  local option=
  printf 'deb %s %s main\n' "$mirror" "$suite" >"$1/etc/apt/sources.list.d/kernel.list"
  [ "$suite" = trixie ] || option="-t $suite"
  cp /etc/resolv.conf "$1/etc/resolv.conf"
  quietly "kernel-$kernel" chroot "$1" sh -ec "export DEBIAN_FRONTEND=noninteractive; apt-get update
    apt-get install -y --no-install-recommends $option linux-image-cloud-amd64; apt-get clean; rm -rf /var/lib/apt/lists/*"
  rm -f "$1/etc/resolv.conf"
  mkdir -p "$boot"
  cp "$1"/boot/vmlinuz-* "$boot/vmlinuz"
  cp "$1"/boot/initrd.img-* "$boot/initrd"
}

label() {
  # Loaded at boot with the rest of the policy, which spares the guest from compiling it.
  cp "$here"/policy/*.cil "$1/root/"
  quietly semodule chroot "$1" sh -c 'semodule -n -i /root/*.cil && rm /root/*.cil'
  # Its messages are about compiled expressions of a newer version, which it then does without.
  setfiles -F -r "$1" "$1/etc/selinux/default/contexts/files/file_contexts" "$1" >"$cache/setfiles.log" 2>&1 || true
  getfattr --absolute-names -n security.selinux "$1/usr/bin/node" >/dev/null || { tail -5 "$cache/setfiles.log" >&2; return 1; }
}

make_image() {
  local root=$cache/$kernel.root
  rm -rf "$root" "$cache/$kernel"-*
  cp -a "$base" "$root"
  say "image: kernel from $suite"
  configure "$root"
  install_kernel "$root"
  say 'image: policy and labels'
  label "$root"
  say 'image: ext4'
  truncate -s 3G "$image.new"
  mkfs.ext4 -q -d "$root" "$image.new"
  mv "$image.new" "$image"
  rm -rf "$root"
}

[ -d "$base" ] || make_base
[ -f "$image" ] || make_image
printf '%s %s\n' "$image" "$boot"
