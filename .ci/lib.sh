# Counting. Sourced by .ci/run, which sets $work.

passed=0
failed=0
skipped=0
failures=()
# Files of tests that were run twice.
second_tries=()

ok() { passed=$((passed + 1)); printf 'ok    %s (%s s)\n' "$1" "$2"; }
not_ok() { failed=$((failed + 1)); failures+=("$1"); printf 'FAIL  %s (%s s)\n' "$1" "$2"; }

# gate SECONDS NAME COMMAND...: quiet when it passes, its output when it fails. COMMAND may be a function of .ci/*.sh; it
# runs in a shell of its own, where any failing line fails the gate and where timeout(1) can end it with all it started.
gate() {
  local limit=$1 name=$2 log="$work/gate.log" started=$SECONDS
  shift 2
  if timeout --kill-after=10 "$limit" bash -euo pipefail -c '. .ci/gates.sh; . .ci/ordinary.sh; "$@"' gate "$@" \
    >"$log" 2>&1 </dev/null; then
    ok "$name" $((SECONDS - started))
  else
    tail -n 80 "$log" | sed 's/^/      | /'
    not_ok "$name" $((SECONDS - started))
  fi
}

# optional_gate SECONDS NAME SCRIPT: an npm script that may not exist yet; then it counts as skipped, by name.
optional_gate() {
  if node -e 'process.exit(require("./package.json").scripts[process.argv[1]] ? 0 : 1)' "$3"; then
    gate "$1" "$2" npm run --silent "$3"
  else
    skipped=$((skipped + 1))
    printf 'skip  %s: no script %s in package.json\n' "$2" "$3"
  fi
}

# jest_run SECONDS NAME PATTERN COMMAND...: COMMAND gets jest's arguments appended. Its tests are counted from jest's own
# JSON; a file that fails as a whole (does not load, leaks) counts as one more failure; no JSON at all as one failure.
# A handful of failing files is run once more: what passes then is told as such, at the end too, and counts as passed.
jest_run() {
  local limit=$1 name=$2 pattern=$3 started=$SECONDS status counts json again= tried=()
  shift 3
  json=$(jest_json)
  printf '\n== %s\n' "$name"
  timeout --kill-after=30 "$limit" "$@" $pattern --json --outputFile="$json" </dev/null 2>&1
  status=$?
  mapfile -t tried < <(node .ci/count.js --failed "$json" 2>/dev/null)
  if [ ${#tried[@]} -gt 0 ] && [ ${#tried[@]} -le 4 ]; then
    again=$(jest_json)
    printf '\n== %s: once more what failed\n' "$name"
    timeout --kill-after=30 300 "$@" "${tried[@]}" --json --outputFile="$again" </dev/null 2>&1
    status=$?
    mapfile -t -O ${#second_tries[@]} second_tries < <(printf "$name: %s\n" "${tried[@]#"$root"/}")
  fi
  counts=$(node .ci/count.js "$json" $again)
  if [ $? -ne 0 ]; then
    not_ok "$name: ended with $status and without a result" $((SECONDS - started))
    return
  fi
  local p f s
  read -r p f s <<<"$counts"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  printf '== %s: %d passed, %d failed, %d skipped (%d s)\n\n' "$name" "$p" "$f" "$s" $((SECONDS - started))
  [ "$f" -eq 0 ] || failures+=("$name: $f")
  # Jest can fail without a failing test: obsolete snapshots in CI, a reporter that throws, a hang at the end.
  if [ $status -ne 0 ] && [ "$f" -eq 0 ]; then not_ok "$name: exit code $status" $((SECONDS - started)); fi
  if [ "$p" -eq 0 ]; then not_ok "$name: ran no test" $((SECONDS - started)); fi
}

# Somebody else than root may have to write it.
jest_json() {
  local json
  json=$(mktemp "$work/jest-XXXXXX.json") && chmod 666 "$json" && printf '%s' "$json"
}

# The last line, which is all that some read; the exit code says the same.
closing_line() {
  if [ ${#second_tries[@]} -gt 0 ]; then printf '\nrun twice, since they failed the first time:\n'; printf '  %s\n' "${second_tries[@]}"; fi
  if [ ${#failures[@]} -gt 0 ]; then printf '\nfailed:\n'; printf '  %s\n' "${failures[@]}"; fi
  printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" -eq 0 ]
}
