/*
 * fuzz_sdlfile.c - random files of type definitions: a schema, or errors each with a place.
 *
 * What is accepted, printed as such a file, makes the same schema again.
 */
#include "schema/catalog.h"
#include "schema/sdlprint.h"

#define CATALOG "tests/unit/schema/demo.json"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str catalog(void)
{
    static struct buf text;
    FILE *f = text.len > 0 ? NULL : fopen(CATALOG, "r");
    char part[4096];
    size_t n;

    if (f == NULL)
        return buf_str(&text);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_append(&text, part, n);
    fclose(f);
    return buf_str(&text);
}

static struct schema *build(struct str sdl, struct errors *errs)
{
    struct schema_options options = schema_options_default();

    options.sdl = sdl;
    options.sdl_name = STR("f");
    return schema_from_catalog(catalog(), &options, errs);
}

static void check_again(const struct schema *s, struct arena *a)
{
    struct buf file = {0}, before = {0}, after = {0};
    struct errors errs;
    struct schema *again;

    errors_init(&errs, a);
    schema_print_source(s, &file);
    again = build(buf_str(&file), &errs);
    for (const struct error *e = errs.first; e != NULL; e = e->next)
        fprintf(stderr, "%.*s: %.*s\n", STR_ARG(e->file), STR_ARG(e->message));
    CHECK(again != NULL);
    schema_print(s, &before);
    schema_print(again, &after);
    CHECK(str_eq(buf_str(&before), buf_str(&after)));
    schema_unref(again);
    buf_fini(&file);
    buf_fini(&before);
    buf_fini(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    struct schema *s;

    errors_init(&errs, a);
    s = build(str_make((const char *)data, size), &errs);
    CHECK((s == NULL) == errors_any(&errs));
    for (const struct error *e = errs.first; e != NULL; e = e->next)
        CHECK(e->code == SCHEMA_INVALID);
    if (s != NULL)
        check_again(s, a);
    schema_unref(s);
    arena_free(a);
    return 0;
}
