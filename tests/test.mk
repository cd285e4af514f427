# Dependencies, tests, lint, fuzzing, demo and bench. Included by the Makefile.

# --- dependencies: what is there is left alone ---------------------------------------------

.PHONY: deps-build deps-test
deps-build: ## install what the build needs (Debian), if it is not there
	@tests/support/deps build

deps-test: deps-build ## install what the tests need (Debian), if it is not there
	@tests/support/deps test

NPM_TESTS := tests/node_modules/.package-lock.json
NPM_CLIENTS := tests/clients/node_modules/.package-lock.json
NPM_KUBERNETES := tests/kubernetes/node_modules/.package-lock.json
NPM_PEERS := $(patsubst %/package.json,%/node_modules/.package-lock.json,$(wildcard bench/peers/*/package.json))
$(NPM_TESTS) $(NPM_CLIENTS) $(NPM_KUBERNETES) $(NPM_PEERS): %/node_modules/.package-lock.json: %/package-lock.json | deps-test
	@cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# --- programs ----------------------------------------------------------------------------------

$(UNIT_TESTS) $(FUZZERS): | deps-test

# Programs that tests start besides the daemon.
SUPPORT_PROGRAMS := $(addprefix $(O)/support/,http_echo datagrams freeze handover)
$(O)/support/%: tests/support/%.c $(foreach layer,http metrics base,$(O)/lib/$(layer).a)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# What is preloaded.
SUPPORT_PROGRAMS += $(O)/support/clockjump.so
$(O)/support/clockjump.so: tests/support/clockjump.c
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -O2 -Wall -Wextra -fPIC -shared -o $@ $< -ldl

# What graphql-js is compared with.
DRIVER := $(O)/differential/driver
$(DRIVER): tests/differential/driver.c tests/unit/validation/test_schema.h $(foreach layer,validation schema language metrics base,$(O)/lib/$(layer).a)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

.PHONY: archives unit-programs support-programs fuzz-programs
archives: $(ARCHIVES)
support-programs: $(SUPPORT_PROGRAMS) $(DRIVER)
unit-programs: $(UNIT_TESTS)
fuzz-programs: $(FUZZERS)

# --- tests ----------------------------------------------------------------------------------------

# Threads are what these are about; the other units' tests have only one.
TSAN_FOLDERS := base http pg metrics cache server
E2E_TSAN := $(wildcard $(addprefix tests/e2e/,isolation.test.mjs lifecycle.test.mjs config_reload.test.mjs tls.test.mjs replicas.test.mjs cancel.test.mjs limits.test.mjs http_*.test.mjs))
# All end-to-end tests run under ASan and UBSan; these, about load, time and races, also at the speed of a release.
E2E_RELEASE := $(wildcard $(addprefix tests/e2e/,cache_isolation.test.mjs crud_isolation.test.mjs ddl_storm.test.mjs first_light.test.mjs isolation.test.mjs \
  jobs.test.mjs lifecycle.test.mjs limits.test.mjs persisted_table.test.mjs pgbouncer.test.mjs rolling.test.mjs round_trips.test.mjs turbo.test.mjs))
FUZZ_SECONDS ?= 60
JOBS ?= 2

unit_of = $(filter $(addprefix build/$(1)/unit/,$(addsuffix /%,$(2))),$(UNIT_SOURCES:tests/unit/%.c=build/$(1)/unit/%))
SUB := $(MAKE) --no-print-directory -j$(JOBS)

# Code that does not compile ends it before anything is said to be tested.
.PHONY: test check
test: deps-test graphiql $(NPM_TESTS) $(NPM_CLIENTS) $(NPM_KUBERNETES) ## run every test; the last line counts them
	@mkdir -p build/test-logs
	@for build in release asan tsan fuzz; do \
	  case $$build in fuzz) goals=fuzz-programs ;; release) goals='all support-programs' ;; *) goals='all unit-programs support-programs' ;; esac; \
	  echo "building $$build"; \
	  $(SUB) BUILD=$$build $$goals >build/test-logs/build-$$build.log 2>&1 || \
	    { cat build/test-logs/build-$$build.log; echo '0 passed, 1 failed'; exit 1; }; \
	done
	@MAKE='$(MAKE)' \
	  UNIT_ASAN='$(UNIT_SOURCES:tests/unit/%.c=build/asan/unit/%)' \
	  UNIT_TSAN='$(call unit_of,tsan,$(TSAN_FOLDERS))' \
	  E2E_RELEASE='$(E2E_RELEASE)' E2E_TSAN='$(E2E_TSAN)' FUZZERS='$(FUZZERS)' FUZZ_SECONDS='$(if $(filter file,$(origin FUZZ_SECONDS)),10,$(FUZZ_SECONDS))' \
	  tests/support/suite $(STEPS)

check: test ## the same as test

.PHONY: differential
differential: $(DRIVER) $(NPM_TESTS) ## compare what is accepted with graphql-js (SEEDS, DOCUMENTS)
	@node tests/differential/run.mjs $(DRIVER) $(SEEDS)

.PHONY: sql e2e fault guard clients monitoring packaging container kubernetes case-study lint format
sql: deps-test ## run the tests in SQL
	@tests/sql/run

e2e: all support-programs $(NPM_TESTS) ## run the end-to-end tests with the binary of BUILD
	@FRAISEQLD=$(CURDIR)/$(O)/fraiseqld tests/e2e/run $(E2E)

fault: all support-programs $(NPM_TESTS) ## kill, freeze, promote and fill what the daemon needs; cut its link to the database (FAULT_OFFSETS=all: at every byte)
	@FRAISEQLD=$(CURDIR)/$(O)/fraiseqld tests/e2e/run $(wildcard tests/fault/*.test.mjs)

guard: all $(NPM_TESTS) ## break what keeps tenants apart, in one place at a time (make test: a sixteenth a day): a test has to notice each
	@node tests/guard/run.mjs $(BREAKS)

clients: graphiql $(NPM_TESTS) $(NPM_CLIENTS) ## run the tests with clients people use, and with a browser
	@$(SUB) all
	@FRAISEQLD=$(CURDIR)/$(O)/fraiseqld tests/e2e/run $(or $(CLIENTS),$(wildcard tests/clients/*.test.mjs))

monitoring: all $(NPM_TESTS) ## run the daemon under a real Prometheus, the alert rules, and every query of the dashboards
	@FRAISEQLD=$(CURDIR)/$(O)/fraiseqld tests/e2e/run $(or $(MONITORING),$(wildcard tests/monitoring/*.test.mjs))

packaging: all support-programs $(NPM_TESTS) ## test what is installed: layout, units and their sandbox, manual, completion, Debian package
	@FRAISEQLD=$(CURDIR)/$(O)/fraiseqld tests/e2e/run $(or $(PACKAGING),$(wildcard tests/packaging/*.test.mjs))

container: support-programs $(NPM_TESTS) ## build the images of the Dockerfile from Debian's packages, and run them (as root)
	@tests/support/deps container
	@$(SUB) all
	@FRAISEQLD=$(CURDIR)/$(O)/fraiseqld tests/e2e/run $(or $(CONTAINER),$(wildcard tests/container/*.test.mjs))

kubernetes: all $(NPM_TESTS) $(NPM_KUBERNETES) ## build the manifests with kubectl, check them against the types of Kubernetes and against the daemon
	@FRAISEQLD=$(CURDIR)/$(O)/fraiseqld tests/e2e/run $(wildcard tests/kubernetes/*.test.mjs)

case-study: all $(NPM_TESTS) ## run every SQL statement of the case study, as it is written there
	@FRAISEQLD=$(CURDIR)/$(O)/fraiseqld tests/e2e/run tests/case_study/*.test.mjs

lint: deps-test archives ## check layers, confinement of libraries, sizes, names, format, scripts
	@tests/lint/run $(ARCHIVES)

format: ## put the code into the form of .clang-format
	@clang-format -i src/*.[ch] src/*/*.[ch] $(wildcard tests/unit/*.[ch] tests/unit/*/*.[ch] tests/fuzz/*.[ch] tests/differential/*.[ch] bench/*.[ch])

.PHONY: fuzz
fuzz: deps-test ## build the fuzz targets and run each for FUZZ_SECONDS
	@$(SUB) BUILD=fuzz fuzz-programs
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

# --- demo, bench ---------------------------------------------------------------------

.PHONY: run soak bench bench-cache bench-errors bench-instructions bench-peers bench-parse bench-schema
run: deps-test graphiql ## serve the demo from a database of its own until interrupted
	@$(SUB) all
	@FRAISEQLD=$(CURDIR)/$(O)/fraiseqld sql/demo/run

bench: all deps-test ## measure, and compare with the yardstick
	@bench/run

soak: all deps-test ## half an hour at 70 % of what the daemon can do: nothing fails, nothing grows (SOAK_SECONDS=1800)
	@bench/soak --daemon $(CURDIR)/$(O)/fraiseqld --seconds $(or $(SOAK_SECONDS),1800)

bench-instructions: all deps-test ## count the daemon's instructions a request; 1 when they have grown (KEEP=1: keep them)
	@tests/support/deps bench
	@bench/instructions --daemon $(CURDIR)/$(O)/fraiseqld $(if $(KEEP),--keep)

bench-cache: all deps-test ## measure the result cache: 2.1 million answers, isolation, a simulated day (needs node; half an hour)
	@bench/cache --daemon $(CURDIR)/$(O)/fraiseqld

bench-errors: all deps-test ## measure the error log: its queries at 5 million occurrences, and recording under a storm (needs node)
	@bench/errors --daemon $(CURDIR)/$(O)/fraiseqld

bench-peers: all deps-test $(NPM_PEERS) ## measure beside Mercurius and PostGraphile (needs npm)
	@bench/peers/run --daemon $(CURDIR)/$(O)/fraiseqld

bench-parse: $(DRIVER) ## measure parsing and validation alone
	@bench/parse $(DRIVER)

bench-schema: all deps-test ## measure loading 1,000 and 5,000 tables
	@bench/schema $(CURDIR)/$(O)/fraiseqld
