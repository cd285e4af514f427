/*
 * sdldirective.c - directives of the SDL file to a structure.
 *
 * Thread:   one at a time.
 * Memory:   in the reader's arena.
 * Not here: definitions (sdlfile.c).
 */
#include "schema/sdldirective.h"

#include "language/source.h"
#include "schema/authrule.h"

#define MAX_WEIGHT 1000000

enum argument_form {
    ARGUMENT_TEXT,  /* struct said */
    ARGUMENT_LIST,  /* struct said_list; one text is a list of it */
    ARGUMENT_COUNT, /* unsigned, from 1 */
    ARGUMENT_TTL,   /* struct said_ttl, in seconds */
};

/* Directives, where they may stand, and why they are refused wherever they stand. */
static const struct directive_row {
    struct str name;
    unsigned where;
    const char *refused;
} directives[] = {
    {STR_INIT("source"),      ON_OBJECT,                                                       NULL},
    {STR_INIT("column"),      ON_FIELD_DEFINITION | ON_INPUT_FIELD_DEFINITION,                 NULL},
    {STR_INIT("relation"),    ON_FIELD_DEFINITION,                                             NULL},
    {STR_INIT("function"),    ON_FIELD_DEFINITION,                                             NULL},
    {STR_INIT("tenant"),      ON_OBJECT,                                                       NULL},
    {STR_INIT("cost"),        ON_FIELD_DEFINITION,                                             NULL},
    {STR_INIT("hide"),        ON_OBJECT | ON_FIELD_DEFINITION,                                 NULL},
    {STR_INIT("deprecated"),  ON_FIELD_DEFINITION | ON_INPUT_FIELD_DEFINITION | ON_ENUM_VALUE, NULL},
    {STR_INIT("specifiedBy"), ON_SCALAR,                                                       NULL},
    {STR_INIT("oneOf"),       ON_INPUT_OBJECT,                                                 NULL},
    {STR_INIT("cache"),       ON_OBJECT | ON_FIELD_DEFINITION,                                 NULL},
    {STR_INIT("auth"),        ON_OBJECT | ON_FIELD_DEFINITION,                                 NULL},
};

/* Arguments of directives, and members of struct sdl_directives. */
static const struct argument_row {
    struct str directive;
    struct str name;
    enum argument_form form;
    bool required;
    size_t offset;
} arguments[] = {
  /* clang-format off */
    {STR_INIT("source"), STR_INIT("relation"), ARGUMENT_TEXT, true, offsetof(struct sdl_directives, relation)},
    {STR_INIT("source"), STR_INIT("column"), ARGUMENT_TEXT, false, offsetof(struct sdl_directives, document)},
    {STR_INIT("source"), STR_INIT("key"), ARGUMENT_LIST, false, offsetof(struct sdl_directives, key)},
    {STR_INIT("column"), STR_INIT("name"), ARGUMENT_TEXT, true, offsetof(struct sdl_directives, column)},
    {STR_INIT("relation"), STR_INIT("on"), ARGUMENT_LIST, true, offsetof(struct sdl_directives, on)},
    {STR_INIT("function"), STR_INIT("name"), ARGUMENT_TEXT, true, offsetof(struct sdl_directives, function)},
    {STR_INIT("function"), STR_INIT("context"), ARGUMENT_LIST, false, offsetof(struct sdl_directives, context)},
    {STR_INIT("function"), STR_INIT("invalidates"), ARGUMENT_LIST, false, offsetof(struct sdl_directives, invalidates)},
    {STR_INIT("tenant"), STR_INIT("column"), ARGUMENT_TEXT, true, offsetof(struct sdl_directives, tenant)},
    {STR_INIT("cost"), STR_INIT("weight"), ARGUMENT_COUNT, true, offsetof(struct sdl_directives, weight)},
    {STR_INIT("cache"), STR_INIT("ttl"), ARGUMENT_TTL, true, offsetof(struct sdl_directives, cache)},
    {STR_INIT("auth"), STR_INIT("roles"), ARGUMENT_LIST, false, offsetof(struct sdl_directives, auth.roles)},
    {STR_INIT("auth"), STR_INIT("scopes"), ARGUMENT_LIST, false, offsetof(struct sdl_directives, auth.scopes)},
    {STR_INIT("deprecated"), STR_INIT("reason"), ARGUMENT_TEXT, false, offsetof(struct sdl_directives, deprecated)},
    {STR_INIT("specifiedBy"), STR_INIT("url"), ARGUMENT_TEXT, true, SIZE_MAX},
  /* clang-format on */
};

