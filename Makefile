# fraiseqld: build, test, install. Read top to bottom; `make help` lists the targets.
#
# BUILD=release (default), debug, asan, tsan, coverage, fuzz: each has its own
# directory below build/. CC may be gcc or clang (fuzz needs clang).

VERSION := 0.1.0
BUILD   ?= release
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
CC      ?= cc
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(BUILD),fuzz)
CC := clang
endif

O := build/$(BUILD)

# make V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

# --- flags -------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef \
        -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough -Wcast-qual
HARDEN := -fvisibility=hidden -fstack-protector-strong -fPIE
FLAGS_release  := -O2 -g -D_FORTIFY_SOURCE=2
FLAGS_debug    := -O0 -g3 -DDEBUG
FLAGS_asan     := -O1 -g -DDEBUG -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FLAGS_tsan     := -O1 -g -DDEBUG -fsanitize=thread -fno-omit-frame-pointer
FLAGS_coverage := -O0 -g --coverage
FLAGS_fuzz     := -O1 -g -DDEBUG -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LINK_release   := -Wl,-z,relro,-z,now
LINK_fuzz      := -fsanitize=fuzzer,address,undefined

REVISION := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
# Where Debian has it, should it only be installed below.
PG_INC   := $(or $(shell pg_config --includedir 2>/dev/null),/usr/include/postgresql)
CPPFLAGS += -Isrc -I$(O)/gen -D_GNU_SOURCE -DXXH_INLINE_ALL $(addprefix -I,$(PG_INC))
CFLAGS_ALL := -std=gnu11 $(WARN) $(WERROR) $(HARDEN) $(FLAGS_$(BUILD)) -pthread $(CFLAGS)
LDFLAGS_ALL := -pie -pthread $(filter -fsanitize% --coverage,$(FLAGS_$(BUILD))) $(LINK_$(BUILD)) $(LDFLAGS)
LIBS := -lpq -levent_core -levent_pthreads -lyajl -ljwt -lssl -lcrypto -lyaml -lz -lcurl -lm

# --- sources: one archive per folder, in layer order (users before used) -------

LAYERS := commands server jobs execution tracking cache http auth config planner validation pg schema language metrics base
ARCHIVES := $(LAYERS:%=$(O)/lib/%.a)
SOURCES := $(wildcard src/*.c src/*/*.c)
HEADERS := $(wildcard src/*/*.h)
objects = $(patsubst src/%.c,$(O)/obj/%.o,$(wildcard src/$(1)/*.c))

.PHONY: all help clean
all: $(O)/fraiseqld ## build build/fraiseqld
	@[ '$(BUILD)' != release ] || ln -sfn release/fraiseqld build/fraiseqld

build/fraiseqld: all

$(O)/fraiseqld: $(O)/obj/main.o $(ARCHIVES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LIBS)

define archive_rule
$(O)/lib/$(1).a: $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	@$(AR) rcs $$@ $$^
endef
$(foreach layer,$(LAYERS),$(eval $(call archive_rule,$(layer))))

$(O)/obj/%.o: src/%.c | deps-build
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# SQL files become C strings.
SQL_GEN := $(patsubst sql/%.sql,$(O)/gen/sql/%.h,$(wildcard sql/*.sql))
$(O)/gen/sql/%.h: sql/%.sql
	@mkdir -p $(@D)
	@{ printf 'static const char sql_%s[] =\n' '$*'; sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$$/\\n"/' $<; printf ';\n'; } > $@

# Those that `db install` applies: rows of a table, in the order of their names.
$(O)/gen/sql/system.h: $(sort $(wildcard sql/system/*.sql))
	@mkdir -p $(@D)
	@for file in $^; do \
	  printf '{STR_INIT("%s"), STR_INIT(\n' "$${file##*/}"; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$$/\\n"/' $$file; \
	  printf ')},\n'; \
	done > $@
SQL_GEN += $(O)/gen/sql/system.h
$(SOURCES:src/%.c=$(O)/obj/%.o): | $(SQL_GEN)

# GraphiQL is embedded when `make graphiql` has prepared it.
$(O)/gen/graphiql_assets.h: .FORCE-version | $(filter graphiql,$(MAKECMDGOALS))
	@mkdir -p $(@D)
	@if [ -e build/graphiql/assets.h ]; then cat build/graphiql/assets.h; fi > $@.tmp
	@cmp -s $@.tmp $@ 2>/dev/null && rm $@.tmp || mv $@.tmp $@
$(O)/obj/server/graphiql.o: | $(O)/gen/graphiql_assets.h

$(O)/gen/version.h: Makefile .FORCE-version | deps-build
	@mkdir -p $(@D)
	@printf '#define FRAISEQLD_VERSION "%s"\n#define FRAISEQLD_REVISION "%s"\n#define FRAISEQLD_COMPILER "%s"\n' \
	  '$(VERSION)' '$(REVISION)' "$$($(CC) --version | head -n 1)" > $@.tmp
	@cmp -s $@.tmp $@ 2>/dev/null && rm $@.tmp || mv $@.tmp $@
.PHONY: .FORCE-version
.FORCE-version:
$(SOURCES:src/%.c=$(O)/obj/%.o): | $(O)/gen/version.h

-include $(SOURCES:src/%.c=$(O)/obj/%.d)

# --- unit tests: tests/unit/<folder>/<file>_test.c, one program each --------------

UNIT_SOURCES := $(wildcard tests/unit/*/*_test.c)
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=$(O)/unit/%)
after = $(if $(filter $(1),$(firstword $(2))),$(2),$(call after,$(1),$(wordlist 2,99,$(2))))

define unit_folder_rule
$(O)/unit/$(1)/%: tests/unit/$(1)/%.c $(patsubst %,$(O)/lib/%.a,$(call after,$(1),$(LAYERS)))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$(Q)$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS_ALL) -MMD -MP -MF $$@.d $(LDFLAGS_ALL) -o $$@ $$< \
	  -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group -lcmocka $(LIBS)
.PHONY: unit-$(1)
unit-$(1): $(filter $(O)/unit/$(1)/%,$(UNIT_TESTS))
	@set -e; for t in $$^; do CMOCKA_MESSAGE_OUTPUT=$${CMOCKA_MESSAGE_OUTPUT:-stdout} $$$$t; done
endef
$(foreach layer,$(LAYERS),$(eval $(call unit_folder_rule,$(layer))))
-include $(UNIT_TESTS:%=%.d)

.PHONY: unit
unit: $(foreach layer,$(LAYERS),unit-$(layer))

# --- fuzz targets: tests/fuzz/fuzz_<file>.c ---------------------------------------

FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS := $(FUZZ_SOURCES:tests/fuzz/%.c=build/fuzz/%)
ifeq ($(BUILD),fuzz)
build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(ARCHIVES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LIBS)
endif

.PHONY: graphiql
graphiql: build/graphiql/assets.h ## prepare GraphiQL (needs npm), which `make` then builds in
build/graphiql/assets.h: $(wildcard conf/graphiql/* conf/graphiql/.npmrc)
	@tests/support/deps npm
	$(call say,NPM,GraphiQL)
	$(Q)conf/graphiql/build build/graphiql

include tests/test.mk
include packaging/packaging.mk

# --- the rest -------------------------------------------------------------------------

clean: ## remove everything that was built
	rm -rf build

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | column -t -s "$$(printf '\t')"
