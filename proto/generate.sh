#!/bin/sh
# Generates everything that is made from the .proto files: the Rust stubs and the descriptor set,
# then the stubs of the other SDKs. With --check it fails if that changed a file, which means that
# someone edited the contract without generating, or generated code by hand.
set -eu

check=false
case "${1:-}" in
'') ;;
--check) check=true ;;
*)
    echo "usage: $0 [--check]" >&2
    exit 2
    ;;
esac

cd "$(dirname "$0")/.."

echo "generate: rust" >&2
cargo run --quiet --package proto-generate

for sdk in sdk-python sdk-go; do
    if [ -f "$sdk/generate.sh" ]; then
        echo "generate: $sdk" >&2
        sh "$sdk/generate.sh"
    fi
done

if "$check"; then
    # Each SDK names its generated folders here; an untracked file in one is drift, too.
    drift=$(git status --porcelain -- proto/src/gen proto/descriptor.binpb \
        sdk-python sdk-go | grep -E 'proto/|/_proto/|/pb/|_pb2|\.pb\.go' || true)
    if [ -n "$drift" ]; then
        echo "generated code differs from what is checked in:" >&2
        echo "$drift" >&2
        git --no-pager diff --stat -- proto sdk-python sdk-go >&2
        exit 1
    fi
fi
