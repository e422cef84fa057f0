# ./dev fault: kills and fails the agent at every system call of a refresh. With --compare: the same faults for everkey and
# for today's way, at everkey's own server and at ordinary OAuth servers, as tables.
# shellcheck shell=bash

ensure_build_tools
want strace strace "to kill and fail single system calls"
LOG=target/dev-fault-build.log
say "Building ..."
build_programs "$LOG"
case "${1:-}" in
  "") EVERKEY_FAULT=all cargo test -q -p everkey-tests --test fault -- --test-threads=1 --nocapture --skip compare ;;
  --short) cargo test -q -p everkey-tests --test fault -- --nocapture ;;
  --compare)
    . tools/python.sh
    python_tools || say "note: without it there is no ordinary OAuth server to compare at"
    EVERKEY_FAULT=all cargo test -q -p everkey-tests --test fault compare -- --test-threads=1 --nocapture
    ;;
  *) die "fault takes nothing, --short (as in ./dev test) or --compare" ;;
esac
