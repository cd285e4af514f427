# Installation, the manual, and the Debian package. Included by the Makefile.

# --- manual and completion: made from what the program says of itself --------------------------------

MADE := $(O)/made
MANUAL := $(MADE)/fraiseqld.8 $(MADE)/fraiseqld.yaml.5
# Of the last change, so that the same sources make the same pages.
MANUAL_DATE = $(shell if [ -n "$$SOURCE_DATE_EPOCH" ]; then date -u -d "@$$SOURCE_DATE_EPOCH" +%F; \
                      else git log -1 --format=%cs 2>/dev/null || date -u -r NEWS +%F; fi)

.PHONY: manual
manual: $(MANUAL) $(MADE)/completion ## write the manual's pages and bash's completion

$(MANUAL): packaging/manual $(O)/fraiseqld
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)packaging/manual $(O)/fraiseqld $(subst .,,$(suffix $@)) $(MANUAL_DATE) > $@.tmp && mv $@.tmp $@

$(MADE)/completion: packaging/completion $(O)/fraiseqld
	@mkdir -p $(@D)
	$(call say,MAKE,$@)
	$(Q)packaging/completion $(O)/fraiseqld > $@.tmp && mv $@.tmp $@

# --- installation -------------------------------------------------------------------------------------

UNITDIR ?= $(PREFIX)/lib/systemd/system
TO := $(DESTDIR)$(PREFIX)
DOC := $(TO)/share/doc/fraiseqld
SHARE := $(TO)/share/fraiseqld

# Files below a folder, as they are.
under = $(shell find $(wildcard $(1)) -type f 2>/dev/null | LC_ALL=C sort)

.PHONY: install
install: all manual ## install below DESTDIR and PREFIX (/usr/local), the configuration in SYSCONFDIR (/etc)
	$(call say,INST,$(TO))
	$(Q)install -D -m 755 $(O)/fraiseqld $(TO)/bin/fraiseqld
	$(Q)install -D -m 644 -t $(TO)/share/man/man8 $(MADE)/fraiseqld.8
	$(Q)install -D -m 644 -t $(TO)/share/man/man5 $(MADE)/fraiseqld.yaml.5
	$(Q)install -D -m 644 $(MADE)/completion $(TO)/share/bash-completion/completions/fraiseqld
	$(Q)install -D -m 644 -t $(DOC) README.md NEWS LICENSE
	$(Q)install -D -m 644 -t $(DOC)/docs $(wildcard docs/*.md)
	$(Q)install -D -m 644 -t $(DOC)/conf conf/fraiseqld.yaml
	$(Q)for file in $(call under,sql/optional conf/grafana conf/prometheus conf/kubernetes); do \
	  install -D -m 644 "$$file" "$(SHARE)/$${file#conf/}"; \
	done
	$(Q)install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(wildcard systemd/*)
	$(Q)sed -i 's|/usr/bin/fraiseqld|$(PREFIX)/bin/fraiseqld|' $(patsubst systemd/%,$(DESTDIR)$(UNITDIR)/%,$(wildcard systemd/*))
	@# One that an administrator has changed stays.
	$(Q)[ -e $(DESTDIR)$(SYSCONFDIR)/fraiseqld/fraiseqld.yaml ] || \
	  install -D -m 644 conf/fraiseqld.yaml $(DESTDIR)$(SYSCONFDIR)/fraiseqld/fraiseqld.yaml

# --- the Debian package ---------------------------------------------------------------------------------

DEB := build/deb
DEB_REVISION := 1

.PHONY: deb deps-deb
deps-deb: deps-build
	@tests/support/deps deb

deb: all manual | deps-deb ## make build/deb/fraiseqld_VERSION_ARCHITECTURE.deb
	@rm -rf $(DEB)
	@mkdir -p $(DEB)/work
	@cp -R packaging/debian $(DEB)/work/debian
	@sed -e 's/@VERSION@/$(VERSION)-$(DEB_REVISION)/' -e "s/@DATE@/$$(LC_ALL=C date -u -R -d $(MANUAL_DATE))/" \
	  packaging/debian/changelog > $(DEB)/work/debian/changelog
	$(call say,DEB,$(DEB))
	$(Q)cd $(DEB)/work && TOP=$(CURDIR) DEB_RULES_REQUIRES_ROOT=no debian/rules binary $(if $(V),,>../log 2>&1) || \
	  { cat ../log; exit 1; }
