# ./dev package [--check]: the Debian packages, into target/packages; --check installs, upgrades, removes and purges them.
# shellcheck shell=bash
. tools/stage.sh
CARGO_DEB_VERSION=3.8.0
OUT=target/packages

# The folders of a package are those of an installation into /usr, but for what Debian has a place of its own for.
lay_out() {
  local all=target/debian/everkey/usr server=target/debian/everkey-server/usr
  stage target/stage "$1"
  rm -rf target/debian
  mkdir -p target/debian/everkey
  target/stage/install --prefix /usr --destdir "$PWD/target/debian/everkey"
  mv "$all/share/zsh/site-functions" "$all/share/zsh/vendor-completions"
  rm -r "$all/share/everkey"
  # The licence stands in `copyright`.
  rm "$all/share/doc/everkey/LICENSE"
  mkdir -p "$server"/{bin,share/man/man1,share/doc/everkey-server}
  mv "$all/bin/everkey-server" "$server/bin"
  mv "$all"/share/man/man1/everkey-server* "$server/share/man/man1"
  mv "$all"/share/doc/everkey/{hosting.md,nginx.conf,alerts.yml} "$server/share/doc/everkey-server"
  mkdir -p "$server/lib/systemd"
  mv "$all/lib/systemd/system" "$server/lib/systemd"
  sed -i 's#/usr/share/doc/everkey/hosting.md#/usr/share/doc/everkey-server/hosting.md#' "$server"/lib/systemd/system/*
  find target/debian -name '*.1' -exec gzip -9n {} +
}

# make_packages VERSION
make_packages() {
  local crate
  for crate in everkey-client everkey-server; do
    "$CARGO_DEB" deb --package "$crate" --no-build --no-strip --no-dbgsym --quiet --deb-version "$1" --output "$OUT/"
  done
}

ensure_build_tools
need dpkg-deb dpkg "to look into packages"
CARGO_DEB=$(cargo_tool cargo-deb "$CARGO_DEB_VERSION") || die "cargo-deb could not be fetched"
VERSION=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
cargo build --workspace --bins --release
lay_out target/release
rm -rf "$OUT"
mkdir -p "$OUT"
make_packages "$VERSION-1"
ls -lh "$OUT"/*.deb
if [ "${1:-}" = --check ]; then
  make_packages "$VERSION-2"
  bash tools/package_check.sh "$OUT" "$VERSION"
fi
