# ./dev faults: each row of tests/FAULTS.md, its tests, and how they ended in the last ./dev test. Fails when a row that
# says where it is tested has no test there.
# shellcheck shell=bash
LOGS=$(find target/checks -name '*.log' 2>/dev/null || true)

# tests_of ID FOLDER...: the names of the tests that begin with the ID, or with several of which it is one.
tests_of() {
  local id=${1,,}
  shift
  grep -rhoE "fn ([nfds][0-9]{2}_)*${id}_[a-z0-9_]+" "$@" --include='*.rs' 2>/dev/null | sed 's/^fn //' | sort -u || true
}

# folder_of WHERE: where tests of that kind live.
folder_of() {
  case $1 in
    sim) echo session/tests session/src reminder/tests daemon/src/provider ;;
    real) echo tests/e2e tests/fault ;;
    fuzz) echo fuzz ;;
    golden) echo proto/tests proto/src ;;
  esac
}

# ended NAME: ok, FAILED, or not run.
ended() {
  # shellcheck disable=SC2086
  [ -n "$LOGS" ] || return 0
  grep -ahoE "test ([a-z0-9_]+::)*$1 \.\.\. (ok|FAILED)" $LOGS | awk '{ print $NF }' | sort -u | head -n 1 || true
}

MISSING=0
while IFS='|' read -r _ id fault _ where _; do
  id=${id// /}
  for kind in ${where//,/ }; do
    # shellcheck disable=SC2046
    found=$(tests_of "$id" $(folder_of "$kind"))
    if [ -z "$found" ]; then
      printf '%-4s %-7s %-58s %s\n' "$id" "$kind" "MISSING:$fault" "no test"
      MISSING=$((MISSING + 1))
    fi
    for name in $found; do
      result=$(ended "$name")
      printf '%-4s %-7s %-58s %s\n' "$id" "$kind" "$name" "${result:-not run}"
    done
  done
done < <(grep -E '^\| [NFDS][0-9]+ ' tests/FAULTS.md)
[ "$MISSING" -eq 0 ] || die "$MISSING rows of tests/FAULTS.md lack a test"
