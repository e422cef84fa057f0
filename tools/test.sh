# ./dev test: every check, each a line; the output of one that fails is shown, of all kept in target/checks/.
# shellcheck shell=bash
CHECKS=target/checks
rm -rf "$CHECKS"
mkdir -p "$CHECKS"
export EVERKEY_SKIPS=$PWD/$CHECKS/skips
: >"$EVERKEY_SKIPS"
skip() { printf 'SKIPPED %s: %s\n' "$1" "$2" | tee -a "$EVERKEY_SKIPS"; }
FAILED=()
PASSED=0
BEGAN=$SECONDS

# check NAME COMMAND...: runs it; says how it went, how long it took, and how many tests it counted.
check() {
  local name=$1 log=$CHECKS/$1.log began=$SECONDS tests
  shift
  if ("$@") >"$log" 2>&1; then
    PASSED=$((PASSED + 1))
    tests=$(awk '/^test result: ok/ { n += $4 } END { if (n) print n " tests" }' "$log")
    printf 'ok    %-10s %4ds  %s\n' "$name" $((SECONDS - began)) "$tests"
  else
    FAILED+=("$name")
    printf 'FAIL  %-10s %4ds  all of it: %s\n' "$name" $((SECONDS - began)) "$log"
    { grep -aE '^(error|warning: unused|test .* FAILED|---- |thread .* panicked|dev: )' "$log" -A 6 || tail -n 40 "$log"; } | head -n 120
  fi
}

units() {
  local unit
  for unit in systemd/*.service systemd/*.socket; do
    # The paths of installed programs stand for the real ones, which verify wants to find; a port for the one of this user.
    sed -E -e "s#^ExecStart=.*/(everkeyd|everkey-remind|everkey-dashboard|everkey-server)\\b\"?#ExecStart=$PWD/target/debug/\\1#" \
      -e 's/2%U/21000/' "$unit" >"$CHECKS/$(basename "$unit")"
  done
  {
    XDG_RUNTIME_DIR=$PWD/$CHECKS systemd-analyze verify --user --man=no "$CHECKS"/everkey[.-]*.socket "$CHECKS"/everkey{,-lookout,-dashboard,-remind@}.service
    systemd-analyze verify --man=no "$CHECKS"/everkey-server.service
  } 2>&1 | tee "$CHECKS/verify"
  [ ! -s "$CHECKS/verify" ] || return 1
  if systemd-analyze --help | grep -q -e --offline; then
    # In tenths: no more than these.
    XDG_RUNTIME_DIR=$PWD/$CHECKS systemd-analyze security --user --offline=yes --threshold=15 --no-pager "$CHECKS"/everkey.service
    systemd-analyze security --offline=yes --threshold=10 --no-pager "$CHECKS"/everkey-server.service
  else skip units-security "this systemd-analyze can't judge a unit that is not installed"; fi
}

# The tests of every crate but those from outside.
unit_targets() {
  local file
  for file in */tests/*.rs; do echo "--test $(basename "$file" .rs)"; done
  for file in */tests/*/main.rs; do echo "--test $(basename "$(dirname "$file")")"; done
}

. tools/setup.sh
check fmt cargo fmt --all --check
# One selection of packages and features for all: with another one cargo builds everything anew.
ALL=(--workspace "${HOOKS[@]}")
# A first build is quicker without what helps the next one.
[ -d target/debug ] || export CARGO_INCREMENTAL=0
check build cargo build "${ALL[@]}" --all-targets
check clippy cargo clippy "${ALL[@]}" --all-targets -- -D warnings
check deny . tools/deny.sh
check release release_lacks_hooks
check structure cargo test "${ALL[@]}" --test structure
# shellcheck disable=SC2046
check unit cargo test "${ALL[@]}" --no-fail-fast --lib --bins $(unit_targets)
check doc cargo test "${ALL[@]}" --doc
# These wait for the database more than they work.
if have_postgres; then check postgres env RUST_TEST_THREADS=4 tools/postgres.sh with cargo test "${ALL[@]}" --test api
else skip postgres "there is no PostgreSQL server (apt-get install postgresql)"; fi
# Most of an end-to-end test is waiting, so more of them than cores run side by side.
check e2e env RUST_TEST_THREADS=6 cargo test "${ALL[@]}" --no-fail-fast --test e2e --test fault --test attack
# Chromium eats a core each.
python_tools >"$CHECKS/python.log" || skip python "$(tail -n 1 "$CHECKS/python.log")"
browser_tools >"$CHECKS/chromium.log" || skip chromium "$(tail -n 1 "$CHECKS/chromium.log")"
check browser env RUST_TEST_THREADS=2 cargo test "${ALL[@]}" --test browser -- --skip interop:: --skip fuzzed::
check interop env RUST_TEST_THREADS=2 cargo test "${ALL[@]}" --test browser -- interop::
check openapi cargo test "${ALL[@]}" --test browser -- fuzzed::
check faults bash dev faults
skip package "it takes a release build of some minutes: ./dev package --check"
skip dist "it takes two release builds: ./dev dist --check"
if have systemd-analyze; then check units units; else skip units "systemd-analyze is missing"; fi
# With fewer targets cargo would choose other features and build everything anew.
check try env EVERKEY_PROGRAMS_BUILT=yes bash dev try

sort -u "$EVERKEY_SKIPS"
say "took $(((SECONDS - BEGAN) / 60)) min $(((SECONDS - BEGAN) % 60)) s"
printf 'checks: %d passed, %d failed, %d skipped\n' "$PASSED" "${#FAILED[@]}" "$(sort -u "$EVERKEY_SKIPS" | wc -l)"
[ "${#FAILED[@]}" -eq 0 ]
