#!/usr/bin/env bash
# `npm run test:vm`: a stock Debian kernel with pure cgroup v2, systemd and SELinux enforcing, under emulation. Boots the cached
# image with this build on a second drive, shows what the guest prints, and fails on a failed check, a kernel oops or no end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for program in qemu-system-x86_64 debootstrap mkfs.ext4 setfiles getfattr; do
  command -v "$program" >/dev/null || { echo "needs $program: apt-get install qemu-system-x86 debootstrap e2fsprogs policycoreutils attr" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo 'needs root to make the image' >&2; exit 1; }

read -r image boot < <(test/vm/image.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/build/build/Release" "$work/build/node_modules" "$work/build/test"
cp -r package.json dist "$work/build/"
cp "$(node -p 'require("node-gyp-build").path(process.cwd())')" "$work/build/build/Release/linux_isolate.node"
cp -r node_modules/node-gyp-build "$work/build/node_modules/"
cp -r test/vm "$work/build/test/"
truncate -s 64M "$work/build.ext4"
mkfs.ext4 -q -d "$work/build" "$work/build.ext4"

append='root=/dev/vda rw console=ttyS0 security=selinux selinux=1 panic=-1 quiet systemd.journald.forward_to_console=1 systemd.show_status=0'
boot_guest() {
  echo "$(date +%T)  boot (some 20 s under emulation)"
  # Changes to the root file system are thrown away, so every run starts from the same image.
  timeout "${VM_DEADLINE:-600}" qemu-system-x86_64 -accel tcg,thread=single -smp 2 -cpu max -m 2048 -nographic -no-reboot -nic none \
    -kernel "$boot/vmlinuz" -initrd "$boot/initrd" -append "$append" \
    -drive "file=$image,format=raw,if=virtio,cache=unsafe,snapshot=on" \
    -drive "file=$work/build.ext4,format=raw,if=virtio,readonly=on" </dev/null |
    tr -d '\r' | tee "$work/log" | grep -aE --line-buffered '^(ok|not ok|#|  #|1\.\.)' || true
}
boot_guest
# A kernel that never reached userspace says something about the emulator, not about us: once more.
grep -q '^# kernel ' "$work/log" || boot_guest

passed=$(grep -cE '^ok ' "$work/log" || true)
failed=$(grep -cE '^not ok ' "$work/log" || true)
grep -q "# end of the guest's programme" "$work/log" || { echo 'the guest did not finish; its last words:'; tail -40 "$work/log"; failed=$((failed + 1)); }
if grep -qE '^# kernel: ' "$work/log"; then failed=$((failed + 1)); fi
echo "$(date +%T)  virtual machine: $passed passed, $failed failed"
[ "$failed" = 0 ]
