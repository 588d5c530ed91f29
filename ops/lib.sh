# Shared by the scripts beside it; sourced, not run. Everything said to people goes to stderr.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
swift_needed=6.3
started=$SECONDS

say() { printf '\033[1m%s\033[0m %s\n' "weir:" "$*" >&2; }
die() {
    printf 'weir: error: %s\n' "$*" >&2
    exit 1
}
elapsed() { printf '%d min %02d s' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)); }

# Colours only where a person looks.
[[ -t 2 ]] || say() { printf 'weir: %s\n' "$*" >&2; }

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "installing packages needs root or sudo; please run as root: $*"
    fi
}

need_swift() {
    local version
    command -v swift >/dev/null || die "Swift $swift_needed or newer is needed, and there is no 'swift' on PATH.
  Get it from https://www.swift.org/install/linux/ (Debian 12), or use the image swift:$swift_needed-bookworm."
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    [[ -n $version ]] || die "'swift --version' does not say its version; is the toolchain whole?"
    [[ $(printf '%s\n' "$swift_needed" "$version" | sort -V | head -n 1) == "$swift_needed" ]] ||
        die "Swift $swift_needed or newer is needed, this is $version. Get it from https://www.swift.org/install/linux/."
}

# The folder of initdb and postgres: the newest that is installed, 15 at least. Empty where there is none.
postgres_bin() {
    local folder version
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) "$(dirname "$(command -v postgres || echo /none/postgres)")"; do
        [[ -x $folder/postgres && -x $folder/initdb ]] || continue
        version=$("$folder/postgres" --version | sed -n 's/[^0-9]*\([0-9]*\).*/\1/p')
        if ((version >= 15)); then
            printf '%s' "$folder"
            return
        fi
    done
}

missing_packages() {
    local arch
    arch=$(uname -m)-linux-gnu
    [[ -e /usr/include/hiredis/hiredis.h ]] || echo libhiredis-dev
    [[ -e /usr/include/postgresql/libpq-fe.h ]] || echo libpq-dev
    [[ -e /usr/include/secp256k1.h ]] || echo libsecp256k1-dev
    [[ -e /usr/include/zlib.h || -e /usr/include/$arch/zlib.h ]] || echo zlib1g-dev
    command -v redis-server >/dev/null || echo redis-server
    [[ -n $(postgres_bin) ]] || echo postgresql-15
}

# Installs what is missing, and nothing where nothing is. The servers' packages would start system services and make a
# database cluster; neither is wanted here, so both are held back while they install.
need_packages() {
    local missing policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.conf made_policy=
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || die "please install these, there is no apt-get here: ${missing[*]}"
    [[ $(id -u) == 0 ]] || command -v sudo >/dev/null ||
        die "these packages are missing, and installing them needs root or sudo. As root: apt-get update && apt-get install -y ${missing[*]}"
    say "installing ${missing[*]}"
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made_policy=1
    fi
    if [[ " ${missing[*]} " == *" postgresql-15 "* && ! -e $cluster ]]; then
        as_root mkdir -p "$(dirname "$cluster")"
        echo "create_main_cluster = false" | as_root tee "$cluster" >/dev/null
    fi
    local output status=0
    output=$(as_root apt-get update -qq 2>&1) || status=$?
    if ((status == 0)); then
        output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            -o Dpkg::Options::=--force-confold "${missing[@]}" 2>&1) || status=$?
    fi
    [[ -z $made_policy ]] || as_root rm -f "$policy"
    if ((status)); then
        printf '%s\n' "$output" | tail -n 30 >&2
        die "apt-get failed (status $status); what is needed: ${missing[*]}"
    fi
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]} == 0)) || die "still missing after the installation: ${missing[*]}"
}

# --- Private servers for one test run ------------------------------------------------------------------------------

server_folder=
redis_pid=
postgres_pid=

