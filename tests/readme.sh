#!/usr/bin/env bash
# Runs the examples of documents as they are printed, against a fresh server.
#
# A fenced block after a line `<!-- run -->` is run with bash; a block after `<!-- file NAME -->` is
# written to that file first. Addresses of the usual server are replaced by the one started here.
# Needs autan, grpcurl, python (with the SDK), go, jq and node on the PATH.
set -euo pipefail

documents=()
for document in "$@"; do
    grep -q '^<!-- run -->$' "$document" || { echo "no example of $document runs" >&2; exit 1; }
    documents+=("$(realpath "$document")")
done
root=$(realpath "$(dirname "$0")/..")
work=$(mktemp -d)
server=
cleanup() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap cleanup EXIT

for tool in autan grpcurl python go jq node; do
    if ! command -v "$tool" >/dev/null; then
        echo "SKIPPED examples: no $tool" >&2
        [ "${CI:-}" = true ] && exit 1
        exit 0
    fi
done

mkfifo "$work/ready"
autan serve --dev --listen 127.0.0.1:0 --port-file "$work/port" 2> >(tee "$work/log" | grep --line-buffered -m1 'serves on' >"$work/ready"; cat >/dev/null) &
server=$!
# Comes when the server says that it listens, or when it has ended.
read -r _ <"$work/ready" || { cat "$work/log" >&2; exit 1; }
address=$(cat "$work/port")
export AUTAN_SERVER="http://$address" AUTAN_REPOSITORY="$root"

awk -v work="$work" '
    /^<!-- run -->$/ { mode = "run"; next }
    /^<!-- file .* -->$/ { mode = "file"; name = $3; next }
    /^```/ && mode != "" && !inside {
        inside = 1
        if (mode == "run") { name = sprintf("block-%02d.sh", ++count) }
        printf "" > (work "/" name)
        next
    }
    /^```/ && inside { inside = 0; mode = ""; close(work "/" name); next }
    inside { print >> (work "/" name) }
' "${documents[@]}"

count=0
for block in "$work"/block-*.sh; do
    count=$((count + 1))
    sed -i "s/localhost:7233/$address/g" "$block"
    echo "--- $(head -1 "$block")"
    # With a server named in the environment `autan run` would use it; the README shows it without.
    without=
    if grep -q 'autan run' "$block"; then without="-u AUTAN_SERVER"; fi
    # shellcheck disable=SC2086
    (cd "$work" && env $without bash -euo pipefail "$block" >"$work/output" 2>&1) || {
        echo "an example fails:" >&2
        cat "$block" "$work/output" >&2
        exit 1
    }
done
echo "$count examples run"