/* Everything has a place, so finding one must not mean reading the file. */
void sdl_reader_start(struct sdl_reader *r)
{
    struct str text = r->source->text;
    struct {
        uint32_t *items;
        size_t n, cap;
    } lines = {0};

    VEC_PUSH(r->arena, &lines, 0);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\n' ||
            (text.data[i] == '\r' && !(i + 1 < text.len && text.data[i + 1] == '\n')))
            VEC_PUSH(r->arena, &lines, (uint32_t)i + 1);
    r->lines = lines.items;
    r->nlines = lines.n;
}

struct place sdl_place(const struct sdl_reader *r, uint32_t offset)
{
    size_t low = 0, high = r->nlines;
    struct location at;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (r->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    at = source_location(str_sub(r->source->text, r->lines[low], SIZE_MAX), offset - r->lines[low]);
    return (struct place){
        r->source, {(uint32_t)low + 1, at.column}
    };
}

static const struct directive_row *find_directive(struct str name)
{
    size_t i;

    for (i = 0; i < COUNT_OF(directives); i++)
        if (str_eq(directives[i].name, name))
            return &directives[i];
    return NULL;
}

bool sdl_directive_is_known(struct str name)
{
    return find_directive(name) != NULL;
}

static const struct argument_row *find_argument(struct str directive, struct str name)
{
    size_t i;

    for (i = 0; i < COUNT_OF(arguments); i++)
        if (str_eq(arguments[i].directive, directive) && str_eq(arguments[i].name, name))
            return &arguments[i];
    return NULL;
}

static bool read_text(struct sdl_reader *r, const struct ast_value *v, struct said *out)
{
    *out = (struct said){v->text, sdl_place(r, v->offset)};
    if (v->kind == AST_STRING && v->text.len > 0)
        return true;
    place_error(out->at, r->errs, "must be a string");
    return false;
}

static void read_list(struct sdl_reader *r, const struct ast_value *v, struct said_list *out)
{
    size_t n = v->kind == AST_LIST ? v->n : 1, i;
    struct said *items = ARENA_ARRAY(r->arena, n, struct said);

    *out = (struct said_list){items, n, true};
    for (i = 0; i < n; i++)
        (void)read_text(r, v->kind == AST_LIST ? v->items[i] : v, &items[i]);
}

static void read_count(struct sdl_reader *r, const struct ast_value *v, unsigned *out)
{
    int64_t n;

    if (v->kind == AST_INT && str_to_i64(v->text, &n) && n >= 1 && n <= MAX_WEIGHT)
        *out = (unsigned)n;
    else
        place_error(sdl_place(r, v->offset), r->errs, "must be a number from 1 to %d", MAX_WEIGHT);
}

static void read_ttl(struct sdl_reader *r, const struct ast_value *v, struct said_ttl *out)
{
    int64_t n = 0;

    *out = (struct said_ttl){.said = true, .at = sdl_place(r, v->offset)};
    if (v->kind == AST_INT && str_to_i64(v->text, &n) && n >= 0 && n <= TTL_MAX_S)
        out->seconds = (uint32_t)n;
    else
        place_error(out->at, r->errs, "must be a number of seconds, at most %d", TTL_MAX_S);
}

static void read_argument(struct sdl_reader *r, const struct argument_row *row,
                          const struct ast_value *v, struct sdl_directives *out)
{
    struct said ignored;
    void *to = row->offset == SIZE_MAX ? (void *)&ignored : (char *)out + row->offset;

    switch (row->form) {
    case ARGUMENT_TEXT:
        (void)read_text(r, v, to);
        break;
    case ARGUMENT_LIST:
        read_list(r, v, to);
        break;
    case ARGUMENT_COUNT:
        read_count(r, v, to);
        break;
    case ARGUMENT_TTL:
        read_ttl(r, v, to);
        break;
    }
}

static void read_arguments(struct sdl_reader *r, const struct ast_directive *d,
                           struct sdl_directives *out)
{
    size_t i, j;

