/*
 * fuzz_jval.c - JSON: what is accepted is written, read again, and written the same.
 */
#include "base/jval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct jval_limits limits = {.max_depth = 64, .max_values = 10000};
    struct arena *a = arena_new(0);
    struct buf once = {0}, twice = {0};
    const struct jval *v;
    struct errors errs;

    errors_init(&errs, a);
    if (jval_parse(str_make((const char *)data, size), &limits, a, &v, &errs)) {
        CHECK(!errors_any(&errs));
        jval_write(v, &once);
        CHECK(jval_parse(buf_str(&once), &limits, a, &v, &errs));
        jval_write(v, &twice);
        CHECK(str_eq(buf_str(&once), buf_str(&twice)));
        CHECK(str_is_utf8(buf_str(&once)));
    } else {
        CHECK(errs.n == 1);
    }
    buf_fini(&once);
    buf_fini(&twice);
    arena_free(a);
    return 0;
}
