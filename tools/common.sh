# What the scripts beside this one share; read with `.`, in the root of the checkout.

say() { printf 'offhook setup: %s\n' "$*"; }

apt_install() { # only as root, only where apt is; never asks
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null 2>&1 && return 0
    apt-get update -qq >/dev/null 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null 2>&1
}

pip_install() { # environment, arguments of pip
    environment=$1
    shift
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$@"
}
