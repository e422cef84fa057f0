# ./dev attack: every attack of tests/attack against programs that it starts on loopback, and what held.
# shellcheck shell=bash

ensure_build_tools
LOG=target/dev-attack.log
say "Building ..."
build_programs "$LOG"
status=0
cargo test -q --workspace "${HOOKS[@]}" --test attack --no-run >>"$LOG" 2>&1 || { tail -n 40 "$LOG"; die "the build failed; all of it is in $LOG"; }
cargo test --workspace "${HOOKS[@]}" --test attack -- --include-ignored >"$LOG" 2>&1 || status=$?
sed -nE 's/^test (([a-z0-9_]+::)*)([a-z0-9_]+) \.\.\. (ok|FAILED).*/\4 \1 \3/p' "$LOG" | tr _ ' ' |
  sed -E 's/^ok ([a-z ]+):: /held    \1: /; s/^FAILED ([a-z ]+):: /WORKED  \1: /' | sort -k2
[ "$status" -eq 0 ] || die "an attack worked; all of it is in $LOG"
