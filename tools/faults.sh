# ./dev faults: each row of tests/FAULTS.md, its tests, and how they ended in the last ./dev test. Fails when a row names a
# place without a test, and when a test of a fault is in a place that its row does not name.
# shellcheck shell=bash
LOGS=$(find target/checks -name '*.log' 2>/dev/null || true)

# The ID, place and name of every test of a fault; a name that begins with several IDs counts for each.
ALL=$(grep -roE 'fn ([nfds][0-9]{2}_)+[a-z0-9_]+' ./*/ --include='*.rs' --exclude-dir=target | sed -E 's#^\./(tests/)?([^/]+)/.*:fn #\2 #' |
  awk '{ for (rest = $2; match(rest, /^[nfds][0-9][0-9]_/); rest = substr(rest, 5)) print toupper(substr(rest, 1, 3)), $1, $2 }' | sort -u)
ROWS=$(sed -nE 's/^\| ([NFDS][0-9]+) \|.*\| ([a-z0-9, ]+) \|$/\1 \2/p' tests/FAULTS.md | tr -d ,)

# ended NAME: ok, FAILED, or nothing when it was not run.
ended() {
  # shellcheck disable=SC2086
  [ -n "$LOGS" ] || return 0
  grep -ahoE "test ([a-z0-9_]+::)*$1 \.\.\. (ok|FAILED)" $LOGS | awk '{ print $NF }' | sort -u | head -n 1 || true
}

WRONG=()
NAMED=
while read -r id places; do
  for place in $places; do
    NAMED+="$id $place"$'\n'
    found=$(awk -v id="$id" -v place="$place" '$1 == id && $2 == place { print $3 }' <<<"$ALL")
    for name in $found; do
      result=$(ended "$name")
      printf '%-4s %-8s %-75s %s\n' "$id" "$place" "$name" "${result:-not run}"
    done
    [ -n "$found" ] || WRONG+=("row $id of tests/FAULTS.md has no test in $place")
  done
done <<<"$ROWS"
while read -r id place name; do
  grep -qxF "$id $place" <<<"$NAMED" || WRONG+=("tests/FAULTS.md has no row $id that names $place, where $name is")
done <<<"$ALL"
[ "$(grep -cE '^\| [A-Z][0-9]+ ' tests/FAULTS.md)" -eq "$(wc -l <<<"$ROWS")" ] || die "a row of tests/FAULTS.md does not say where its tests are"
[ ${#WRONG[@]} -eq 0 ] || die "$(printf '%s\n' "${WRONG[@]}")"