# Runs a command as a user that Postgres accepts: it refuses to run as root.
unprivileged() {
    if [[ $(id -u) != 0 ]]; then
        "$@"
    elif id -u postgres >/dev/null 2>&1; then
        runuser -u postgres -- "$@"
    else
        runuser -u nobody -- "$@"
    fi
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    local port
    for _ in {1..200}; do
        port=$((20000 + RANDOM % 12000))
        if port_is_free "$port"; then
            echo "$port"
            return
        fi
    done
    die "found no free loopback port"
}

# wait_until SECONDS PROCESS COMMAND…: true as soon as the command is; false where the process ends before that, or too late.
wait_until() {
    local deadline=$((SECONDS + $1)) process=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        alive "$process" && ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# Ours, and not another that has taken the port meanwhile.
redis_answers() { redis-cli -p "$1" info server | grep -q "^process_id:$redis_pid[^0-9]*$"; }

alive() { [[ -n $1 ]] && kill -0 "$1" 2>/dev/null; }

start_private_servers() {
    local bin port
    server_folder=$(mktemp -d "${TMPDIR:-/tmp}/weir-test.XXXXXX")
    chmod 711 "$server_folder"
    mkdir "$server_folder/redis" "$server_folder/postgres"
    bin=$(postgres_bin)

    for attempt in 1 2 3; do
        port=$(free_port)
        redis-server --port "$port" --bind 127.0.0.1 --dir "$server_folder/redis" --save '' --appendonly no \
            --daemonize no --loglevel warning >"$server_folder/redis.log" 2>&1 &
        redis_pid=$!
        if wait_until 60 "$redis_pid" redis_answers "$port"; then break; fi
        kill "$redis_pid" 2>/dev/null || true
        ((attempt < 3)) || die "Redis did not start: $(tail -n 5 "$server_folder/redis.log")"
    done
    export WEIR_TEST_REDIS_URL="redis://127.0.0.1:$port"

    if [[ $(id -u) == 0 ]]; then
        chown "$(unprivileged id -u):$(unprivileged id -g)" "$server_folder/postgres"
    fi
    unprivileged "$bin/initdb" -D "$server_folder/postgres/data" -U weir -A trust -E UTF8 --locale=C --no-sync \
        >"$server_folder/initdb.log" 2>&1 || die "initdb failed: $(tail -n 5 "$server_folder/initdb.log")"
    for attempt in 1 2 3; do
        port=$(free_port)
        # Durability is off: the data ends with the run. Logical replication and many connections are on: tests use both.
        unprivileged "$bin/postgres" -D "$server_folder/postgres/data" -p "$port" -k '' -c listen_addresses=127.0.0.1 \
            -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 \
            -c wal_level=logical -c max_wal_senders=20 -c max_replication_slots=20 -c logging_collector=off \
            >"$server_folder/postgres.log" 2>&1 &
        postgres_pid=$!
        # Its own file says so: the port alone could be another's.
        if wait_until 120 "$postgres_pid" grep -q '^ready' "$server_folder/postgres/data/postmaster.pid"; then break; fi
        kill "$postgres_pid" 2>/dev/null || true
        ((attempt < 3)) || die "Postgres did not start: $(tail -n 5 "$server_folder/postgres.log")"
    done
    unprivileged "$bin/createdb" -h 127.0.0.1 -p "$port" -U weir weir || die "createdb failed"
    export WEIR_TEST_POSTGRES_URL="postgres://weir@127.0.0.1:$port/weir"
}

# The process that was started may be runuser, with the server as its child; runuser passes SIGTERM on.
stop_private_servers() {
    local pid
    for pid in "$redis_pid" "$postgres_pid"; do
        if alive "$pid"; then kill -TERM "$pid" 2>/dev/null || true; fi
    done
    # How they end is not our status: a failing `wait` in an EXIT trap would take the place of the tests' own (set -e).
    for pid in "$redis_pid" "$postgres_pid"; do
        if [[ -n $pid ]]; then wait "$pid" 2>/dev/null || true; fi
    done
    redis_pid='' postgres_pid=''
    [[ -z $server_folder ]] || rm -rf "$server_folder"
    server_folder=
    return 0
}
