# The gates that are more than one command. gate() sources this in a shell with -euo pipefail; $root and $work are exported.
# Beware: -e does not see a failing `! command`, so what must not be found is asked for with `if`.

# The build's own come from the bootstrap; these are what tests use: newuidmap, pasta, ip, nft, strace, setpriv, pkill; the last
# line is the virtual machine's.
packages=(g++ make python3 git uidmap passt iproute2 nftables strace util-linux procps passwd gcc libseccomp-dev
  perl sqlite3 redis-server redis-tools tar gzip curl iputils-ping
  qemu-system-x86 debootstrap e2fsprogs policycoreutils attr)

install_packages() {
  local missing=() name
  for name in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  # In single-user mode, as far as invoke-rc.d is concerned: servers are installed, and not started.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get install -y --no-install-recommends "${missing[@]}" && return 0
  apt-get update
  apt-get install -y --no-install-recommends "${missing[@]}"
}

# Asks make what it would run: every C++ file of ours must be compiled with all three flags.
cxx_warnings() {
  make -C build BUILDTYPE=Release V=1 --dry-run --always-make >"$work/make.log"
  grep -E '^[^ ]*[+][+] -o .* [^ ]*src/cpp/[^ ]*[.]cc ' "$work/make.log" >"$work/compile.log"
  local files
  files=$(grep -oE "'src/cpp/[^']+[.]cc'" binding.gyp | sort -u | wc -l)
  echo "$(wc -l <"$work/compile.log") compile commands, $files files in binding.gyp"
  [ "$(wc -l <"$work/compile.log")" -ge "$files" ]
  for flag in -Wall -Wextra -Werror; do
    if grep -vE -- " $flag( |\$)" "$work/compile.log"; then
      echo "compiled without $flag"
      return 1
    fi
  done
}

# The one test that has jest fail a leaking file; had it been removed or skipped, nothing would pass here.
leak_check_present() {
  npx --no -- jest test/unit/helpers/environment.test.ts --json --outputFile="$work/leak.json"
  [ "$(node .ci/count.js "$work/leak.json")" = '1 0 0' ]
}

# `npm start` in DIRECTORY must exit 0 and print the verdicts' table.
start_runs() {
  cd "$1"
  npm start | tee "$work/start.log"
  grep -qi 'fork bomb' "$work/start.log"
}

# Each ends by itself, with 0; code-runner is `npm start`.
examples_run() {
  local example
  for example in "$root"/examples/*/main.js; do
    case $example in */code-runner/*) continue ;; esac
    echo "== ${example#"$root"/}"
    timeout 60 node "$example"
  done
}

make_package() {
  rm -rf prebuilds
  npm pack --pack-destination "$work"
  mv "$work"/linux-isolate-*.tgz "$work/package.tgz"
}

package_contents() {
  tar tzf "$work/package.tgz" | sed 's#^package/##' | sort >"$work/contents"
  cat "$work/contents"
  local wanted
  for wanted in dist/index.js dist/index.d.ts LICENSE README.md CHANGELOG.md SECURITY.md 'types/.*\.d\.ts' 'prebuilds/linux-[a-z0-9]+/[^/]*\.node'; do
    grep -qE "^$wanted\$" "$work/contents" || { echo "missing: $wanted"; return 1; }
  done
  if grep -E '^(test|examples|bench|scripts|lib|build|\.ci|node_modules)/|\.test\.' "$work/contents"; then
    echo 'these do not belong into the package'
    return 1
  fi
}

# Installed as a user would, with no compiler to be found: it must run from its prebuild.
package_works() {
  mkdir "$work/project"
  cd "$work/project"
  echo '{ "name": "empty", "private": true }' >package.json
  npm install --no-audit --no-fund --prefer-offline "$work/package.tgz"
  [ ! -e node_modules/linux-isolate/build ]
  node -e 'const { Sandbox, run } = require("linux-isolate"); if (!Sandbox || !run) throw new Error("no Sandbox")'
  node --input-type=module -e 'import { Sandbox, run } from "linux-isolate"; if (!Sandbox || !run) throw new Error("no Sandbox")'
  node --input-type=module -e '
    import { Sandbox } from "linux-isolate";
    const sandbox = await Sandbox.create();
    const result = await sandbox.run("/usr/bin/true");
    await sandbox.delete();
    if (result.reason !== "exited" || result.exitCode !== 0) throw new Error(JSON.stringify(result));
    console.log("ran /usr/bin/true:", result.reason, result.exitCode);'
  npx --no -- linux-isolate run -- /usr/bin/true
}

# After everything: no process, mount, cgroup or temporary entry of ours anywhere. Clean-up is given a few seconds.
nothing_left() {
  local end=$((SECONDS + 10)) left
  while left=$(leftovers) && [ -n "$left" ] && [ $SECONDS -lt $end ]; do sleep 0.2; done
  [ -z "$left" ] || { echo "$left"; return 1; }
}

leftovers() {
  local link
  for link in /proc/[0-9]*/exe; do
    case "$(readlink "$link" 2>/dev/null)" in *memfd:linux-isolate*) echo "process $link" ;; esac
  done
  find /sys/fs/cgroup -type d -name 'linux-isolate-*' 2>/dev/null || true
  find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'linux-isolate-*'
  grep -F 'linux-isolate-' /proc/self/mountinfo || true
}
