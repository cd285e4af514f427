/*
 * fuzz_parser.c - parse, print, parse, print: the two prints are the same bytes.
 *
 * The first byte chooses the entry point, the rest is the document.
 */
#include "base/buf.h"
#include "language/parser.h"
#include "language/printer.h"

static const struct parse_limits limits = {
    .max_bytes = 1 << 16, .max_tokens = 5000, .max_depth = 100};

static bool parse(struct str text, bool schema, struct arena *a, const struct ast_document **out)
{
    struct errors errs;
    bool ok;

    errors_init(&errs, a);
    ok = schema ? parser_parse_schema(text, &limits, a, out, &errs)
                : parser_parse(text, &limits, a, out, &errs);
    CHECK(ok == !errors_any(&errs));
    CHECK(ok || errs.first->nlocations == 1 || errs.first->code == QUERY_TOO_COMPLEX);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a;
    const struct ast_document *doc, *again;
    struct buf first, second;
    bool schema;

    if (size == 0)
        return 0;
    schema = data[0] & 1;
    a = arena_new(0);
    buf_init(&first, 0);
    buf_init(&second, 0);
    if (parse(str_make((const char *)data + 1, size - 1), schema, a, &doc)) {
        printer_canonical(doc, &first);
        /* Escapes may make it longer than the limit on bytes. */
        if (first.len <= limits.max_bytes) {
            CHECK(parse(buf_str(&first), schema, a, &again));
            CHECK(again->noperations == doc->noperations && again->nfragments == doc->nfragments);
            printer_canonical(again, &second);
            CHECK(str_eq(buf_str(&first), buf_str(&second)));
        }
    }
    buf_fini(&first);
    buf_fini(&second);
    arena_free(a);
    return 0;
}
