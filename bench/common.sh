# shellcheck shell=bash
#
# common.sh - what bench/run, bench/instructions and bench/peers/run share: programs, the database and its
# data, the daemon's configuration. Sourced by them.
#
# They set: BENCH, ROOT, dir, daemon, fresh, DATABASE_CONNECTIONS, DAEMON_PORT, ADMIN_PORT; those that measure
# the speed of servers also status, HTTP_CONNECTIONS, PASSES, the seconds, and by server port_of, pid_of and, where
# its GraphQL is its own, documents_of. This sets: postmaster_pid, bindir, mix, and best, by "SERVER OPERATION FIGURE".

# shellcheck disable=SC2034,SC2154 # set here or there, used there or here
postmaster_pid='' bindir='' mix=mix
declare -A best ready_ms pss_idle pss_after rss_idle pid_of port_of documents_of

say()
{
    printf 'bench: %s\n' "$*" >&2
}

fail()
{
    say "$*"
    exit 1
}

# PostgreSQL refuses to run as root.
as_postgres()
{
    if ((EUID != 0)); then
        "$@"
    else
        setpriv --reuid postgres --regid postgres --clear-groups -- "$@"
    fi
}

build_programs()
{
    local cflags program libs

    cflags="-std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -I$(pg_config --includedir)"
    for program in load yardstick pglimit shapes; do
        libs="-lcrypto -lpq"
        [[ $program != load ]] || libs=-lcrypto
        # shellcheck disable=SC2086
        ${CC:-cc} $cflags -o "$dir/$program" "$BENCH/$program.c" "$BENCH/common.c" \
            "$BENCH/operations.c" $libs
    done
}

