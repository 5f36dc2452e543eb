#!/usr/bin/env bash
# Installs what is missing, and nothing when nothing is: setup.sh run | setup.sh test
#   run   Python environment in .venv with the packages of the app
#   test  the same, plus the test tools and a Chromium
set -euo pipefail
cd "$(dirname "$0")"
goal=${1:-run}

say() { printf 'setup: %s\n' "$*" >&2; }
as_root_on_debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
debian() {
  as_root_on_debian || return 1
  say "installing $* with apt-get"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3 python; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
        2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

make_venv() {
  local python
  if ! python=$(find_python); then
    debian python3 python3-venv && python=$(find_python) || {
      say "Python 3.11, 3.12 or 3.13 is needed and was not found."
      say "Install it, or name it: PYTHON=/path/to/python3.11 make $goal"
      exit 1
    }
  fi
  say "making .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv 2>/dev/null || { debian python3-venv && "$python" -m venv .venv; } || {
    say "python -m venv failed; install your system's package for it (Debian: python3-venv)."
    exit 1
  }
}

# Packages are installed again only when what is asked for has changed.
install() {
  local stamp=.venv/.installed-$1 want
  shift
  want=$(cat "$@" constraints.txt | cksum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "installing $* (some minutes the first time)"
  local arguments=()
  for file in "$@"; do arguments+=(-r "$file"); done
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    -c constraints.txt "${arguments[@]}"
  printf '%s\n' "$want" >"$stamp"
}

find_chromium() {
  local candidate
  for candidate in "${CLOUDBRUSH_CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null && return
  done
  ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium-* >/dev/null 2>&1
}

.venv/bin/python -c '' 2>/dev/null || make_venv
install run requirements.txt
if [ "$goal" = test ]; then
  install test requirements.txt requirements-dev.txt
  find_chromium || debian chromium || {
    say "installing Playwright's own Chromium"
    .venv/bin/playwright install chromium
  }
fi
