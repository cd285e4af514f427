/*
 * fuzz_schemadiff.c - random schemas, as definitions or answers to introspection: nothing has
 * changed between one and itself.
 */
#include "schema/schemadiff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sourcetext source = {STR("f"), str_make((const char *)data, size), SCHEMA_INVALID};
    struct arena *a = arena_new(0);
    struct schemadiff_side before, after;
    struct schema_changes changes;
    struct errors errs;

    errors_init(&errs, a);
    if (schemadiff_read(&source, a, &before, &errs)) {
        CHECK(schemadiff_read(&source, a, &after, &errs));
        schemadiff_compare(&before, &after, a, &changes);
        CHECK(changes.n == 0 && !errors_any(&errs));
    } else {
        CHECK(errs.n > 0 && errs.first->file.len > 0);
    }
    arena_free(a);
    return 0;
}
