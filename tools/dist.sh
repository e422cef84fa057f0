# ./dev dist [--check]: the release archive of the last commit with its bill of materials and checksums, into target/dist;
# --check makes it twice, from two folders, and compares byte for byte.
# shellcheck shell=bash
. tools/stage.sh
CYCLONEDX_VERSION=0.5.9
VERSION=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
OUT=$PWD/target/dist
SOURCE_DATE_EPOCH=$(release_date)
export SOURCE_DATE_EPOCH

# Static with musl where that can be had; else for this machine's own C library.
choose_target() {
  local arch
  arch=$(uname -m)
  have musl-gcc || apt_install musl-tools || true
  if have musl-gcc && { rustup target list --installed | grep -qx "$arch-unknown-linux-musl" ||
    rustup target add "$arch-unknown-linux-musl" >/dev/null 2>&1; }; then
    TARGET=$arch-unknown-linux-musl
  else
    TARGET=$(rustc -vV | sed -n 's/^host: //p')
    say "note: without musl-gcc and Rust's $arch-unknown-linux-musl the programs are not static"
  fi
}

# build_from FOLDER: the last commit, taken out of git into FOLDER/source and built there; no path of this machine gets in.
build_from() {
  local source=$1/source cargo_home=${CARGO_HOME:-$HOME/.cargo}
  rm -rf "$1"
  mkdir -p "$source"
  git archive HEAD | tar -x -C "$source"
  local map="-ffile-prefix-map=$source=/everkey -ffile-prefix-map=$cargo_home=/cargo"
  (
    cd "$source"
    export RUSTFLAGS="--remap-path-prefix=$source=/everkey --remap-path-prefix=$cargo_home=/cargo"
    export CFLAGS="$map" TARGET_CFLAGS="$map"
    cargo build --quiet --locked --workspace --bins --release --target "$TARGET" --target-dir "$1/target"
  )
}

# bill_of_materials FOLDER TO: what each program is made of, as CycloneDX; made in the copy of the source.
bill_of_materials() {
  (
    cd "$1/source"
    "$CYCLONEDX" cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --target "$TARGET"
  )
  local program found
  mkdir -p "$2"
  for program in "${PROGRAMS[@]}"; do
    found=$(find "$1/source" -name "${program}_bin.cdx.json") && [ -n "$found" ] || die "there is no bill of materials of $program"
    sed "s#$1/source#/everkey#g" "$found" >"$2/$program.cdx.json"
  done
}

# archive FOLDER: FOLDER/NAME.tar.gz of what was built there.
archive() {
  local name=everkey-$VERSION-$TARGET
  (cd "$1/source" && stage "$1/$name" "$1/target/$TARGET/release")
  bill_of_materials "$1" "$1/$name/sbom"
  (cd "$1/$name" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
  tar -C "$1" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' \
    -cf - "$name" | gzip -9n >"$1/$name.tar.gz"
  printf '%s\n' "$1/$name.tar.gz"
}

ensure_build_tools
choose_target
CYCLONEDX=$(cargo_tool cargo-cyclonedx "$CYCLONEDX_VERSION") || die "cargo-cyclonedx could not be fetched"
[ -z "$(git status --porcelain)" ] || say "note: what is not committed is not in it"
mkdir -p "$OUT"
build_from "$OUT/one"
MADE=$(archive "$OUT/one")
if [ "${1:-}" = --check ]; then
  AGAIN=$(mktemp -d)
  trap 'rm -rf "$AGAIN"' EXIT
  build_from "$AGAIN/another-folder"
  cmp "$MADE" "$(archive "$AGAIN/another-folder")" || die "two builds of the same commit differ"
  say "built twice, from two folders: the same, byte for byte"
fi
mv "$MADE" "$OUT/"
cp "$OUT/one/everkey-$VERSION-$TARGET"/sbom/*.json "$OUT/"
(cd "$OUT" && sha256sum ./*.tar.gz ./*.cdx.json >SHA256SUMS)
for program in "${PROGRAMS[@]}"; do
  file "$OUT/one/everkey-$VERSION-$TARGET/bin/$program" 2>/dev/null | grep -o 'static[a-z-]* linked\|dynamically linked' | sed "s/^/$program: /" || true
done
rm -rf "$OUT/one"
ls -lh "$OUT"
