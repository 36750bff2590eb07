#!/bin/sh
# Generates the Go stubs of autan.v1 into internal/pb. With --check, changes nothing and fails if
# the checked-in stubs differ from what the contract gives.
#
# Every version is pinned, so the same contract gives the same bytes: the plugins by the `tool`
# lines of go.mod, protoc by the line below. protoc comes inside the Python package grpcio-tools,
# which is installed once into a private environment in the user's cache; nothing else is needed
# but Go and Python 3.
set -eu

grpcio_tools=1.76.0
setuptools=80.9.0

here=$(cd "$(dirname "$0")" && pwd)
contract=$here/../proto
tools=${XDG_CACHE_HOME:-$HOME/.cache}/autan/protoc-$grpcio_tools
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if ! "$tools/bin/python" -c 'import grpc_tools.protoc, pkg_resources' 2>/dev/null; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    # grpc_tools reads its bundled .proto files through pkg_resources, part of setuptools.
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: \
        "grpcio-tools==$grpcio_tools" "setuptools==$setuptools"
fi

(cd "$here" && go build -o "$scratch/bin/" \
    google.golang.org/protobuf/cmd/protoc-gen-go \
    google.golang.org/grpc/cmd/protoc-gen-go-grpc)

mkdir "$scratch/pb"
(cd "$contract" && "$tools/bin/python" -W ignore -m grpc_tools.protoc \
    --proto_path=. \
    --plugin="protoc-gen-go=$scratch/bin/protoc-gen-go" \
    --plugin="protoc-gen-go-grpc=$scratch/bin/protoc-gen-go-grpc" \
    --go_out="$scratch/pb" --go_opt=paths=source_relative \
    --go-grpc_out="$scratch/pb" --go-grpc_opt=paths=source_relative \
    autan/v1/*.proto)

case ${1:-} in
--check)
    diff -r "$scratch/pb" "$here/internal/pb" || {
        echo "sdk-go/internal/pb is not what the contract gives: run sdk-go/generate.sh" >&2
        exit 1
    }
    ;;
"")
    rm -rf "$here/internal/pb"
    mkdir -p "$here/internal"
    cp -R "$scratch/pb" "$here/internal/pb"
    ;;
*)
    echo "usage: generate.sh [--check]" >&2
    exit 2
    ;;
esac
