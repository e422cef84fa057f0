# ./dev fuzz TARGET [SECONDS | FILE]: libFuzzer, guided by coverage, on one target of fuzz/; or one input once more.
# ./dev fuzz --keep TARGET: adds what the long runs found to the kept corpus, at most 30 files a target.
# shellcheck shell=bash

FUZZ_WORK=target/fuzz
FUZZ_KEPT=fuzz/corpus
FUZZ_MOST=30

fuzz_targets() { sed -n 's/^ *("\([a-z_]*\)", [a-z_]*::[a-z_]*),$/\1/p' fuzz/src/lib.rs; }

# Coverage counters are flags of stable rustc; a sanitizer is not needed where unsafe code is forbidden.
fuzz_build() {
  ensure_build_tools
  need c++ g++ "for libFuzzer"
  local host flags
  host=$(rustc -vV | sed -n 's/^host: //p')
  flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
  flags+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
  flags+=" -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
  mkdir -p "$FUZZ_WORK"
  # --target keeps the counters out of build scripts.
  RUSTFLAGS=$flags cargo build --quiet --release --manifest-path fuzz/libfuzzer/Cargo.toml \
    --target "$host" --target-dir "$FUZZ_WORK/build"
  FUZZ_BIN=$FUZZ_WORK/build/$host/release/everkey-libfuzzer
}

fuzz_run() { # FILE: once; SECONDS: that long, from the kept corpus and what earlier runs found
  local target=$1 what=$2 found=$FUZZ_WORK/corpus/$1
  if [ -f "$what" ]; then
    EVERKEY_FUZZ_TARGET=$target "$FUZZ_BIN" "$what"
    return
  fi
  [[ $what =~ ^[0-9]+$ ]] || die "'$what' is neither a file nor a number of seconds"
  mkdir -p "$found" fuzz/artifacts
  EVERKEY_FUZZ_TARGET=$target "$FUZZ_BIN" -max_total_time="$what" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$target-" "$found" "$FUZZ_KEPT/$target"
}

# Named inputs stay; what else adds coverage fills up the room there is, some of every size.
fuzz_keep() {
  local target=$1 kept=$FUZZ_KEPT/$1 found=$FUZZ_WORK/corpus/$1 merged=$FUZZ_WORK/merged/$1 room
  [ -d "$found" ] || die "there is nothing to keep yet: ./dev fuzz $target"
  rm -rf "$merged"
  mkdir -p "$merged"
  fuzz_nameless "$kept" -exec mv -t "$found" {} +
  cp "$kept"/* "$merged"
  EVERKEY_FUZZ_TARGET=$target "$FUZZ_BIN" -merge=1 -max_len=512 -use_counters=0 "$merged" "$found" \
    >"$FUZZ_WORK/merge.log" 2>&1 || die "the merge failed: $FUZZ_WORK/merge.log"
  room=$((FUZZ_MOST - $(find "$kept" -type f | wc -l)))
  fuzz_nameless "$merged" -size -2 -printf '%s %p\n' | sort -n |
    awk -v room="$room" '{ all[NR] = $2 } END { for (i = 0; i < room && i < NR; i++) print all[int(i * (NR > room ? NR / room : 1)) + 1] }' |
    xargs -r cp -t "$kept"
  say "$target: $(find "$kept" -type f | wc -l) kept inputs, $(du -sb "$kept" | cut -f1) bytes"
}

# What libFuzzer found is named by its hash.
fuzz_nameless() { find "$1" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' "${@:2}"; }

case "${1:-}" in
  "") die "fuzz which target? One of: $(fuzz_targets | paste -sd ' ')" ;;
  --keep) FUZZ_TARGET=${2:-} ;;
  *) FUZZ_TARGET=$1 ;;
esac
fuzz_targets | grep -qx -- "$FUZZ_TARGET" || die "there is no target '$FUZZ_TARGET'; one of: $(fuzz_targets | paste -sd ' ')"
fuzz_build
if [ "$1" = --keep ]; then fuzz_keep "$FUZZ_TARGET"; else fuzz_run "$FUZZ_TARGET" "${2:-60}"; fi
