#!/usr/bin/env bash
# Makes the database at the first start, then becomes the server.
# Variables: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB (each also as NAME_FILE, the name of a file
# that holds the value), POSTGRES_HOST_AUTH_METHOD, PGDATA.
set -Eeuo pipefail

fail() {
    printf 'Error: %s\n' "$@" >&2
    exit 1
}

# The value of a variable, or of the file that its _FILE form names, or a default.
setting() {
    local name=$1 default=${2-} file_name="$1_FILE"
    if [ -n "${!name-}" ] && [ -n "${!file_name-}" ]; then
        fail "both $name and $file_name are set; set one of them"
    elif [ -n "${!file_name-}" ]; then
        [ -r "${!file_name}" ] || fail "$file_name names ${!file_name}, which cannot be read"
        cat "${!file_name}"
    else
        printf '%s' "${!name:-$default}"
    fi
}

sql() {
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" "$@"
}

init_file() {
    case $1 in
        *.sh) if [ -x "$1" ]; then "$1"; else . "$1"; fi ;;
        *.sql) sql --dbname "$POSTGRES_DB" --file "$1" ;;
        *.sql.gz) gunzip --stdout "$1" | sql --dbname "$POSTGRES_DB" ;;
        *) printf 'ignoring %s\n' "$1" ;;
    esac
}

make_database() {
    local method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$method" != trust ]; then
        fail 'Database is uninitialized and superuser password is not specified.' \
            'Set POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE) to a value that is not empty.'
    fi
    initdb --username="$POSTGRES_USER" --auth-local=trust --auth-host="$method" \
        ${POSTGRES_PASSWORD:+--pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")}
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
    # At first on the socket alone: who asks over TCP gets an answer when everything is there.
    pg_ctl --options "-c listen_addresses=''" --wait start
    if [ "$POSTGRES_DB" != postgres ]; then
        sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        [ ! -e "$file" ] || { printf 'running %s\n' "$file"; init_file "$file"; }
    done
    pg_ctl --mode fast --wait stop
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"

mkdir -p "$PGDATA"
if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" \! -user postgres -exec chown postgres {} +
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
chmod 0700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    POSTGRES_PASSWORD=$(setting POSTGRES_PASSWORD)
    POSTGRES_USER=$(setting POSTGRES_USER postgres)
    POSTGRES_DB=$(setting POSTGRES_DB "$POSTGRES_USER")
    make_database
fi
exec "$@"
