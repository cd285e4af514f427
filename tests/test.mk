# Dependencies, tests, lint, fuzzing, demo and bench. Included by the Makefile.

.PHONY: deps-build deps-test
deps-build:
	@:

# --- programs that tests run: tests/support/<name>.c -------------------------------------

$(O)/support/http_echo: tests/support/http_echo.c $(foreach layer,http metrics base,$(O)/lib/$(layer).a)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)
