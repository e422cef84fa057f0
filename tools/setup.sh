# ./dev setup: everything that building and testing use. What can't be installed is named; tests that need it skip.
# shellcheck shell=bash
ensure_build_tools
ensure_lint_tools
want python3 python3
want strace strace
want systemd-socket-activate systemd
want systemd-analyze systemd
want setpriv util-linux
want dbus-daemon dbus
want zsh zsh
want fish fish
want mandoc mandoc
want man man-db
[ -x /usr/sbin/nginx ] || have nginx || install_idle nginx nginx || say "note: nginx is missing and could not be installed (apt-get install nginx)"
have_postgres || install_idle postgresql postgresql || say "note: PostgreSQL is missing and could not be installed (apt-get install postgresql)"
cargo_deny >/dev/null || say "note: cargo-deny could not be fetched; ./dev test will skip it"
. tools/python.sh
. tools/browser.sh
python_tools || say "note: without it the tests by schemathesis and Authlib skip"
browser_tools || say "note: without it the browser tests skip"
