# ./dev fault: kills and fails the agent at every system call of a refresh. With --compare: the same faults for three ways
# of keeping a session, as a table.
# shellcheck shell=bash

ensure_build_tools
want strace strace "to kill and fail single system calls"
LOG=target/dev-fault-build.log
mkdir -p target
say "Building ..."
cargo build --workspace --bins >"$LOG" 2>&1 || { tail -n 40 "$LOG"; die "the build failed; all of it is in $LOG"; }
case "${1:-}" in
  "") EVERKEY_FAULT=all cargo test -q -p everkey-tests --test fault -- --test-threads=1 --nocapture --skip compare ;;
  --short) cargo test -q -p everkey-tests --test fault -- --nocapture ;;
  --compare) EVERKEY_FAULT=all cargo test -q -p everkey-tests --test fault compare -- --nocapture ;;
  *) die "fault takes nothing, --short (as in ./dev test) or --compare" ;;
esac
