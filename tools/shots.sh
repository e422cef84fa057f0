# ./dev shots: pictures of every page of the dashboard and of the api-server, in both themes and at two widths, into target/shots.
# shellcheck shell=bash
ensure_build_tools
. tools/browser.sh
browser_tools || die "there is no browser"
LOG=target/dev-shots.log
rm -rf target/shots
build_programs "$LOG"
say "Visiting every page ..."
RUST_TEST_THREADS=2 cargo test -p everkey-tests --test browser -- --skip interop:: --skip fuzzed:: >"$LOG" 2>&1 ||
  say "note: a page is not as it should be; see $LOG"
say "$(find target/shots -name '*.png' 2>/dev/null | wc -l) pictures in target/shots"
