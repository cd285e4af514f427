/*
 * fuzz_yamlfile.c - YAML: entries or exactly one error with a place.
 */
#include "config/yamlfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0);
    struct yamlfile f;
    struct errors errs;

    errors_init(&errs, a);
    if (yamlfile_parse(str_make((const char *)data, size), STR("f"), a, &f, &errs)) {
        CHECK(!errors_any(&errs));
        for (size_t i = 0; i < f.n; i++) {
            CHECK(f.entries[i].key.len > 0 && f.entries[i].at.line > 0);
            CHECK(f.entries[i].kind == YAMLTREE_SCALAR || f.entries[i].text.len == 0);
        }
    } else {
        CHECK(errs.n == 1 && errs.first->file.len > 0);
    }
    arena_free(a);
    return 0;
}
