# The same verbs for people and for CI. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help deps test-deps build release demo test test-tsan test-asan check-threads check-memory steady \
    build-tests build-thread build-address conformance fuzz failing-calls soak bench docs samples examples format lint clean

VENV := $(or $(LWS_TEST_VENV),.venv)
REQUIREMENTS := Tests/Peers/python/requirements.txt
SOURCES := Package.swift Package@swift-6.0.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources \
    $(wildcard Examples/*/Package.swift Examples/*/Sources Examples/*/Tests)
# The suites in several processes, in each of which one test runs after the other: they count the process's threads and
# descriptors. Options of its own are in Tests/Runner/run.py, as in: make test TEST_OPTIONS='--filter RawServer'
RUN_TESTS := Tests/Runner/run.py
TEST_OPTIONS ?=
# In CI a test that fails is run once more, by itself; the file takes those that passed only then.
ifdef UNSTEADY
RUN_TESTS += --again --unsteady $(UNSTEADY)
endif

ifeq ($(shell uname),Darwin)
LIBRARIES := libwebsockets openssl pkg-config
TEST_SERVER := libwebsockets
PYTHON := python3
FAKETIME :=
else
LIBRARIES := libwebsockets-dev libssl-dev openssl pkg-config
TEST_SERVER := libwebsockets-test-server
PYTHON := python3 python3-venv
# The library that steps a process's clock.
FAKETIME := faketime
endif

help: ## list these targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	    printf 'make %-13s %s\n' "$$name" "$$text"; done

deps: ## install libwebsockets and OpenSSL where they are missing
	@pkg-config --exists 'libwebsockets >= 4.1' openssl 2> /dev/null && command -v openssl > /dev/null || \
	    .ci/install $(LIBRARIES)
	@pkg-config --exists 'libwebsockets >= 4.1' openssl || \
	    { echo 'pkg-config does not find libwebsockets 4.1 or newer, with OpenSSL' >&2; exit 1; }

# The environment is rebuilt where its Python is gone or does not have what the requirements pin.
test-deps: deps ## install the tests' peers: libwebsockets' test server, tinyproxy, nginx, tmux, Python's websockets, Authlib
	@command -v libwebsockets-test-server > /dev/null || .ci/install $(TEST_SERVER)
	@command -v tinyproxy > /dev/null || .ci/install tinyproxy
	@command -v nginx /usr/sbin/nginx > /dev/null || .ci/install nginx
	@command -v tmux > /dev/null || .ci/install tmux
	@command -v openssl > /dev/null || .ci/install openssl
	@[ -z "$(FAKETIME)" ] || command -v faketime > /dev/null || .ci/install $(FAKETIME)
	@python3 -c 'import ensurepip, venv' 2> /dev/null || .ci/install $(PYTHON)
	@$(VENV)/bin/python -c 'import importlib.metadata as m, sys; sys.exit(any(m.version(n) != v for n, v in \
	    (line.strip().split("==") for line in open("$(REQUIREMENTS)") if line[0].isalpha())))' 2> /dev/null || { \
	    echo 'setting up $(VENV)' && python3 -m venv --clear $(VENV) && \
	    $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS); }

build: deps ## build everything
	swift build

release: deps ## build everything as its users do, optimised
	swift build -c release

demo: deps ## build and run the demo
	@swift build --quiet --product lws-demo
	@"$$(swift build --show-bin-path)/lws-demo"

build-tests: test-deps
	swift build --build-tests

test: build-tests ## run all tests
	$(RUN_TESTS) $(TEST_OPTIONS)

# Every race is reported and makes the run fail, and on Linux the address sanitizer looks for leaks as well (libraries
# without instrumentation, such as libwebsockets, are covered by that too). No suppressions are needed; one that becomes
# necessary belongs into a file under Tests/Sanitizers, with the reason next to it. Each sanitizer has a build folder of
# its own, so that switching does not rebuild everything.
#
# Threads that are not joined when the process ends are not reported: a loop ends a second after its last client, and
# may be about to be joined just then. The tests count threads themselves (LeakTests).
#
# What looks at other programs, or at the tests' own tools, is not run a second and a third time, and what counts memory
# not with a sanitizer that takes a multiple of it. The tests of the package's traits are in the build for the thread
# sanitizer alone: all others are built as most users do, without any.
RUN_SANITIZED = $(RUN_TESTS) --jobs 2 --skip '^(LWSCat|Documentation|TestSupport)Tests(?!.Samples/Traits)'
TRAITS := Metrics,Tracing
RUN_thread = TSAN_OPTIONS=report_thread_leaks=0 $(RUN_SANITIZED) --skip LeakTests --sanitize thread --scratch-path .build-tsan
RUN_address = $(RUN_SANITIZED) --sanitize address --scratch-path .build-asan

# The suites in which threads meet: callers, loops, tasks, those who close and those who connect again.
THREADS := '(Async|Mixed|Suspended|Event|Concurrency|LoopGate|Loop|Starvation|FlowControl|Closing|Connecting|Reading|Writing)\w*Tests/' \
    --filter '\.(Answered|Reconnecting|KeepAlive|PingPongHandler|RoundTrip|Release|Signal|ThreadShortage|LostConnection)\w*Tests/' \
    --filter '\.(OAuth2Client|SecureSession|SecureContext|Stopping|Blocking|Semaphore|Metrics|HandshakeTrace)\w*Tests/' \
    --filter '\.Samples/Traits/'
# Those that touch C's memory: the loop, the connection, making it again, compression, faults, TLS and keys, leaks.
MEMORY := '\.\w*(Answered|Fault|Leak|Loop|Connect|Lost|Compress|Release|Fork|Unread|Reset|Refusal|Redirect|Shortage)\w*Tests/' \
    --filter '\.(Secure|Stapled|Revocation|TokenKey|TokenVector|Fuzz|Header|PingBurst|TLS|TextCheck|Frame|Proxy)\w*/'

build-thread: test-deps
	swift build --build-tests --traits $(TRAITS) --sanitize thread --scratch-path .build-tsan

# A library that leaks is loaded into a run of few tests: one that does not fail would find no other leak either.
build-address: test-deps
	swift build --build-tests --sanitize address --scratch-path .build-asan
ifneq ($(shell uname),Darwin)
	@clang -shared -fPIC -O0 -o .build-asan/leak.so Tests/Sanitizers/leak.c
	@! LD_PRELOAD=$(CURDIR)/.build-asan/leak.so swift test --skip-build --disable-xctest --sanitize address \
	    --scratch-path .build-asan --filter CloseFrameTests > .build-asan/leak.log 2>&1 && \
	    grep 'LeakSanitizer: detected' .build-asan/leak.log
endif

test-tsan: build-thread ## run the libraries' tests under the thread sanitizer, with the package's traits on
	$(RUN_thread) $(TEST_OPTIONS)

test-asan: build-address ## run the libraries' tests under the address sanitizer, which looks for leaks as well
	$(RUN_address) $(TEST_OPTIONS)

check-threads: build-thread ## of those the suites in which threads meet, as CI does
	$(RUN_thread) --filter $(THREADS) $(TEST_OPTIONS)

check-memory: build-address ## of those the suites that touch C's memory, as CI does
	$(RUN_address) --filter $(MEMORY) $(TEST_OPTIONS)

# SANITIZE=thread or address: built so. RUNS: how often. LOAD: busy processes beside the tests.
RUNS ?= 10
LOAD ?= 4
RUN_STEADY = Tests/Runner/steady.py --runs $(RUNS) --load $(LOAD)
steady: build-$(or $(SANITIZE),tests) ## run the tests RUNS times under LOAD; which of them fail, and how often
	$(or $(RUN_$(SANITIZE)),$(RUN_TESTS)) $(TEST_OPTIONS)
steady: RUN_TESTS := $(RUN_STEADY)

# CASES='1.*,2.*' runs some of them, and leaves the report as it is.
CASES ?= *
conformance: deps ## run the Autobahn test suite against client and server; a quarter of an hour
	swift build -c release --product lws-conformance
	swift build -c release --product lws-echo-server
	@Tests/Conformance/run.py "$$(swift build -c release --show-bin-path)/lws-conformance" \
	    "$$(swift build -c release --show-bin-path)/lws-echo-server" '$(CASES)'

# The cases are made from the seed, so that a failure can be run again: see Tests/Fuzzing/README.md. libFuzzer, which
# looks for ways through the code by its coverage, has its own main and keeps what it finds in .build-fuzz/corpus.
FUZZ_CASES ?= 1000000
FUZZ_SEED ?= 1
# Seconds of the latter.
FUZZ_TIME ?= 3600
fuzz: deps ## play a million generated cases to the client under the address sanitizer, then libFuzzer's
	swift build -c release --sanitize address --scratch-path .build-fuzz --product lws-fuzz
	.build-fuzz/release/lws-fuzz --cases $(FUZZ_CASES) --seed $(FUZZ_SEED)
	LWS_FUZZ_COVERAGE=1 swift build --sanitize fuzzer --scratch-path .build-fuzz/coverage --product lws-fuzz-coverage
	mkdir -p .build-fuzz/corpus
	.build-fuzz/coverage/debug/lws-fuzz-coverage -max_total_time=$(FUZZ_TIME) -timeout=60 -rss_limit_mb=4096 \
	    -artifact_prefix=.build-fuzz/ .build-fuzz/corpus

failing-calls: build-tests ## have each call of the system, and each piece of memory, fail once; a quarter of an hour
	FAILING_CALLS=all $(RUN_TESTS) --filter FailingCallTests

# Seconds; 600 for the short form.
SOAK ?= 3600
soak: deps ## count every message of 200 clients for an hour, while their servers are killed at random
	swift build -c release --product lws-soak
	swift build -c release --product lws-echo-server
	@"$$(swift build -c release --show-bin-path)/lws-soak" --duration $(SOAK)

# QUICK=1: the short form. ROWS='^send/64$$' (a regular expression): rows by name. The Makefile there says what else there is.
bench: deps ## compare the library with its peers; a quarter of an hour, QUICK=1 for three minutes
	@echo '#include <boost/beast/version.hpp>' | $(CXX) -E -x c++ - > /dev/null 2>&1 || .ci/install libboost-dev
	@python3 -c 'import ensurepip, venv' 2> /dev/null || .ci/install python3 python3-venv
	@$(MAKE) --no-print-directory -C Benchmarks

docs: deps ## build the documentation into .build-docs/site; fails on warnings and on undocumented symbols
	Tests/Documentation/build.sh

samples: ## copy the samples from the tests and examples into the documents that show them
	Tests/Documentation/samples.py --write

# EXAMPLES='PriceFeed EchoChat': only those.
examples: deps ## build the examples and run each to its end
	Examples/run.sh $(EXAMPLES)

format: ## format all Swift files in place
	swift format format --in-place --recursive --parallel $(SOURCES)

lint: ## check formatting and the house rules
	swift format lint --strict --recursive --parallel $(SOURCES)
	Tests/Lint/check.sh
	Tests/Documentation/samples.py

clean: ## remove what building made; .venv stays
	rm -rf .build .build-tsan .build-asan .build-fuzz .build-docs Examples/*/.build
	@$(MAKE) --no-print-directory -C Benchmarks clean
