/*
 * fixture.h - a schema made of tests/plan/catalog.json, and documents compiled against it.
 *
 * Include it after cmocka.h. The tests run in the project's folder.
 */
#ifndef UNIT_PLANNER_FIXTURE_H
#define UNIT_PLANNER_FIXTURE_H

#include "planner/planner.h"
#include "schema/catalog.h"

struct fixture {
    struct arena *arena;
    struct schema *schema;
    struct errors errs;
};

/* One document with its variables; what fails leaves the rest NULL and errors in the fixture. */
struct compiled {
    const struct operation *operation;
    struct variables variables;
    struct digest skeleton;
    const struct plan *plan;
};

/* A whole file, NUL-terminated; data is NULL if there is none. */
static inline struct str fixture_read(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "r");
    struct buf b;
    struct str s;
    char part[4096];
    size_t n;

    if (f == NULL)
        return str_make(NULL, 0);
    buf_init(&b, 0);
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_append(&b, part, n);
    fclose(f);
    s = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return s;
}

/* sdl: a file with type definitions, or NULL. */
static inline void fixture_init_with(struct fixture *f, const char *sdl)
{
    static const struct schema_claim claims[] = {
        {STR_INIT("tenant_id"), STR_INIT("app.current_tenant_id")},
        {STR_INIT("user_id"),   STR_INIT("app.user_id")          },
    };
    struct schema_options options = schema_options_default();
    struct str catalog;

    f->arena = arena_new(0);
    errors_init(&f->errs, f->arena);
    catalog = fixture_read(f->arena, "tests/plan/catalog.json");
    assert_non_null(catalog.data);
    options.claims = claims;
    options.nclaims = COUNT_OF(claims);
    options.tenancy = true;
    options.tenant_setting = claims[0].setting;
    options.crud = true;
    if (sdl != NULL) {
        options.sdl = fixture_read(f->arena, sdl);
        options.sdl_name = str_of(sdl);
        assert_non_null(options.sdl.data);
    }
    f->schema = schema_from_catalog(catalog, &options, &f->errs);
    for (const struct error *e = f->errs.first; f->schema == NULL && e != NULL; e = e->next)
        print_error("%.*s\n", STR_ARG(e->message));
    assert_non_null(f->schema);
}

static inline void fixture_init(struct fixture *f)
{
    fixture_init_with(f, NULL);
}

static inline void fixture_fini(struct fixture *f)
{
    schema_unref(f->schema);
    arena_free(f->arena);
}

static inline void fixture_compile(struct fixture *f, struct str document, struct str variables,
                                   struct compiled *out)
{
    static const struct parse_limits parse_limits = {1 << 20, 100000, 200};
    static const struct validate_limits validate_limits = {.max_errors = 50};
    static const struct jval_limits json_limits = {64, 100000};
    struct validate_input in = {
        .schema = f->schema,
        .text = document,
        .parse_limits = &parse_limits,
        .limits = &validate_limits,
    };
    const struct jval *given = NULL;

    memset(out, 0, sizeof *out);
    errors_init(&f->errs, f->arena);
    if (variables.len > 0)
        assert_true(jval_parse(variables, &json_limits, f->arena, &given, &f->errs));
    out->operation = validate(&in, &f->errs);
    if (out->operation == NULL ||
        !variables_coerce(out->operation, given, f->arena, &out->variables, &f->errs))
        return;
    out->skeleton = variables_skeleton(out->operation, &out->variables);
    out->plan = planner_compile(out->operation, &out->variables, &f->errs);
}

static inline void compiled_fini(struct compiled *c)
{
    plan_unref(c->plan);
    operation_unref(c->operation);
}

#endif
