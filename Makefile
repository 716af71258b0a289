# `make up` shows this machine's containers, `make test` proves that it works.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/prometheus/common/version.Version=$(VERSION)
TOOL := go tool -modfile=tools/go.mod
JSONNET := $(shell find jsonnet -name '*sonnet' -type f)
ARGS ?=
FUZZTIME ?= 1m
OBSERVED ?= 2m
STARTS ?= 1000

.PHONY: up build test e2e cluster guest soak bench lint generate page deps clean

## up: build and run the main job; ARGS are further flags
up: build/loadline
	./build/loadline up $(ARGS)

## build: all commands, into build/
build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/ ./cmd/...

.PHONY: build/loadline
build/loadline:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/ ./cmd/loadline

## test: everything but the long ones, on real containerd, Docker and Chromium
test: deps
	go test -race -timeout 20m ./...

## e2e: the tests on a real Kubernetes, which carry the build tag e2e; its programs are built into the
## user's cache, once for each version
e2e: deps
	go test -tags e2e -race -p 1 -timeout 60m $$(grep -rl --include=*_test.go '^//go:build e2e' e2e | xargs -n 1 dirname | sort -u | sed 's|^|./|')

## cluster: a Kubernetes that stays up until it is interrupted; CLUSTER='-nodes 2' are further flags
cluster: deps
	go test -tags e2e -timeout 0 -v -run '^TestTheClusterStaysUpUntilItIsInterrupted$$' ./e2e/cluster -keep $(CLUSTER)

## guest: the tests of e2e/guest/tests in a virtual machine with pure cgroup v2; GUEST names others
guest:
	@e2e/deps.sh guest
	e2e/guest/guest.sh $(if $(GUEST),'$(GUEST)')

## soak: the long ones: a thousand containers that come and go, each fuzz target for FUZZTIME (30m
## before a release), the whole test three times
soak: deps
	go test -timeout 60m -run GoneContainers ./e2e/soak -v -starts $(STARTS)
	@for file in $$(grep -rl --include=*_test.go '^func Fuzz' .); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
			echo "$$target in $$(dirname $$file)"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -timeout 0 $$(dirname $$file); \
		done; \
	done
	go test -race -count=3 -timeout 60m ./...

## bench: the figures of docs/benchmarks.md, those beside node_exporter and cAdvisor written into it;
## OBSERVED is how long each program is watched
bench: deps
	go test -run '^$$' -bench Resource -timeout 90m ./e2e/bench -observed $(OBSERVED) -update -profile
	go test -run '^$$' -bench Orchestrator -timeout 90m ./e2e/scale -observed $(OBSERVED) -update
	go test -run '^$$' -bench Mixins -timeout 60m ./internal/mixin -update
	go test -run '^$$' -bench . -benchmem -timeout 30m ./exporters/... $$(go list ./internal/... | grep -v /internal/mixin) ./e2e/footprint

## lint: formatting, vet, staticcheck, revive (every exported name is documented), jsonnet's, Perses' types,
## promtool's metric lint
lint:
	@unformatted=$$(gofmt -l cmd exporters internal e2e tools); \
	if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted"; exit 1; fi
	go mod tidy -diff
	go vet ./...
	go vet -tags e2e,guest ./e2e/...
	$(TOOL) staticcheck -tags e2e,guest ./...
	$(TOOL) revive -config revive.toml ./...
	$(TOOL) jsonnetfmt --test $(JSONNET)
	$(TOOL) jsonnet-lint $(JSONNET)
	go run -C tools/persescheck . ../../dashboards/perses
	go test -run 'Promise/loadline_metrics_have_no_lint_problem' ./exporters/...

## generate: what is made of the families' tables and of jsonnet/; a test fails when it is stale
generate:
	go test ./internal/docs -run Reference -update
	go test ./internal/mixin -run Current -update

## page: the dashboards' page, as it is embedded, by Node; a test fails when it is stale
page: deps
	go test ./dashboards/page -run Current -update

## deps: what the tests run; installed on Debian as root, else named
deps:
	@e2e/deps.sh

clean:
	rm -rf build
