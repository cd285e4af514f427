/*
 * document.h - what the tests of src/schema share: a schema from a document in a file or a literal.
 */
#ifndef TESTS_SCHEMA_DOCUMENT_H
#define TESTS_SCHEMA_DOCUMENT_H

#include "base/buf.h"
#include "schema/catalog.h"

/* A file beside this one; tests run in the project's directory. Free with buf_fini(). */
static inline struct buf document_read(const char *name)
{
    char path[200], chunk[4096];
    struct buf b;
    size_t n;
    FILE *f;

    buf_init(&b, 0);
    snprintf(path, sizeof(path), "tests/unit/schema/%s", name);
    f = fopen(path, "rb");
    CHECK(f != NULL);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_append(&b, chunk, n);
    fclose(f);
    return b;
}

static inline struct schema *document_schema(struct str json, struct arena *a, struct errors *errs)
{
    struct schema_options opt = schema_options_default();

    errors_init(errs, a);
    return schema_from_catalog(json, &opt, errs);
}

static inline struct schema *document_schema_of_file(const char *name, struct arena *a,
                                                     struct errors *errs)
{
    struct buf b = document_read(name);
    struct schema *s = document_schema(buf_str(&b), a, errs);

    buf_fini(&b);
    return s;
}

static inline const struct field *document_field(const struct schema *s, const char *type,
                                                 const char *field)
{
    const struct type *t = schema_type(s, str_of(type));

    return t ? schema_field(s, t, str_of(field)) : NULL;
}

/* As in the schema definition language; lives in the arena. */
static inline const char *document_type_text(struct type_ref r, struct arena *a)
{
    struct buf b;
    struct str text;

    buf_init(&b, 0);
    type_ref_print(r, &b);
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text.data;
}

#endif