find_bindir()
{
    local candidate

    for candidate in "${PG_BINDIR:-}" /usr/lib/postgresql/*/bin "$(pg_config --bindir)"; do
        if [[ -n $candidate && -x $candidate/initdb && -x $candidate/pg_ctl ]]; then
            bindir=$candidate
        fi
        [[ -z ${PG_BINDIR:-} ]] || break
    done
    [[ -n $bindir ]] || fail "could not find PostgreSQL's initdb and pg_ctl"
}

make_cluster()
{
    say "making a database cluster in $dir/pgdata"
    (cd / && as_postgres "$bindir/initdb" -D "$dir/pgdata" -U postgres -A trust -E UTF8 \
        --locale=C.UTF-8) >"$dir/initdb.log" 2>&1 || fail "initdb failed, see $dir/initdb.log"
    # Durable as installed; the rest keeps the run free of what is not measured.
    cat >>"$dir/pgdata/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$dir/pg'
unix_socket_permissions = 0777
max_connections = 200
shared_buffers = 6GB
work_mem = 16MB
max_wal_size = 8GB
checkpoint_timeout = 30min
jit = off
timezone = 'UTC'
END
}

start_postgres()
{
    ((!fresh)) || rm -rf -- "$dir/pgdata" "$dir/pool"
    mkdir -p "$dir/pg" "$dir/pgdata"
    chmod 700 "$dir/pgdata"
    if ((EUID == 0)); then
        chown postgres "$dir/pg" "$dir/pgdata"
        as_postgres test -x "$dir/pg" || fail "user \"postgres\" cannot enter $dir/pg"
    fi
    [[ -f $dir/pgdata/PG_VERSION ]] || make_cluster
    : >"$dir/postgres.log"
    ((EUID != 0)) || chown postgres "$dir/postgres.log"
    if (cd / && as_postgres "$bindir/pg_ctl" status -D "$dir/pgdata") >/dev/null 2>&1; then
        fail "a PostgreSQL is running in $dir/pgdata already"
    fi
    (cd / && as_postgres "$bindir/pg_ctl" start -D "$dir/pgdata" -l "$dir/postgres.log" -s -w) \
        >&2 || fail "PostgreSQL did not start, see $dir/postgres.log"
    postmaster_pid=$(head -n 1 "$dir/pgdata/postmaster.pid")
}

query()
{
    psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$dir/pg" -U postgres "$@"
}

# Takes back what the mutations did, so that every pass reads the same lists. What a task was at first
# follows from the number in its title: see data.sql.
undo_mutations()
{
    query -d bench -c "delete from public.tasks where title like 'Benchmark task%'" -c "
        update public.tasks
        set status = (array['TODO', 'TODO', 'TODO', 'DOING', 'REVIEW', 'DONE', 'DONE', 'DONE'])
                [1 + (hashint8extended(split_part(title, '#', 2)::bigint, 7) & 2147483647) % 8],
            updated_at = timestamptz '2024-09-01 00:00+00'
                + (hashint8extended(split_part(title, '#', 2)::bigint, 12) & 2147483647) % 5000000
                * interval '1 second'
        where updated_at > timestamptz '2025-01-01'" \
        -c 'vacuum (analyze) public.tasks' -c 'checkpoint'
}

load_data()
{
    if [[ $(query -d postgres -c "select 1 from pg_database where datname = 'bench'") != 1 ]]; then
        query -d postgres -c 'create database bench'
    fi
    query -d bench -f "$BENCH/data.sql" >&2
    [[ -s $dir/pool ]] || query -d bench -f "$BENCH/pool.sql" >"$dir/pool"
    undo_mutations
    # Everything into memory, so that the first run is like the others.
    query -d bench -c "create extension if not exists pg_prewarm" -c "select pg_prewarm(c.oid)
        from pg_class as c where c.relnamespace = 'public'::regnamespace
        and c.relkind in ('r', 'i', 'm')" >/dev/null 2>&1 || say "without pg_prewarm"
}

conninfo()
{
    printf 'host=%s user=bench_server dbname=bench' "$dir/pg"
}

# write_config [MORE]: lines for the end of the file
write_config()
{
    local functions=''

    # Without mutations in the daemon, the mix is that of the queries.
    if "$daemon" config explain schema.expose.functions >/dev/null 2>&1; then
        functions=', functions: ["fn_*"]'
    else
        mix='mix-read'
    fi
    cat >"$dir/fraiseqld.yaml" <<END
server:
  listen: ["127.0.0.1:$DAEMON_PORT"]
  admin_listen: "127.0.0.1:$ADMIN_PORT"
  shutdown: {delay: 0s, drain_timeout: 5s}
database:
  url: "postgresql://bench_server@/bench?host=$dir/pg"
  role: app_user
  pool: {min: $DATABASE_CONNECTIONS, max: $DATABASE_CONNECTIONS}
schema:
  expose: {schemas: [public], views: ["v_*"]$functions}
auth:
  mode: required
  jwt:
    algorithms: [HS256]
    keys: [{kid: bench, alg: HS256, secret_file: "$dir/secret"}]
  claims:
    tenant_id: {path: tenant_id, setting: app.current_tenant_id, type: uuid, required: true}
tenancy: {enabled: true, claim: tenant_id}
cache: {enabled: false}
${1:-}
END
}

# memory_kb PID FIELD
memory_kb()
{
    awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/smaps_rollup"
}

# field LINE KEY
field()
{
    local rest=" $1"

    rest=${rest#* "$2"=}
    printf '%s' "${rest%% *}"
}

stop_postgres()
{
    if [[ -n $postmaster_pid ]]; then
        (cd / && as_postgres "$bindir/pg_ctl" stop -D "$dir/pgdata" -s -w -m fast) >&2 || true
    fi
}

# The one that daemon_pid says, if any.
stop_daemon()
{
    if [[ -n $daemon_pid ]]; then
        kill "$daemon_pid" 2>/dev/null || true
        wait "$daemon_pid" 2>/dev/null || true
        daemon_pid=''
    fi
}

# One benchmark at a time in a directory. Servers must not hold the lock (9>&-), nor what they start.
lock_directory()
{
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd -P)
    exec 9>"$dir/lock"
    flock -n 9 || fail "another benchmark runs in $dir"
}

# The database with its data, in the state of the first run, and a secret for tokens.
prepare_database()
{
    start_postgres 9>&-
    load_data
    [[ -s $dir/secret ]] || (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$dir/secret")
}

# wait_ready NAME PATH STARTED: fills in what is known of an idle server.
wait_ready()
{
    local name=$1 at

    at=$("$dir/load" -H "127.0.0.1:${port_of[$name]}" -W "$2" -t 20) || return 1
    ready_ms[$name]=$(awk -v a="$at" -v b="$3" 'BEGIN { printf "%.0f", (a - b) * 1000 }')
    sleep 1
    pss_idle[$name]=$(memory_kb "${pid_of[$name]}" Pss)
    rss_idle[$name]=$(memory_kb "${pid_of[$name]}" Rss)
}

# keep KEY VALUE max|min: the better of what there was and this.
keep()
{
    local old=${best[$1]:-}

    if [[ -z $old ]] || awk -v a="$2" -v b="$old" -v how="$3" \
        'BEGIN { exit !(how == "max" ? a > b : a < b) }'; then
        best[$1]=$2
    fi
}

# measure SERVER OPERATION SECONDS [RATE]
measure()
{
    local server=$1 op=$2 line what
    local -a rate=()
    local key="$1 $2"

    if [[ -n ${4:-} ]]; then
        rate=(-r "$4")
        key="$1 open"
    fi
    # Status 3: there were wrong answers, the line is there all the same.
    line=$("$dir/load" -H "127.0.0.1:${port_of[$server]}" -O "${documents_of[$server]:-$BENCH/operations}" -p "$dir/pool" \
        -s "$dir/secret" -m "$op" -c "$HTTP_CONNECTIONS" -t "$3" -w "$warm_seconds" \
        -S "${pid_of[$server]}" -D "$postmaster_pid" "${rate[@]}") || (($? == 3)) ||
        fail "the load generator failed with $server, $op"
    say "$server $line"
    keep "$key rps" "$(field "$line" rps)" max
    for what in server_us database_us p50_us p95_us p99_us p999_us; do
        keep "$key $what" "$(field "$line" "$what")" min
    done
    best["$key bytes"]=$(field "$line" bytes)
    best["$key errors"]=$((${best["$key errors"]:-0} + $(field "$line" errors)))
    if (($(field "$line" errors) > 0)); then
        status=1
    fi
}

# number KEY [DIGITS]: the figure, or a dash.
number()
{
    if [[ -n ${best[$1]:-} ]]; then
        printf "%.${2:-0}f" "${best[$1]}"
    else
        printf -- '-'
    fi
}

ratio()
{
    awk -v a="${best[$1]:-0}" -v b="${best[$2]:-0}" \
        'BEGIN { if (a > 0 && b > 0) printf "%.2f", a / b; else printf "-" }'
}

ms()
{
    if [[ -n ${best[$1]:-} ]]; then
        awk -v us="${best[$1]}" 'BEGIN { printf "%.2f", us / 1000 }'
    else
        printf -- '-'
    fi
}

mb()
{
    awk -v kb="$1" 'BEGIN { printf "%.1f", kb / 1024 }'
}

print_head()
{
    local commit

    commit=$(git -C "$ROOT" describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
    printf '### Benchmark of %s, commit %s\n\n' "$(date -u +%Y-%m-%d)" "$commit"
    printf '%s cores, %s, %s GiB, Linux %s, PostgreSQL %s, load average %s. ' "$(nproc)" \
        "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" \
        "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" "$(uname -r)" \
        "$(query -d bench -c 'show server_version')" "$(cut -d' ' -f1 /proc/loadavg)"
    printf '%s HTTP connections, %s database connections, the best of %s passes of %s s (%s: %s s), ' \
        "$HTTP_CONNECTIONS" "$DATABASE_CONNECTIONS" "$PASSES" "$single_seconds" "$mix" "$mix_seconds"
    printf 'server, PostgreSQL and load generator on the same machine. CPU is in us a request.\n\n'
}