    for (i = 0; i < d->arguments.n; i++) {
        const struct ast_argument *a = &d->arguments.items[i];
        const struct argument_row *row = find_argument(d->name, a->name);

        for (j = 0; j < i && !str_eq(d->arguments.items[j].name, a->name); j++)
            continue;
        if (row == NULL)
            place_error(sdl_place(r, a->offset), r->errs,
                        "directive \"@%.*s\" has no argument \"%.*s\"", STR_ARG(d->name),
                        STR_ARG(a->name));
        else if (j < i)
            place_error(sdl_place(r, a->offset), r->errs, "argument \"%.*s\" stands twice",
                        STR_ARG(a->name));
        else
            read_argument(r, row, a->value, out);
    }
    for (i = 0; i < COUNT_OF(arguments); i++) {
        const struct argument_row *row = &arguments[i];

        if (!row->required || !str_eq(row->directive, d->name))
            continue;
        for (j = 0; j < d->arguments.n && !str_eq(d->arguments.items[j].name, row->name); j++)
            continue;
        if (j == d->arguments.n)
            place_error(sdl_place(r, d->offset), r->errs,
                        "directive \"@%.*s\" needs the argument \"%.*s\"", STR_ARG(d->name),
                        STR_ARG(row->name));
    }
}

void sdl_directives_read(struct sdl_reader *r, const struct ast_directives *from,
                         enum directive_location where, struct sdl_directives *out)
{
    size_t i, j;

    *out = (struct sdl_directives){0};
    for (i = 0; i < from->n; i++) {
        const struct ast_directive *d = &from->items[i];
        const struct directive_row *row = find_directive(d->name);
        struct place at = sdl_place(r, d->offset);

        for (j = 0; j < i && !str_eq(from->items[j].name, d->name); j++)
            continue;
        if (row == NULL)
            place_error(at, r->errs, "unknown directive \"@%.*s\"", STR_ARG(d->name));
        else if (!(row->where & (unsigned)where))
            place_error(at, r->errs, "directive \"@%.*s\" cannot stand here", STR_ARG(d->name));
        else if (j < i)
            place_error(at, r->errs, "directive \"@%.*s\" stands twice", STR_ARG(d->name));
        else if (row->refused != NULL)
            place_error(at, r->errs, "directive \"@%.*s\" is not supported: %s", STR_ARG(d->name),
                        row->refused);
        else
            read_arguments(r, d, out);
        if (str_is(d->name, "hide"))
            out->hide = true;
        if (str_is(d->name, "auth") && !out->auth.said) {
            out->auth.said = true;
            out->auth.at = at;
            authrule_check(&out->auth, r->errs);
        }
        if (str_is(d->name, "deprecated") && !is_said(out->deprecated))
            out->deprecated = (struct said){STR("No longer supported"), at};
    }
}

static void print_places(unsigned where, struct buf *out)
{
    static const struct {
        enum directive_location place;
        const char *name;
    } places[] = {
        {ON_OBJECT,                 "OBJECT"                },
        {ON_FIELD_DEFINITION,       "FIELD_DEFINITION"      },
        {ON_INPUT_FIELD_DEFINITION, "INPUT_FIELD_DEFINITION"},
    };
    const char *between = " on ";
    size_t i;

    for (i = 0; i < COUNT_OF(places); i++) {
        if (!(where & (unsigned)places[i].place))
            continue;
        buf_printf(out, "%s%s", between, places[i].name);
        between = " | ";
    }
}

static void print_directive(const struct directive_row *d, struct buf *out)
{
    static const char *const types[] = {"String", "[String!]", "Int", "Int"};
    const char *between = "(";
    size_t j;

    buf_printf(out, "directive @%.*s", STR_ARG(d->name));
    for (j = 0; j < COUNT_OF(arguments); j++) {
        if (!str_eq(arguments[j].directive, d->name))
            continue;
        buf_printf(out, "%s%.*s: %s%s", between, STR_ARG(arguments[j].name),
                   types[arguments[j].form], arguments[j].required ? "!" : "");
        between = ", ";
    }
    buf_printf(out, "%s", between[0] == ',' ? ")" : "");
    print_places(d->where, out);
    buf_append_char(out, '\n');
}

void sdl_directive_print(struct str name, struct buf *out)
{
    const struct directive_row *d = find_directive(name);

    CHECK(d != NULL);
    print_directive(d, out);
}

void sdl_directives_print(struct buf *out)
{
    size_t i;

    for (i = 0; i < COUNT_OF(directives); i++)
        if (directives[i].refused == NULL && !(directives[i].where & (ON_ENUM_VALUE | ON_SCALAR)) &&
            directives[i].where != ON_INPUT_OBJECT)
            print_directive(&directives[i], out);
}
