# The one door to all commands. `make demo` and `make test` need nothing before them but Rust, Go,
# Python 3 and make.
#
# The shape of the cargo calls is the same everywhere: another selection of packages or targets
# would build the dependencies again.

CARGO_SHAPE := --workspace --all-targets
AUTAN := target/debug/autan
TOOLS := target/tools
PYTHON := python3
VENV := sdk-python/.venv
# The real YAQL and Jinja2, which the expressions are compared with.
ORACLE := server/crates/expr/tests/oracle
GRPCURL_VERSION := v1.9.3
BUF_VERSION := 1.75.0

.PHONY: help build demo test test-rust test-python test-go test-readme conformance bench bench-million check fmt \
	proto proto-check clean

help:
	@echo "make demo         build, run a real workflow on the embedded database, show it"
	@echo "make test         all tests in all languages"
	@echo "make conformance  replay recorded Mistral runs (AUTAN_CONFORMANCE=folder)"
	@echo "make bench        figures of a release build, one JSON object a line"
	@echo "make bench-million  figures with 1,000,000 finished executions in the database"
	@echo "make check        formatting, lints, generated code"
	@echo "make proto        generate the stubs of all languages from proto/"

build:
	cargo build $(CARGO_SHAPE)

demo: build
	target/debug/demo

test: test-rust test-python test-go test-readme

# The scenarios run through the SDKs of all languages, so they need Python and Go too.
# The tests of the store run on both databases by themselves; those of the whole once for each, the
# second time as they were built for the first.
test-rust: build $(VENV)/installed
	cargo test $(CARGO_SHAPE) --no-fail-fast
	@set -e; built=$$(cargo test $(CARGO_SHAPE) --no-run --message-format=json 2>/dev/null \
		| grep -o '"executable":"[^"]*/e2e-[^"]*"' | cut -d '"' -f 4); \
	test -n "$$built"; cd tests; \
	for tests in $$built; do echo "on PostgreSQL: $$tests"; AUTAN_TEST_DATABASE=postgres $$tests; done

$(VENV)/installed: sdk-python/pyproject.toml $(ORACLE)/requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable 'sdk-python[dev]' -r $(ORACLE)/requirements.txt
	touch $@

test-python: build $(VENV)/installed
	cd sdk-python && AUTAN_BINARY=$(CURDIR)/$(AUTAN) .venv/bin/pytest -q

test-go: build
	@command -v go >/dev/null || { echo "go is missing" >&2; exit 1; }
	cd sdk-go && AUTAN_BINARY=$(CURDIR)/$(AUTAN) go test ./...

$(TOOLS)/grpcurl:
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/fullstorydev/grpcurl/cmd/grpcurl@$(GRPCURL_VERSION)

# The examples of the documents, run as they are printed.
test-readme: build $(VENV)/installed $(TOOLS)/grpcurl
	PATH="$(CURDIR)/$(TOOLS):$(CURDIR)/target/debug:$(CURDIR)/$(VENV)/bin:$$PATH" tests/readme.sh README.md docs/workers.md

conformance: build
	target/debug/conformance

bench:
	cargo build --release --workspace --bins
	AUTAN_BINARY=$(CURDIR)/target/release/autan target/release/bench

# With a database full of finished executions: a quarter of an hour, and 5 GB of disk.
bench-million:
	cargo build --release --workspace --bins
	AUTAN_BINARY=$(CURDIR)/target/release/autan target/release/bench million

check: $(VENV)/installed
	cargo fmt --all --check
	cargo clippy $(CARGO_SHAPE) -- -D warnings
	cd sdk-python && .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy
	$(VENV)/bin/ruff check --config sdk-python/pyproject.toml tests/drivers/python tests/workers/python $(ORACLE)
	$(VENV)/bin/ruff format --check --config sdk-python/pyproject.toml tests/drivers/python tests/workers/python $(ORACLE)
	cd sdk-go && test -z "$$(gofmt -l .)" && go vet ./... && go mod tidy -diff
	cd tests/drivers/go && test -z "$$(gofmt -l .)" && go vet ./... && go mod tidy -diff
	cd tests/workers/go && test -z "$$(gofmt -l .)" && go vet ./... && go mod tidy -diff
	cd proto && npm exec --yes --package=@bufbuild/buf@$(BUF_VERSION) -- buf lint

fmt: $(VENV)/installed
	cargo fmt --all
	cd sdk-python && .venv/bin/ruff format .
	cd sdk-go && gofmt -w .

proto:
	proto/generate.sh

proto-check:
	proto/generate.sh --check

clean:
	cargo clean
	rm -rf $(VENV) sdk-python/.venv-generate
