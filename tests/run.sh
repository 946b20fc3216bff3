#!/usr/bin/env bash
# Every check there is, for people and for CI. Needs Rust; sets up the rest of it by itself, or says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }
missing() { echo "$1 is missing: $2" >&2; exit 1; }

command -v cargo >/dev/null || missing cargo "install Rust from https://rustup.rs"
cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt || missing rustfmt "run: rustup component add rustfmt"
cargo clippy --version >/dev/null 2>&1 || rustup component add clippy || missing clippy "run: rustup component add clippy"
if ! command -v cc >/dev/null; then
  # SQLite is compiled from its C source.
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -qq -y gcc libc6-dev
  else
    missing "a C compiler" "install gcc or clang with your package manager"
  fi
fi

step "format"
cargo fmt --all --check

for features in "" "--all-features"; do
  step "clippy, features: ${features:-none}"
  # shellcheck disable=SC2086 # one word, or none
  cargo clippy --locked --all-targets $features -- -D warnings
done

for features in sqlite postgres csv tracing conformance; do
  step "clippy of the library, features: $features"
  cargo clippy --locked --lib --features "$features" -- -D warnings
done

step "tests, no features"
cargo test --locked --lib --tests

step "tests, all features"
bash tests/postgres.sh cargo test --locked --lib --test all --all-features

step "documentation examples"
cargo test --locked --doc --all-features

step "examples"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cargo run --locked --example marketplace --features sqlite "$folder/market.db" | tee "$folder/out"
grep -q '^Trial balance: 0.00 EUR' "$folder/out"
grep -q '^Orders released: 5\.' "$folder/out"
cargo run --locked --example crowdfunding --features sqlite "$folder/crowd.db" | tee "$folder/out" | tail -n 3
grep -q '^Trial balance: 0.00 EUR' "$folder/out"
cargo run --locked --example movements --features sqlite "$folder/move.db" | tee "$folder/out" | tail -n 3
grep -q '^Trial balance: 0.00 EUR' "$folder/out"
cargo run --locked --example crowdlending --features sqlite "$folder/lend.db" | tee "$folder/out" | tail -n 3
grep -q '^Trial balance: 0.00 EUR' "$folder/out"
grep -q '400 of 400 have exactly what they lent' "$folder/out"
cargo run --locked --example own_lifecycle --features sqlite | tail -n 3

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --all-features

step "all is well"
