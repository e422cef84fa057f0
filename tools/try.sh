# ./dev try: signs in on a private api-server, and shows that the session outlives a SIGKILL in the middle of a refresh.
# shellcheck shell=bash

KEEP=
case "${1:-}" in
  "") ;;
  --keep) KEEP=yes ;;
  *) die "try takes nothing, or --keep to leave everything running" ;;
esac

STEPS=9
step() { STEP=$((${STEP:-0} + 1)); printf '[%d/%d] %s\n' "$STEP" "$STEPS" "$*"; }
show() { sed 's/^/        /'; }

# until_true SECONDS WHAT COMMAND...: waits for a condition, never for a time.
until_true() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || die "$what did not happen in time; look into $ROOM"
    sleep 0.05
  done
}

ensure_build_tools
step "Building (a few minutes the first time) ..."
LOG=target/dev-try-build.log
build_programs "$LOG"
BIN=$PWD/target/debug

ROOM=$(mktemp -d "${TMPDIR:-/tmp}/everkey-try.XXXXXX")
export EVERKEY_HOME=$ROOM/home
unset FAILPROOF_API_URL FAILPROOFAI_API_URL FAILPROOFAI_AUTH_DIR EVERKEY_SOCKET
SERVER_PID=
agent_pid() { "$BIN/everkey" agent status --json 2>/dev/null | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
leave() {
  local pid
  pid=$(agent_pid) || true
  [ -n "$SERVER_PID" ] && kill -CONT "$SERVER_PID" 2>/dev/null
  [ -n "$KEEP" ] && [ "${DONE:-}" = yes ] && return
  [ -n "$pid" ] && kill "$pid" 2>/dev/null
  [ -n "$SERVER_PID" ] && kill "$SERVER_PID" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$ROOM"
}
trap leave EXIT

step "Starting a private api-server (SQLite, mail into a folder)"
"$BIN/everkey-server" serve --listen 127.0.0.1:0 --database "sqlite:$ROOM/server.db" --mail "dir:$ROOM/mail" \
  >"$ROOM/server.out" 2>"$ROOM/server.log" &
SERVER_PID=$!
until_true 20 "the api-server's start" grep -q '^listening on' "$ROOM/server.out"
URL=$(sed -n 's/^listening on //p' "$ROOM/server.out")
say "$URL" | show

newest_code() { cat "$(find "$ROOM/mail" -name '*.eml' | sort | tail -n 1)" | tr -d '\r' | grep -xE '[0-9]{6}' | tail -n 1; }

step "Signing in as you@example.com with the code from the mail folder"
mkfifo "$ROOM/answers"
"$BIN/everkey" auth login --server "$URL" <"$ROOM/answers" >"$ROOM/login.out" 2>&1 &
LOGIN=$!
exec 3>"$ROOM/answers"
say "you@example.com" >&3
until_true 20 "the mail with the code" newest_code
newest_code >&3
exec 3>&-
wait "$LOGIN" || { show <"$ROOM/login.out"; die "the sign-in failed"; }
show <"$ROOM/login.out"

step "Who am I, how does it stand, and a token"
"$BIN/everkey" auth whoami | show
"$BIN/everkey" auth status | show
TOKEN=$("$BIN/everkey" auth token)
say "everkey auth token -> ${TOKEN:0:8}...${TOKEN: -4}" | show

step "Refreshing now"
"$BIN/everkey" auth refresh | show
[ "$("$BIN/everkey" auth token)" != "$TOKEN" ] || die "the refresh gave no new token"

step "Refreshing again, and killing the agent with SIGKILL while the answer is on its way"
AGENT=$(agent_pid)
JOURNAL=$EVERKEY_HOME/home/.failproofai/.auth.json.everkey-journal
kill -STOP "$SERVER_PID" # the request waits in the server's queue
"$BIN/everkey" auth refresh --force >/dev/null 2>&1 &
CALLER=$!
until_true 20 "the refresh's intent" test -e "$JOURNAL"
# The server's side of the connection holds unread bytes: the refresh token is on its way.
sent() {
  awk -v port="$(printf '%04X' "${URL##*:}")" '
    $2 ~ ":" port "$" && $4 == "01" { split($5, queue, ":"); if (queue[2] != "00000000") found = 1 }
    END { exit !found }' /proc/net/tcp
}
until_true 20 "the refresh token's way to the server" sent
kill -STOP "$AGENT" # it will not read the answer
kill -CONT "$SERVER_PID"
rotated_twice() {
  [ "$("$BIN/everkey-server" events --database "sqlite:$ROOM/server.db" --json | grep -c '"rotated"')" -ge 2 ]
}
until_true 20 "the rotation at the server" rotated_twice
kill -9 "$AGENT"
wait "$CALLER" || true
say "the server has rotated the token; its answer went to process $AGENT, which is dead" | show

step "Starting anew: is the session still there?"
"$BIN/everkey" auth whoami | show
"$BIN/everkey" auth token --min-validity 50m >"$ROOM/token" || die "the session did not survive"
restored() { "$BIN/everkey" auth status --json | grep -q '"state":"valid"' && [ ! -e "$JOURNAL" ]; }
until_true 30 "the recovery" restored
"$BIN/everkey" auth token >"$ROOM/token"
if have curl; then
  HTTP=$(curl -s -o /dev/null -w '%{http_code}' -H @- "$URL/v0/auth/me" <<<"Authorization: Bearer $(cat "$ROOM/token")")
  [ "$HTTP" = 200 ] || die "the api-server does not accept the recovered token ($HTTP)"
fi
EVENTS=$("$BIN/everkey-server" events --database "sqlite:$ROOM/server.db" --json)
grep -q 'replay_revoked_all' <<<"$EVENTS" && die "the api-server took the second try for a theft"
grep -q 'repeat_answered' <<<"$EVENTS" || die "the lost answer was not asked for again"
say "yes: same session, new token accepted, nothing revoked, the lost answer asked for again with the same key" | show

if [ -n "$KEEP" ]; then
  DONE=yes
  step "Left running. In this or any other terminal:"
  cat <<TEXT | show
export EVERKEY_HOME=$EVERKEY_HOME PATH=$BIN:\$PATH
everkey auth status
everkey auth token
everkey auth refresh --force
kill -9 $(agent_pid)                    # it comes back with the next command
everkey auth logout
ls $ROOM/mail                      # codes for the next sign-in
everkey-server events --database sqlite:$ROOM/server.db
kill $SERVER_PID; everkey agent stop; rm -rf $ROOM     # when you are done
TEXT
  exit 0
fi

step "Signing out"
"$BIN/everkey" auth logout | show
"$BIN/everkey" auth whoami >/dev/null 2>&1 && die "somebody is still signed in"
[ ! -e "$EVERKEY_HOME/home/.failproofai/auth.json" ] || die "the session file is still there"

step "Cleaning up"
say
say "It works: signed in once, refreshed, killed, and still signed in."
