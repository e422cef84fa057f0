#!/usr/bin/env bash
# A private PostgreSQL from the system's package: on a Unix socket in its own folder, never on a port, never as root.
#   tools/postgres.sh start ROOM     makes (if it is not there) and starts one in ROOM; prints its address
#   tools/postgres.sh stop ROOM      stops it at once; ROOM stays
#   tools/postgres.sh remove ROOM    stops it and removes ROOM
#   tools/postgres.sh with COMMAND   runs COMMAND with EVERKEY_TEST_DATABASE set to a fresh one, removed afterwards
# Exits 77 when there is no PostgreSQL on this machine.
set -euo pipefail

absent() { printf 'postgres.sh: %s\n' "$*" >&2; exit 77; }

BIN=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -n 1 || true)
[ -x "$BIN/initdb" ] || { command -v initdb >/dev/null 2>&1 && BIN=$(dirname "$(command -v initdb)"); } \
  || absent "there is no PostgreSQL server here; install it: apt-get install postgresql"

# PostgreSQL refuses to run as root, so root hands it to the package's user, or to nobody.
AS=()
if [ "$(id -u)" = 0 ]; then
  command -v setpriv >/dev/null 2>&1 || absent "setpriv is missing (apt-get install util-linux)"
  OWNER=$(id -u postgres 2>/dev/null || id -u nobody)
  AS=(setpriv --reuid="$OWNER" --regid="$(id -g "$OWNER" 2>/dev/null || echo 65534)" --clear-groups)
fi

start() {
  local room=$1
  if [ ! -e "$room/data/PG_VERSION" ]; then
    mkdir -p "$room"
    chmod 0711 "$room"
    [ ${#AS[@]} -eq 0 ] || chown "$OWNER" "$room"
    "${AS[@]}" "$BIN/initdb" -D "$room/data" -U everkey --auth=trust --no-sync --encoding=UTF8 --locale=C >"$room/initdb.log" 2>&1 \
      || { cat "$room/initdb.log" >&2; exit 1; }
    # Nothing of it has to outlive a test, and many tests share it.
    "${AS[@]}" tee -a "$room/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$room'
fsync = off
full_page_writes = off
max_connections = 300
shared_buffers = 64MB
autovacuum = off
max_wal_size = 4GB
logging_collector = off
CONF
  fi
  "${AS[@]}" "$BIN/pg_ctl" -D "$room/data" -l "$room/data/log" -w -t 60 start >/dev/null \
    || { tail -n 20 "$room/data/log" >&2; exit 1; }
  printf 'postgres://everkey@localhost/postgres?host=%s\n' "$room"
}

stop() { "${AS[@]}" "$BIN/pg_ctl" -D "$1/data" -m immediate -w stop >/dev/null 2>&1 || true; }

remove() {
  stop "$1"
  rm -rf "${1:?}"
}

with() {
  local room
  room=$(mktemp -d "${TMPDIR:-/tmp}/everkey-pg.XXXXXX")
  # shellcheck disable=SC2064
  trap "remove '$room'" EXIT
  trap 'exit 130' INT TERM HUP
  # A stopped shell still removes the room: the trap runs once the command has ended.
  EVERKEY_TEST_DATABASE=$(cd / && start "$room")
  export EVERKEY_TEST_DATABASE
  "$@"
}

verb=${1:-}
[ $# -ge 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
shift
case "$verb" in
  start | stop | remove) cd / && "$verb" "$1" ;;
  with) with "$@" ;;
  *) printf 'postgres.sh: there is no verb %s\n' "$verb" >&2; exit 2 ;;
esac
