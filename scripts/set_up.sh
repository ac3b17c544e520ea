#!/bin/sh
# Makes .venv ready: set_up.sh [EXTRA]. Re-runnable and quiet; does nothing when nothing changed.
set -eu
cd "$(dirname "$0")/.."
extra="${1:-}"
venv="${VENV:-.venv}"
stamp="$venv/.ready${extra:+-$extra}"
browser=tests/pages/browser

say() { printf '%s\n' "$*" >&2; }

newest_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        command -v "$name" >/dev/null 2>&1 || continue
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$name"; return; }
    done
}

fresh() {
    [ -x "$venv/bin/fingerprint" ] && [ -f "$stamp" ] || return 1
    for file in pyproject.toml hatch_build.py scripts/set_up.sh captures/*.pyx "$browser/package.json"; do
        [ ! -e "$file" ] || [ ! "$file" -nt "$stamp" ] || return 1
    done
    "$venv/bin/python" -c 'import fingerprint' 2>/dev/null
}

# Debian packages that are missing, one line. Without a compiler the plain-Python reader runs, so that is no failure.
missing_packages() {
    python="$(newest_python)"
    if [ -z "$python" ]; then echo "python3 python3-venv python3-dev gcc"; return; fi
    [ -x "$venv/bin/pip" ] || "$python" -c 'import ensurepip, venv' 2>/dev/null || printf 'python3-venv '
    [ "${CC:-}" = false ] && return
    command -v gcc >/dev/null 2>&1 || command -v cc >/dev/null 2>&1 || printf 'gcc libc6-dev '
    "$python" -c 'import os, sysconfig; assert os.path.exists(sysconfig.get_path("include") + "/Python.h")' \
        2>/dev/null || printf 'python3-dev '
}

# What only the tests ask: Wireshark's dissectors, as a second opinion, what the laboratory is made of, and a browser in
# which pages are looked at.
missing_for_tests() {
    [ "$extra" = dev ] || return 0
    for pair in tshark:tshark nginx:nginx-light dnsmasq:dnsmasq-base nft:nftables ip:iproute2 chromium:chromium \
        node:nodejs npm:npm; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair#*:}"
    done
}

# Installs, but starts no server: nginx is wanted as a program, and nobody asked for a web site on this machine.
install_packages() {
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] && policy=
    if [ -n "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        # Debian's policy-rc.d: 101 is "not allowed to start".
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    fi
    apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed; trying with the lists at hand"
    # shellcheck disable=SC2068  # one word a package
    apt-get install -qq -y --no-install-recommends $@ >/dev/null 2>&1 || say "apt-get could not install them"
    case " $* " in *" nginx-light "*) update-rc.d nginx disable >/dev/null 2>&1 || true ;; esac
    if [ -n "$policy" ]; then rm -f "$policy"; trap - EXIT; fi
}

if fresh; then exit 0; fi

packages="$(missing_packages)$(missing_for_tests)"
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "installing Debian packages: $packages"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # one word a package
    install_packages $packages
elif [ -n "$packages" ]; then
    say "missing Debian packages: $packages"
    say "without a compiler the slower reader in plain Python is used, without the others some tests are skipped"
    say "to mend: sudo apt-get install $packages"
fi

python="$(newest_python)"
if [ -z "$python" ]; then
    say "no Python 3.11 or newer was found; install one, or name it: make PYTHON=/usr/bin/python3.12"
    exit 1
fi

if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" >/dev/null 2>&1 || {
        rm -rf "$venv"
        # A machine without python3-venv but with pip can still fill an empty environment.
        "$python" -m venv --without-pip "$venv" && "$python" -m pip --python "$venv/bin/python" install -q pip || {
            rm -rf "$venv"
            say "cannot make $venv: install python3-venv (sudo apt-get install python3-venv)"
            exit 1
        }
    } 2>/dev/null
fi

spec=".${extra:+[$extra]}"
say "installing into $venv: $("$venv/bin/python" scripts/requirements.py "$extra")"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input -e "$spec"
if [ "$extra" = dev ] && command -v npm >/dev/null 2>&1; then
    # The browser's driver and axe-core, at the versions that package.json pins; neither brings a browser of its own.
    (cd "$browser" && npm install --silent --no-audit --no-fund --no-package-lock) ||
        say "npm could not install what the tests of pages need; they are skipped, and fail in CI"
fi
touch "$stamp"
