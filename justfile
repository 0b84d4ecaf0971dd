# The front desk. `just` lists what there is; everything here also works by hand.

default:
    @just --list

# Everything CI asks, in its order.
ready: format lint queries test

format:
    cargo fmt --check

lint:
    cargo clippy --all-targets -- -D warnings

# Are the checked-in queries those of the source?
queries:
    scripts/prepare-queries --check

# Refresh them after a change of SQL.
prepare:
    scripts/prepare-queries

test:
    scripts/test

# Pictures of the main pages (light, dark, phone) into target/screenshots.
screenshots:
    scripts/screenshots

run *arguments:
    cargo run --release -- {{arguments}}

# Requests a second, CPU for each, and memory, beside nginx with the same bytes.
bench:
    cargo bench --bench registry

# Advisories, licences and sources of the dependencies; needs cargo-deny.
deny:
    cargo deny check
