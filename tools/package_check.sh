#!/usr/bin/env bash
# Installs, uses, upgrades, removes and purges the packages in a folder that stands for a machine: package_check.sh FOLDER VERSION.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
. tools/common.sh
PACKAGES=$1 VERSION=$2
ARCH=$(dpkg --print-architecture)
ROOT=$(mktemp -d "${TMPDIR:-/tmp}/ekmachine.XXXXXX")
PERSON=$(mktemp -d "${TMPDIR:-/tmp}/ek.XXXXXX")
export EVERKEY_HOME=$PERSON/home HOME=$PERSON
mkdir -m 700 "$EVERKEY_HOME"
unset FAILPROOF_API_URL FAILPROOFAI_API_URL FAILPROOFAI_AUTH_DIR EVERKEY_SOCKET
leave() {
  [ ! -x "$ROOT/usr/bin/everkey" ] || "$ROOT/usr/bin/everkey" agent stop >/dev/null 2>&1 || true
  rm -rf "$ROOT" "$PERSON"
}
trap leave EXIT
ok() { printf 'ok    %s\n' "$*"; }

# A machine with nothing on it: what these packages need of others is not there, and is not asked for.
mkdir -p "$ROOT"/var/lib/dpkg/{info,updates,triggers} "$ROOT"/{etc,tmp,usr}
touch "$ROOT"/var/lib/dpkg/{status,available} "$ROOT"/etc/{passwd,group}
on_machine() { dpkg --root="$ROOT" --force-script-chrootless --force-not-root --force-depends "$@" >"$PERSON/dpkg.log" 2>&1 || { cat "$PERSON/dpkg.log"; die "dpkg $* failed"; }; }
FIRST=("$PACKAGES/everkey_$VERSION-1_$ARCH.deb" "$PACKAGES/everkey-server_$VERSION-1_$ARCH.deb")
SECOND=("${FIRST[@]/$VERSION-1_/$VERSION-2_}")
state_of() { dpkg-query --admindir="$ROOT/var/lib/dpkg" --show --showformat='${db:Status-Status} ${Version}' "$1" 2>/dev/null || true; }
expect() { [ "$2" = "$3" ] || die "$1: expected '$3', found '$2'"; }
left() { find "$ROOT" \( -path '*everkey*' -o -path "$ROOT/usr/*" \) ! -type d ! -path "$ROOT/var/lib/dpkg/*" | sed "s#^$ROOT##"; }

on_machine --install "${FIRST[@]}"
expect "everkey's state" "$(state_of everkey)" "installed $VERSION-1"
expect "everkey-server's state" "$(state_of everkey-server)" "installed $VERSION-1"
for program in everkey everkeyd everkey-remind everkey-dashboard everkey-server; do
  [ -x "$ROOT/usr/bin/$program" ] || die "$program is not installed"
  [ "$(stat -c %a "$ROOT/usr/bin/$program")" = 755 ] || die "$program has a strange mode"
  readelf -S "$ROOT/usr/bin/$program" | grep -q '\.symtab' && die "$program is not stripped"
done
for unit in "$ROOT"/usr/lib/systemd/*/everkey*.service; do
  sed -n 's/^ExecStart="\{0,1\}\([^" ]*\).*/\1/p' "$unit" | while read -r program; do
    [ -x "$ROOT$program" ] || die "$(basename "$unit") runs $program, which is not there"
  done
done
for page in "$ROOT"/usr/share/man/man1/*.gz; do
  ! have man || expect "man $page" "$(man --warnings -l "$page" 2>&1 >/dev/null)" ""
done
[ -f "$ROOT/usr/share/bash-completion/completions/everkey" ] || die "no completion for bash"
[ -f "$ROOT/usr/share/zsh/vendor-completions/_everkey" ] || die "no completion for zsh"
[ -f "$ROOT/usr/share/fish/vendor_completions.d/everkey.fish" ] || die "no completion for fish"
ok "installed: programs stripped, units, pages, completions, the server's user"

"$ROOT/usr/bin/everkey" agent start --json >"$PERSON/agent.json"
"$ROOT/usr/bin/everkey-server" keys --help >/dev/null
expect "who is signed in" "$("$ROOT/usr/bin/everkey" whoami 2>/dev/null || true)" "not signed in"
ok "used: the agent starts beside the command line"

on_machine --install "${SECOND[@]}"
expect "everkey's state" "$(state_of everkey)" "installed $VERSION-2"
"$ROOT/usr/bin/everkey" agent status >/dev/null || die "an upgrade has ended the agent"
"$ROOT/usr/bin/everkey" agent stop >/dev/null
ok "upgraded while the agent ran"

if have systemctl; then
  systemctl --root="$ROOT" enable everkey-server.service 2>/dev/null
  systemctl --root="$ROOT" --global enable everkey.socket 2>/dev/null
fi
mkdir -p "$ROOT/var/lib/everkey-server"
touch "$ROOT/etc/everkey-server.env" "$ROOT/var/lib/everkey-server/everkey.db"
on_machine --remove everkey everkey-server
[ ! -e "$ROOT/usr/bin/everkey" ] || die "everkey is still there"
expect "what a removal leaves" "$(left | sort | paste -sd' ')" "/etc/everkey-server.env /var/lib/everkey-server/everkey.db"
ok "removed: settings and database stay, no link to a unit does"

on_machine --purge everkey everkey-server
expect "what a purge leaves" "$(left)" ""
expect "everkey's state" "$(state_of everkey)$(state_of everkey-server)" ""
ok "purged: nothing is left"

if have lintian || apt_install lintian; then
  # What is not Debian's: bugs of Debian, its changelog, and an address for which whoever publishes the packages stands.
  NOT_OURS=initial-upload-closes-no-bugs,no-changelog,bogus-mail-host
  lintian --allow-root --fail-on error --suppress-tags "$NOT_OURS" "${FIRST[@]}" || die "lintian has errors"
  ok "lintian"
else
  skip lintian "lintian is missing and could not be installed"
fi
