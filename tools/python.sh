# What the tests take from PyPI (schemathesis, Authlib, aiosmtpd, moto, Werkzeug), in target/python. Sourced; needs tools/common.sh.
# shellcheck shell=bash

# Makes the environment unless it is there and made from the same list; fails, saying why, if it can't be had.
python_tools() {
  local list=tests/python/requirements.txt home=target/python
  cmp -s "$list" "$home/made-from" && return
  have python3 || apt_install python3 python3-venv || { say "python3 is missing"; return 1; }
  rm -rf "$home"
  { python3 -m venv "$home" || { apt_install python3-venv && python3 -m venv "$home"; }; } >/dev/null 2>&1 ||
    { say "python3-venv is missing"; return 1; }
  "$home/bin/pip" install -q --disable-pip-version-check --require-hashes -r "$list" >"$home/log" 2>&1 ||
    { say "PyPI can't be reached, or a package has changed: $home/log"; return 1; }
  cp "$list" "$home/made-from"
}
