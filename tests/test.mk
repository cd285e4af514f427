# Dependencies, tests, lint, fuzzing, demo and bench. Included by the Makefile.

.PHONY: deps-build deps-test
deps-build:
	@:
