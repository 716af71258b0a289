#!/usr/bin/env bash
# guest.sh runs the tests that the file `tests` lists on a machine with pure
# cgroup v2: builds them here, static, and runs them as root in a throw-away guest.
# Arguments stand in for the file: guest.sh 'e2e/resource -test.run=Containers'.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

image=$("$here/image.sh")
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT

export CGO_ENABLED=0
go build -trimpath -ldflags '-s -w' -o "$share/workload" ./e2e/workload
if [ $# -gt 0 ]; then printf '%s\n' "$@"; else cat "$here/tests"; fi | grep -v '^#' >"$share/tests"
while read -r package _; do
  mkdir -p "$share/$package"
  go test -c -tags guest -trimpath -ldflags '-s -w' -o "$share/$package/test" "./$package"
  if [ -d "$package/testdata" ]; then cp -r "$package/testdata" "$share/$package/"; fi
done <"$share/tests"
if grep -q '^e2e/kubelet' "$share/tests"; then # a Kubernetes, and what runs beside it
  mkdir "$share/programs"
  go run ./e2e/cluster/programs "$share/programs"
  go build -trimpath -ldflags '-s -w' -o "$share/programs/" ./cmd/resource-exporter ./e2e/ledger/reaper
fi
cp "$here/run.sh" "$share/run"

"$here/boot.sh" "$image" "$share"
