# What the browser tests use: Debian's Chromium, and axe-core from npm (its lock file pins the content) in target/browser.
# Sourced; needs tools/common.sh.
# shellcheck shell=bash

# Fails, saying why, if there is no browser; without axe-core the tests run and skip the accessibility checks loudly.
browser_tools() {
  local home=target/browser
  want chromium chromium
  want chromedriver chromium-driver
  if ! cmp -s tests/browser/package-lock.json "$home/made-from"; then
    want npm npm
    mkdir -p "$home"
    cp tests/browser/package.json tests/browser/package-lock.json "$home"
    if have npm && npm ci --prefix "$home" --ignore-scripts --no-audit --no-fund >"$home/log" 2>&1; then
      cp tests/browser/package-lock.json "$home/made-from"
    else
      say "note: axe-core could not be fetched from npm ($home/log)"
    fi
  fi
  have chromium && have chromedriver || { say "chromium or chromedriver is missing"; return 1; }
}
