# Landline. Two commands are enough: "make run" and "make test". "make help" lists the rest.

BIN     := bin/landline
NPM     := npm --prefix web
WEBSRC  := $(shell find web/app web/sdk web/examples web/public web/index.html web/vite.config.ts web/tsconfig.json -type f 2>/dev/null)
FUZZ    ?= 20s
ADDR    ?= 127.0.0.1:8080
IMPAIR  ?= 1m
# How long a scenario of impair runs: LANDLINE_LONG in the environment says ten minutes.
LINKS   := $(if $(LANDLINE_LONG),,LANDLINE_IMPAIR=$(IMPAIR))

.DEFAULT_GOAL := help
.PHONY: help run build web test test-go test-web e2e lint bench fuzz fuzz-long latency loss impair impair-netns kill-recordings bad-disks figures setup clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set up, build and serve on 127.0.0.1:8080 (ADDR=... for another address)
	$(BIN) serve --listen $(ADDR)

build: web ## build the binary, browser app included, into bin/
	go build -trimpath -o $(BIN) ./cmd/landline

web: web/dist/app/index.html ## build the browser app into web/dist/app

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	$(NPM) ci --no-audit --no-fund
	@touch $@

web/dist/app/index.html: web/node_modules/.package-lock.json $(WEBSRC)
	$(NPM) run build
	@touch $@

setup: ## install what the tests need (Chromium, ffmpeg) through apt, if it is missing
	.ci/setup

test: setup build ## run every test: Go with race, TypeScript, end to end
	.ci/test

test-go: web ## run the Go tests with the race detector
	go test -race ./...

test-web: web/node_modules/.package-lock.json ## type-check and run the TypeScript tests
	$(NPM) run check
	$(NPM) test

e2e: setup build ## run the end-to-end tests in Chromium
	$(NPM) run e2e

latency: setup build ## measure latencies and playout in Chromium against the exact goals, on a calm machine
	LANDLINE_LONG=1 $(NPM) run e2e -- latency playout

loss: setup build ## measure sound and picture by WHIP and WHEP in Chromium where datagrams are lost, a minute for each path, on a calm machine
	LANDLINE_LONG=1 $(NPM) run e2e -- loss

impair: ## measure calls over bad links, IMPAIR=1m each; LANDLINE_LONG=1: ten minutes; LANDLINE_FIGURES=docs/figures keeps the figures
	$(LINKS) go test -count=1 -parallel 1 -timeout 60m -run '^TestLinks' -v ./cmd/landline

impair-netns: ## the same over the queues of the Linux kernel, in network namespaces; needs root or user namespaces
	go test -c -tags netns -o bin/netns.test ./cmd/landline
	@enter="unshare --net"; [ "$$(id -u)" = 0 ] || enter="unshare --map-root-user --net"; \
	if ! $$enter true; then echo "skipped: no network namespace can be made ($$enter)"; exit 0; fi; \
	cd cmd/landline && $(LINKS) LANDLINE_NETNS=1 $$enter ../../bin/netns.test -test.timeout 60m -test.run '^TestNetns' -test.v

kill-recordings: ## kill the relay a hundred times while it records, and play what is left
	LANDLINE_KILLS=100 go test -count=1 -timeout 60m -run '^TestRecordingSurvivesKills$$' -v ./cmd/landline

bad-disks: ## record onto a full disk and onto one that stands still, on a calm machine as root: nobody in the room may hear anything later
	LANDLINE_LONG=1 go test -count=1 -timeout 10m -run '^TestADisk(OfEightMegabytesIsFull|StandsStill)$$' -v ./cmd/landline

lint: web/node_modules/.package-lock.json ## gofmt, vet, staticcheck, tsc
	@test -z "$$(gofmt -l cmd media relay signaling web/*.go)" || { gofmt -l cmd media relay signaling web/*.go; echo "gofmt would change these files"; exit 1; }
	go vet -tags netns ./...
	go tool staticcheck -tags netns ./...
	$(NPM) run check

bench: ## run the Go benchmarks of parsing, queues and fan-out, with allocations
	go test -run '^$$' -bench . -benchmem ./media ./relay ./signaling/...

fuzz: ## fuzz every target for a short while (FUZZ=20s each)
	.ci/fuzz $(FUZZ)

fuzz-long: ## fuzz every target for ten minutes each
	.ci/fuzz 10m

figures: build ## measure again what the docs quote of landline bench, into docs/figures (a calm machine, six minutes)
	.ci/figures

clean: ## remove what was built
	rm -rf bin web/dist/app web/node_modules web/test-results
