#!/bin/sh
# Builds .venv-fast: offhook from a wheel whose hot modules are compiled; every other package in it is the one of .venv. Run by
# make, after .venv. Needs a C compiler and Python's headers, and installs them if it may; ends with 3 if there are none.
# Nothing is compiled beside the sources: Python would go on loading what was compiled there after a source was edited.
set -eu
cd "$(dirname "$0")/.."
. tools/common.sh

environment=.venv-fast build=build/fast
python=.venv/bin/python
tell() { "$python" -c "import sys, sysconfig, tomllib; print($1)"; }
can_compile() {
    printf '#include <Python.h>\n' | ${CC:-$(tell 'sysconfig.get_config_var("CC")')} "-I$(tell 'sysconfig.get_path("include")')" \
        -fsyntax-only -x c - 2>/dev/null
}

rm -f "$environment/ready"
version=$(tell '"%d.%d" % sys.version_info[:2]')
if ! can_compile; then
    say "installing a C compiler and the headers of Python $version"
    { apt_install gcc libc6-dev "python$version-dev" && can_compile; } ||
        { say "nothing is compiled, for want of a C compiler or Python's headers (sudo apt-get install gcc python$version-dev)"; exit 3; }
fi

# From a copy, so that the checkout stays as it is; what the type checker noted down is kept for the next time.
mkdir -p "$build"
rm -rf "$build"/*
cp -R setup.py pyproject.toml README.md voice telephony context compliance dialer storage api benchmarks "$build"
modules=$(tell 'len(tomllib.load(open("pyproject.toml", "rb"))["tool"]["offhook"]["compiled"])')
say "compiling $modules modules for $environment, a minute or two"
OFFHOOK_COMPILE=1 "$python" -m pip wheel --quiet --disable-pip-version-check --no-index \
    --no-deps --no-build-isolation --wheel-dir "$build/wheel" "$build" >"$build/log" 2>&1 ||
    { tail -n 30 "$build/log"; say "compiling failed; the whole log is in $build/log"; exit 1; }

[ -x "$environment/bin/python" ] || "$python" -m venv "$environment"
site=$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
tell 'sysconfig.get_path("purelib")' >"$site/locked.pth"
pip_install "$environment" --no-index --force-reinstall "$build"/wheel/*.whl
touch "$environment/ready"
say "$environment/bin/offhook is ready"
