#!/bin/sh
# Makes the virtual environment ready, and does nothing when it is:
#     sh .ci/setup.sh [install|test]
# What is missing is said in one line. A run that was interrupted is mended by the next.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
python=${PYTHON:-python3}
for_what=${1:-install}

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

apt() {
    sudo=sudo
    [ "$(id -u)" != 0 ] || sudo=
    printf '%s' "${sudo:+$sudo }apt-get install -y $*"
}

version() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

name=$(basename "$python")
command -v "$python" >/dev/null ||
    fail "$python is missing. Install it with: $(apt "$name" "$name-venv")"
wanted=$(version "$python") || fail "$python does not start."
case $wanted in
3.11 | 3.12 | 3.13) ;;
*) fail "Python 3.11, 3.12 or 3.13 is needed and $python is $wanted." \
    "Name another with PYTHON=, for example: make $for_what PYTHON=python3.11" ;;
esac
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$name-venv is missing. Install it with: $(apt "$name-venv")"

# The JavaScript client that the tests use, as its lock says, if it is not there.
clients() {
    lock=$(cksum <.ci/clients/package-lock.json)
    [ "$(cat .ci/clients/node_modules/ready 2>/dev/null)" != "$lock" ] || return 0
    command -v npm >/dev/null || fail "npm is missing. Install it with: $(apt npm)"
    npm ci --prefix .ci/clients --no-audit --no-fund --silent ||
        fail "Installing the client of .ci/clients failed; see above."
    printf '%s\n' "$lock" >.ci/clients/node_modules/ready
}

files=requirements.txt
if [ "$for_what" = test ]; then
    files="$files .ci/requirements-test.txt"
    clients
fi
lock=$(cat $files | cksum)
ready="$venv/ready-for-$for_what"
if [ "$(version "$venv/bin/python")" = "$wanted" ] &&
    [ "$(cat "$ready" 2>/dev/null)" = "$lock" ]; then
    exit 0
fi

if [ "$(version "$venv/bin/python")" != "$wanted" ] ||
    ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    # Only what is a virtual environment, or the broken start of one, may be cleared.
    [ -f "$venv/pyvenv.cfg" ] || [ -z "$(ls -A "$venv" 2>/dev/null)" ] ||
        fail "$venv is no virtual environment. Name another with VENV=, or move it away."
    "$python" -m venv --clear "$venv" || fail "$venv could not be made; see above."
fi

log="$venv/install.log"
printf '%s\n' "Installing the locked packages into $venv (once, a minute or two) …"
if ! "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
    --require-hashes --only-binary :all: --no-binary memoization $(printf ' -r %s' $files) >"$log" 2>&1; then
    why=$(grep -m 1 '^ERROR:' "$log" | cut -c 8-200) || why="see $log"
    ! grep -qi 'connection\|timed out' "$log" || why="no connection to the package index"
    fail "Installing failed: $why. Run the same command again when that is mended" \
        "(the whole story is in $log)."
fi
printf '%s\n' "$lock" >"$ready"
