/*
 * fuzz_annotations.c - random comments: annotations, or errors each with a place in the comment.
 */
#include "schema/annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str comment = str_make((const char *)data, size);
    struct arena *a = arena_new(0);
    struct errors errs;

    errors_init(&errs, a);
    (void)annotations_type(comment, STR("a type"), a, &errs);
    (void)annotations_field(comment, STR("a column"), a, &errs);
    (void)annotations_function(comment, STR("a function"), a, &errs);
    for (const struct error *e = errs.first; e != NULL; e = e->next)
        CHECK(e->code == SCHEMA_INVALID && e->file.len > 0 && e->nlocations == 1);
    arena_free(a);
    return 0;
}
