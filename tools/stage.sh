# What a release consists of, laid out as packaging/install wants it beside itself.
# shellcheck shell=bash
PROGRAMS=(everkey everkeyd everkey-remind everkey-dashboard everkey-server)

# The day of the last commit, so that the same source makes the same files.
release_date() { git log -1 --format=%ct 2>/dev/null || date +%s; }

# stage FOLDER BUILT: from the programs in BUILT, which also say how their pages and completions look.
stage() {
  local to=$1 built=$2 program
  export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(release_date)}
  rm -rf "$to"
  mkdir -p "$to"/{bin,man/man1,completions,systemd,doc}
  for program in "${PROGRAMS[@]}"; do install -m 755 "$built/$program" "$to/bin"; done
  "$built/everkey" man --dir "$to/man/man1"
  "$built/everkey-manual" "$to/man/man1"
  "$built/everkey" completions bash >"$to/completions/everkey.bash"
  "$built/everkey" completions zsh >"$to/completions/_everkey"
  "$built/everkey" completions fish >"$to/completions/everkey.fish"
  install -m 644 -t "$to/systemd" systemd/*.service systemd/*.socket
  install -m 644 -t "$to/doc" README.md CHANGELOG.md SECURITY.md LICENSE docs/hosting.md docs/oauth.md docs/nginx.conf docs/alerts.yml
  install -m 755 packaging/install "$to/install"
}
