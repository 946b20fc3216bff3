#!/usr/bin/env bash
# Runs a command with a throwaway PostgreSQL: tests/postgres.sh cargo test --features postgres
#
# The server listens on loopback only, on a free port, with a data folder of its own, and is removed afterwards. A server of
# your own is used instead if ESCROWED_TEST_DATABASE_URL names one, such as postgres://me@localhost/test; the tests that
# kill a server start theirs all the same, so PostgreSQL's programs have to be on this machine in either case.
#
# The server does not wait for its disk, because nobody kills it. ESCROWED_TEST_POSTGRES_DURABLE=1 makes it wait, for benchmarks.
set -euo pipefail

fail() { echo "$*" >&2; exit 1; }

# Where initdb and pg_ctl are; the newest version, if there are several.
find_programs() {
  local folder
  for folder in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -rV); do
    [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && { echo "$folder"; return; }
  done
  if command -v initdb >/dev/null && command -v pg_ctl >/dev/null; then dirname "$(command -v initdb)"; fi
}

programs=${ESCROWED_TEST_POSTGRES:-$(find_programs)}
if [ -z "$programs" ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql >&2
  programs=$(find_programs)
fi
[ -n "$programs" ] || fail "PostgreSQL is missing: install it with your package manager (on Debian: apt-get install postgresql), or say in ESCROWED_TEST_POSTGRES where initdb and pg_ctl are"
export ESCROWED_TEST_POSTGRES=$programs

# PostgreSQL does not run as root.
as=()
if [ "$(id -u)" = 0 ]; then
  user=${ESCROWED_TEST_POSTGRES_USER:-postgres}
  id "$user" >/dev/null 2>&1 || fail "PostgreSQL does not run as root, and there is no user $user: name another one in ESCROWED_TEST_POSTGRES_USER"
  export ESCROWED_TEST_POSTGRES_USER=$user
  as=(runuser -u "$user" --)
fi

if [ -n "${ESCROWED_TEST_DATABASE_URL:-}" ]; then
  exec "$@"
fi

folder=$(mktemp -d)
[ ${#as[@]} = 0 ] || chown "$user" "$folder"
stop() {
  "${as[@]}" "$programs/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT

"${as[@]}" "$programs/initdb" -D "$folder/data" -A trust -U escrowed -E UTF8 --locale=C >"$folder/initdb.log" 2>&1 ||
  { cat "$folder/initdb.log" >&2; fail "initdb failed"; }
for _ in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 20000))
  options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
  # The locks are for a ledger that is measured beside this crate, the connections for all that are.
  [ -n "${ESCROWED_TEST_POSTGRES_DURABLE:-}" ] && options+=" -c max_locks_per_transaction=1024 -c max_connections=400" || options+=" -c fsync=off"
  if "${as[@]}" "$programs/pg_ctl" -D "$folder/data" -o "$options" -l "$folder/data/log" -w start >/dev/null 2>&1; then
    export ESCROWED_TEST_DATABASE_URL="postgres://escrowed@127.0.0.1:$port/postgres"
    break
  fi
done
[ -n "${ESCROWED_TEST_DATABASE_URL:-}" ] || { cat "$folder/data/log" >&2; fail "PostgreSQL did not start"; }

"$@"
