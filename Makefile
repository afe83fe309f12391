# The two commands that matter on a fresh machine: `make demo` and `make test`.
SHELL := /bin/bash
CARGO ?= cargo

.PHONY: demo test lint docs bench bench-redis bench-lint prove-rules deny setup build

demo: setup ## the whole story on a throw-away PostgreSQL and Redis
	$(CARGO) build --release --locked
	./target/release/guard demo

test: setup ## every test, on real servers that the tests start themselves
	$(CARGO) test --workspace --locked --no-fail-fast

lint: ## formatting and clippy; any warning fails
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

docs: ## write the generated documentation anew
	UPDATE_EXPECTED=1 $(CARGO) test --locked --test config --test http
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

bench: setup ## guard beside what people use today, in one run
	./scripts/setup bench
	$(CARGO) build --release --locked
	./scripts/bench

bench-redis: setup ## guard beside redis-cli, on a keyspace of 500 MB
	./scripts/setup bench
	$(CARGO) build --release --locked
	./scripts/bench-redis

bench-lint: setup ## guard lint beside squawk, on files that the script makes
	$(CARGO) build --release --locked
	./scripts/bench-lint

prove-rules: setup ## every example of every lint rule, run on a real PostgreSQL
	./scripts/prove-rules

deny: ## licences, sources and duplicates of the dependencies
	$(CARGO) deny check bans licenses sources

build: ## the program, optimised
	$(CARGO) build --release --locked

setup: ## what the build and the tests need from the system
	./scripts/setup
