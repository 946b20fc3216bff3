#!/usr/bin/env bash
# Runs the benchmarks: bash benches/run.sh [what]...
#
#   steps              one step in memory, beside the same by hand and the bare change of a status by other libraries
#   sqlite             commits into SQLite, beside hand-written SQL
#   coalescing         callers that save at the same moment, each for itself and sharing commits
#   postgres [quick]   commits into PostgreSQL, beside hand-written SQL, cqrs-es and cala-ledger, and the shared fee account
#   scale [largest]    commits, deadlines and paging with up to a million orders; a number stops earlier
#   build              compile time and number of dependencies of the default features
#
# Without a word: all of them. The other libraries take long to build the first time. PostgreSQL's programs have to be on
# this machine (see tests/postgres.sh). Nothing is measured on a server with fsync or synchronous_commit off.
set -euo pipefail
cd "$(dirname "$0")/.."
export ESCROWED_TEST_POSTGRES_DURABLE=1

machine() {
  echo "$(uname -sm), $(nproc) processors, $(grep -m1 'model name' /proc/cpuinfo 2>/dev/null | cut -d: -f2-)," \
    "load $(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null), $(rustc --version)"
}

steps() {
  cargo bench --locked --bench steps
  (cd benches/peers && cargo run --release --locked --bin steps)
}

sqlite() { cargo bench --locked --bench sqlite --features sqlite; }

coalescing() { bash tests/postgres.sh cargo bench --locked --bench coalescing --features sqlite,postgres; }

postgres() {
  (cd benches/peers/database && cargo build --release --locked)
  local target=${CARGO_TARGET_DIR:-benches/peers/database/target}
  bash tests/postgres.sh "$target/release/escrowed-peers-database" "$@"
}

scale() { bash tests/postgres.sh cargo bench --locked --bench scale --features sqlite,postgres -- "$@"; }

build() {
  local folder
  folder=$(mktemp -d)
  echo "Dependencies of the default features: $(cargo tree --locked --edges normal --prefix none | sed 's/ (\*)$//' | sort -u | grep -vc '^escrowed ')"
  cargo fetch --locked --quiet
  for profile in dev release; do
    local start=$SECONDS
    CARGO_TARGET_DIR=$folder cargo build --locked --quiet --lib --profile "$profile"
    echo "Compile time from nothing, $profile: $((SECONDS - start)) s"
  done
  rm -rf "$folder"
}

machine
[ $# -gt 0 ] || set -- steps sqlite coalescing postgres scale build
while [ $# -gt 0 ]; do
  what=$1
  shift
  words=()
  while [ $# -gt 0 ] && ! declare -F "$1" >/dev/null; do words+=("$1"); shift; done
  declare -F "$what" >/dev/null || { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 1; }
  printf '\n## %s\n\n' "$what"
  "$what" "${words[@]}"
done
