# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What tests/run, app/demo and tests/perf/run share: packages, private folders, the build. Sourced by bash, never run.

TEALDECK_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

# Debian 12 and later. npm is wanted as a program: it may come with a Node.js from elsewhere.
TEALDECK_PACKAGES=(
    g++ cmake ninja-build ccache pkg-config
    qt6-base-dev qt6-svg-dev libqcustomplot-dev
    libpqxx-dev libpq-dev libsqlite3-dev libssl-dev
    nlohmann-json3-dev libtomlplusplus-dev libfmt-dev libcli11-dev
    libgtest-dev libgmock-dev libbenchmark-dev
    postgresql-15 postgresql-client-15 pgbouncer haproxy knot bind9-dnsutils openssl
    xvfb xauth openbox xdotool imagemagick fonts-inter fonts-dejavu-core
    procps iproute2 python3 ca-certificates
)

say() { printf '%s: %s\n' "${TEALDECK_SCRIPT:-tealdeck}" "$*" >&2; }

# One sentence, and the exit code 2 of wrong input (nothing was changed).
usage_error() {
    say "$1 See --help."
    exit 2
}

fail() {
    say "$*"
    exit 1
}

# The value of an option that needs one: option_value OPTION "${@:2}"
option_value() {
    [ $# -ge 2 ] && [ -n "$2" ] || usage_error "$1 needs a value."
    printf '%s' "$2"
}

missing_packages() {
    local package
    for package in "${TEALDECK_PACKAGES[@]}"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
    done
    command -v npm >/dev/null || printf 'npm\n'
}

# Runs as root, or through sudo, a program with arguments.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

apt_install() { as_root apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >&2; }

# The packages bring services that nobody asked for: they are kept from starting, and no cluster "main" is made, for the time of the
# installation only.
install_quietly() {
    local policy=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.conf own_policy=no saved='' status=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 0755 "$policy"
        own_policy=yes
    fi
    if [[ " $* " == *" postgresql-15 "* ]]; then
        if apt_install postgresql-common; then
            saved=$(mktemp)
            cat "$clusters" >"$saved"
            printf 'create_main_cluster = false\n' | as_root tee -a "$clusters" >/dev/null
        else
            status=1
        fi
    fi
    if [ "$status" = 0 ]; then
        apt_install "$@" || status=$?
    fi
    if [ -n "$saved" ]; then
        as_root tee "$clusters" <"$saved" >/dev/null
        rm -f "$saved"
    fi
    if [ "$own_policy" = yes ]; then
        as_root rm -f "$policy"
    fi
    return "$status"
}

install_packages() {
    command -v dpkg-query >/dev/null || { say "this is no Debian: bring the packages named in tests/setup.sh yourself"; return 0; }
    local missing
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "packages are missing and there is neither root nor sudo to install them: ${missing[*]}"
    as_root apt-get update -q -o DPkg::Lock::Timeout=300 >&2 || say "apt-get update failed; trying with the lists that are here"
    install_quietly "${missing[@]}" || fail "apt-get could not install: ${missing[*]}"
}

# Folders that the programs write to belong to the caller, whatever the machine looks like.
prepare_environment() {
    export LC_ALL=C.UTF-8
    local name
    for name in $(compgen -e PG | grep -E '^PG[A-Z]+$'); do
        unset "$name" # PGHOST and its like would lead the tests to another server
    done
    if [ -z "${HOME:-}" ] || [ ! -d "$HOME" ] || [ ! -w "$HOME" ]; then
        export HOME=$TEALDECK_ROOT/build/home
        mkdir -p "$HOME"
        unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME
    fi
    if [ -z "${XDG_RUNTIME_DIR:-}" ] || [ ! -w "$XDG_RUNTIME_DIR" ]; then
        XDG_RUNTIME_DIR=${TMPDIR:-/tmp}/tealdeck-runtime-$(id -u)
        mkdir -m 0700 "$XDG_RUNTIME_DIR" 2>/dev/null || [ -O "$XDG_RUNTIME_DIR" ] || XDG_RUNTIME_DIR=$(mktemp -d)
        export XDG_RUNTIME_DIR
    fi
}

has_display() { [ -n "${DISPLAY:-}" ] || [ -n "${WAYLAND_DISPLAY:-}" ]; }

# build_project PRESET [TARGET…]: configures when needed and builds; what it prints goes to standard error.
build_project() {
    local preset=$1 jobs memory_gib target
    shift
    # A compiler of this project takes up to 1 GiB.
    jobs=$(nproc)
    memory_gib=$(awk '/MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
    [ "$memory_gib" -ge 1 ] || memory_gib=1
    [ "$jobs" -le "$memory_gib" ] || jobs=$memory_gib
    (
        cd "$TEALDECK_ROOT" || exit
        cmake --preset "$preset" >&2
        target=()
        [ $# -eq 0 ] || target=(--target "$@")
        cmake --build --preset "$preset" -j "$jobs" "${target[@]}" >&2
    )
}

# start_display DIR: an X server and a window manager of our own; sets DISPLAY, XVFB_PID and OPENBOX_PID.
start_display() {
    local dir=$1 number=''
    : >"$dir/display"
    Xvfb -displayfd 3 -screen 0 1680x1050x24 -nolisten tcp 3>"$dir/display" >"$dir/xvfb.log" 2>&1 &
    XVFB_PID=$!
    for _ in $(seq 200); do
        number=$(cat "$dir/display")
        [ -z "$number" ] || break
        kill -0 "$XVFB_PID" 2>/dev/null || break
        sleep 0.05
    done
    [ -n "$number" ] || fail "Xvfb did not start; see $dir/xvfb.log"
    export DISPLAY=:$number
    unset WAYLAND_DISPLAY
    openbox >"$dir/openbox.log" 2>&1 &
    OPENBOX_PID=$!
}

# Ends a process of ours and waits for it; harmless when there is none.
end_process() {
    [ -n "${1:-}" ] || return 0
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
