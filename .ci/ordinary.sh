# The sandbox suite and `npm start` once more, as an ordinary user in a copy of the clone that is this user's own. The copy
# lies elsewhere, so the bootstrap also compiles the addon again: an ordinary user can build it.
# Sourced by .ci/run and by every gate.

user=isolate-ci
copy=$work/copy
home=/home/$user

# Goes before a command. Nothing of ours is in its environment but what is named here; the capabilities go with the uid.
# The bounding set stays: newuidmap is installed with privileges of its own.
ordinary=(
  setpriv --reuid "$user" --regid "$user" --init-groups
  env -i -C "$copy" HOME="$home" USER="$user" PATH="$PATH" CI=true LINUX_ISOLATE_LEAKS=host
)

ordinary_setup() {
  # useradd gives an ordinary user its ranges in /etc/subuid and /etc/subgid, a --system user none.
  id -u "$user" >/dev/null 2>&1 || useradd --create-home --home-dir "$home" --shell /bin/bash "$user"
  grep "^$user:" /etc/subuid
  mkdir "$copy"
  tar -C "$root" --exclude=./build --exclude=./prebuilds --exclude=./.cache -cf - . | tar -C "$copy" -xf -
  chown -R "$user:" "$copy"
}

ordinary_start() {
  "${ordinary[@]}" npm start | tee "$work/start-ordinary.log"
  grep -qi 'fork bomb' "$work/start-ordinary.log"
}

# Its home stays as useradd made it, but for the caches of npm and of the test compiler (swc unpacks its addon there).
home_untouched() {
  find "$home" -mindepth 1 \( \( -name .npm -o -name .cache \) -prune -o ! -name '.bash*' ! -name .profile -print \) >"$work/home"
  [ ! -s "$work/home" ] || { cat "$work/home"; return 1; }
}

ordinary_runs() {
  gate 120 'ordinary user: a copy of the clone' ordinary_setup
  jest_run 600 'npm test -- test/sandbox, as an ordinary user' test/sandbox \
    "${ordinary[@]}" LINUX_ISOLATE_REQUIRE="$require_ordinary" npm test --
  gate 300 'ordinary user: npm start' ordinary_start
  gate 10 'ordinary user: nothing written outside the clone' home_untouched
}
