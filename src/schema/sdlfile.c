/*
 * sdlfile.c - the SDL file laid over annotations, before anything is made of them.
 *
 * Thread:   one at a time.
 * Memory:   in the scratch arena.
 * Not here: whether what is made is as the file says (sdlcheck.c).
 */
#include "schema/sdlfile.h"

#include "language/ast_types.h"
#include "language/parser.h"
#include "schema/naming.h"

static const struct parse_limits limits = {
    .max_bytes = 16 * 1024 * 1024, .max_tokens = 2000000, .max_depth = 200};

/* --- reading ---------------------------------------------------------------------------------- */

static struct said_type type_of(struct sdl_reader *r, const struct ast_type *t)
{
    struct said_type out = {0};
    unsigned level = 0;

    for (; t->kind == AST_LIST_TYPE; t = t->of, level++)
        if (t->non_null && level < TYPE_REF_MAX_LISTS)
            out.non_null |= (uint16_t)(1u << level);
    if (level > TYPE_REF_MAX_LISTS)
        place_error(sdl_place(r, t->offset), r->errs, "lists within more than %d lists",
                    TYPE_REF_MAX_LISTS);
    else
        out.non_null |= (uint16_t)(t->non_null << level);
    out.nlists = (uint8_t)size_min(level, TYPE_REF_MAX_LISTS);
    out.name = (struct said){t->name, sdl_place(r, t->offset)};
    return out;
}

static void read_fields(struct sdl *s, struct sdl_type *t,
                        const struct ast_type_system_definition *d)
{
    struct sdl_reader *r = &s->reader;
    size_t n = t->fields.n + d->nfields, i, j;
    struct declared_field *fields = ARENA_ARRAY(r->arena, n, struct declared_field);
    struct sdl_directives *of = ARENA_ARRAY(r->arena, n, struct sdl_directives);

    if (t->fields.n > 0) {
        memcpy(fields, t->fields.items, t->fields.n * sizeof(*fields));
        memcpy(of, t->of_fields, t->fields.n * sizeof(*of));
    }
    n = t->fields.n;
    for (i = 0; i < d->nfields; i++) {
        const struct ast_field_definition *f = &d->fields[i];
        struct declared_field *out = &fields[n];

        for (j = 0; j < n && !str_eq(fields[j].name, f->name); j++)
            continue;
        if (j < n) {
            place_error(sdl_place(r, f->offset), r->errs, "field \"%.*s.%.*s\" is declared twice",
                        STR_ARG(t->name), STR_ARG(f->name));
            continue;
        }
        sdl_directives_read(r, &f->directives, ON_FIELD_DEFINITION, &of[n]);
        *out = (struct declared_field){.at = sdl_place(r, f->offset),
                                       .name = f->name,
                                       .description = f->description,
                                       .deprecated = of[n].deprecated.text,
                                       .type = type_of(r, f->type),
                                       .hide = of[n].hide,
                                       .weight = of[n].weight,
                                       .cache = of[n].cache,
                                       .auth = of[n].auth,
                                       .ast = f};
        out->key = is_said(of[n].column) ? of[n].column.text : naming_snake(f->name, r->arena);
        n++;
    }
    t->fields = (struct declared_fields){fields, n};
    t->of_fields = of;
}

static void read_object(struct sdl *s, const struct ast_type_system_definition *d)
{
    struct sdl_reader *r = &s->reader;
    struct place at = sdl_place(r, d->name_offset);
    struct sdl_type *t = map_get(&s->types, d->name);
    struct sdl_directives directives;

    if (t == NULL) {
        t = ARENA_NEW(r->arena, struct sdl_type);
        *t = (struct sdl_type){.name = d->name, .at = at};
        map_add(&s->types, d->name, t);
    }
    if (t->closed && !d->extension)
        place_error(at, r->errs, "type \"%.*s\" is defined twice", STR_ARG(d->name));
    if (d->ninterfaces > 0)
        place_error(sdl_place(r, d->interfaces[0].offset), r->errs,
                    "interfaces are not declared here");
    sdl_directives_read(r, &d->directives, ON_OBJECT, &directives);
    if (t->fields.n == 0 || d->directives.n > 0)
        t->directives = directives;
    t->closed = t->closed || !d->extension;
    if (d->description.data != NULL)
        t->description = d->description;
    read_fields(s, t, d);
}

/* Query and Mutation have no other names. */
static void check_roots(struct sdl_reader *r, const struct ast_type_system_definition *d)
{
    static const char *const names[] = {
        [AST_QUERY] = "Query", [AST_MUTATION] = "Mutation", [AST_SUBSCRIPTION] = "Subscription"};
    size_t i;

    for (i = 0; i < d->nroots; i++)
        if (!str_is(d->roots[i].type.name, names[d->roots[i].kind]))
            place_error(sdl_place(r, d->roots[i].type.offset), r->errs,
                        "this root type is always called \"%s\"", names[d->roots[i].kind]);
}

static void read_definition(struct sdl *s, const struct ast_type_system_definition *d)
{
    struct sdl_reader *r = &s->reader;
    struct place at = sdl_place(r, d->offset);

    switch (d->kind) {
    case AST_SCHEMA:
        check_roots(r, d);
        return;
    case AST_DIRECTIVE_DEFINITION:
        /* For other tools: ours are what they are. */
        if (!sdl_directive_is_known(d->name))
            place_error(at, r->errs, "unknown directive \"@%.*s\"", STR_ARG(d->name));
        return;
    case AST_OBJECT_TYPE:
        read_object(s, d);
        return;
    case AST_SCALAR:
    case AST_INTERFACE:
    case AST_UNION:
    case AST_ENUM_TYPE:
    case AST_INPUT_OBJECT:
        break;
    }
    if (d->extension)
        place_error(at, r->errs, "only object types can be extended");
    VEC_PUSH(r->arena, &s->others, (struct sdl_other){sdl_place(r, d->name_offset), d, false});
}

/* The parser's errors are about requests; these are about a file. */
static bool parse(struct sdl_reader *r, const struct ast_document **out)
{
    struct errors errs;
    const struct error *e;

    errors_init(&errs, r->arena);
    if (parser_parse_schema(r->source->text, &limits, r->arena, out, &errs))
        return true;
    for (e = errs.first; e != NULL; e = e->next)
        sourcetext_error(r->source, e->nlocations > 0 ? e->locations[0] : (struct location){1, 1},
                         r->errs, "%.*s", STR_ARG(e->message));
    return false;
}

static bool read_file(struct sdl *s)
{
    const struct ast_document *document;
    size_t i;

    if (!str_is_utf8(s->reader.source->text)) {
        sourcetext_error(s->reader.source, (struct location){1, 1}, s->reader.errs, "not UTF-8");
        return false;
    }
    if (!parse(&s->reader, &document))
        return false;
    sdl_reader_start(&s->reader);
    for (i = 0; i < document->n; i++) {
        const struct ast_definition *d = &document->definitions[i];

        if (d->type_system != NULL)
            read_definition(s, d->type_system);
        else
            place_error(sdl_place(&s->reader, d->offset), s->reader.errs,
                        "only definitions of types may stand here");
    }
    return true;
}

/* --- documents -------------------------------------------------------------------------------- */

/* The type of a declared field where it is one of documents. */
static struct sdl_type *document_of(struct sdl *s, const struct declared_field *f)
{
    struct sdl_type *t = map_get(&s->types, f->type.name.text);

    return t != NULL && t->kind == SDL_DOCUMENT ? t : NULL;
}

/* A field that has itself in it would have no end where fields are gone through. */
static bool contains_itself(struct sdl *s, struct sdl_type *t, const struct sdl_type *start,
                            unsigned depth)
{
    size_t i;

    for (i = 0; depth < 64 && i < t->fields.n; i++) {
        struct sdl_type *of = document_of(s, &t->fields.items[i]);

        if (of != NULL && (of == start || contains_itself(s, of, start, depth + 1)))
            return true;
    }
    return depth >= 64;
}

static void link_fields(struct sdl *s, struct sdl_type *t)
{
    struct declared_field *fields =
        arena_copy(s->reader.arena, t->fields.items, t->fields.n * sizeof(*fields));
    size_t i;

    if (t->kind == SDL_DOCUMENT && contains_itself(s, t, t, 0)) {
        place_error(t->at, s->reader.errs, "documents of type \"%.*s\" would contain themselves",
                    STR_ARG(t->name));
        return;
    }
    for (i = 0; i < t->fields.n; i++) {
        struct sdl_type *of = document_of(s, &fields[i]);

        if (of == NULL)
            continue;
        fields[i].fields = &of->fields;
        of->seen = true;
    }
    t->fields.items = fields;
}

/* --- relations -------------------------------------------------------------------------------- */

/* Relations by type, by name, and by name with schema; those of two schemas are not found by name.
 */
static void index_relations(struct builder *b, struct sdl *s)
{
    size_t i;

    s->several = ARENA_NEW(b->scratch, struct doc_relation);
    for (i = 0; i < b->doc.nrelations; i++) {
        struct doc_relation *d = &b->doc.relations[i];

        if (!d->exposed)
            continue;
        (void)map_add(&s->by_type, exposure_type_name(b, d), d);
        if (!map_add(&s->by_name, d->name, d))
            map_put(&s->by_name, d->name, s->several);
        map_put(&s->by_name,
                arena_printf(b->scratch, "%.*s.%.*s", STR_ARG(d->schema), STR_ARG(d->name)), d);
    }
}

/* That @source names, or whose type has the name; NULL: none. */
static struct doc_relation *relation_of(struct builder *b, const struct sdl *s,
                                        const struct sdl_type *t)
{
    const struct said *source = &t->directives.relation;
    struct doc_relation *found;

    if (!is_said(*source))
        return map_get(&s->by_type, t->name);
    found = map_get(&s->by_name, source->text);
    if (found == s->several) {
        place_error(source->at, b->errs, "\"%.*s\" is in several schemas", STR_ARG(source->text))
            ->hint = STR("name it with its schema");
        return NULL;
    }
    if (found == NULL && !b->opt->partial)
        place_error(source->at, b->errs, "there is no exposed relation \"%.*s\"",
                    STR_ARG(source->text))
            ->hint = STR("check schema.expose and the privileges of the role");
    return found;
}

static struct field_annotation *field_annotation(struct builder *b, struct doc_column *c,
                                                 struct place at)
{
    struct field_annotation *f = ARENA_NEW(b->scratch, struct field_annotation);

    if (c->annotation != NULL)
        *f = *c->annotation;
    f->at = at;
    c->annotation = f;
    return f;
}

/* Other columns of a type in the file are of composite types. */
static bool is_json(const struct builder *b, const struct doc_column *c)
{
    const struct doc_type *t = values_base_type(b, c->type);

    if (t != NULL && t->element)
        t = values_base_type(b, t->element);
    return t != NULL && (str_is(t->name, "jsonb") || str_is(t->name, "json"));
}

static void lay_column(struct builder *b, struct doc_column *c, const struct declared_field *from)
{
    struct field_annotation *f = field_annotation(b, c, from->at);

    f->name = (struct said){from->name, from->at};
    f->type = from->type;
    f->required = UNSAID;
    f->is_enum = UNSAID;
    f->hide = from->hide ? SAID_YES : SAID_NO;
    if (from->auth.said)
        f->auth = from->auth;
    if (from->fields != NULL && is_json(b, c)) {
        f->fields = from->fields;
        f->shape = (struct said){0};
    }
    if (from->description.data != NULL)
        f->description = (struct said){from->description, from->at};
    if (from->deprecated.data != NULL)
        f->deprecated = (struct said){from->deprecated, from->at};
}

/* "owner_id", or "owner_id = id". */
static void read_pair(struct builder *b, const struct said *text, struct said *here,
                      struct said *there)
{
    struct str left, right;
    bool pair = str_cut(text->text, '=', &left, &right);

    *here = (struct said){str_trim(left), text->at};
    *there = (struct said){str_trim(right), text->at};
    if (here->text.len == 0 || (pair && there->text.len == 0))
        place_error(text->at, b->errs, "must be a column, or two of the form \"owner_id = id\"");
    if (!pair)
        there->text = (struct str){0};
}

/* Columns alone are those that refer to a key: here, or there if it is a list. */
static bool lay_relation(struct builder *b, const struct declared_field *f,
                         const struct said_list *on, struct relation_annotation *out)
{
    struct said *here = ARENA_ARRAY(b->scratch, on->n, struct said);
    struct said *there = ARENA_ARRAY(b->scratch, on->n, struct said);
    size_t pairs = 0, i;

    for (i = 0; i < on->n; i++) {
        read_pair(b, &on->items[i], &here[i], &there[i]);
        pairs += is_said(there[i]);
    }
    *out = (struct relation_annotation){
        .at = f->at, .name = {f->name, f->at},
             .to = f->type.name
    };
    out->list = f->type.nlists > 0 ? SAID_YES : SAID_NO;
    if (pairs != 0 && pairs != on->n) {
        place_error(f->at, b->errs, "some columns have another to meet, and some have none");
        return false;
    }
    if (pairs == 0 && out->list == SAID_YES)
        out->references = (struct said_list){here, on->n, true};
    else
        out->columns = (struct said_list){here, on->n, true};
    if (pairs > 0)
        out->references = (struct said_list){there, on->n, true};
    if (f->description.data != NULL)
        out->description = (struct said){f->description, f->at};
    return true;
}

static struct doc_column *column_of(struct builder *b, struct doc_relation *d,
                                    const struct declared_field *f, const struct sdl_directives *of,
                                    bool document)
{
    size_t i;

    for (i = 0; i < d->ncolumns; i++)
        if (is_said(of->column) ? str_eq(d->columns[i].name, of->column.text)
                                : str_eq(exposure_field_name(b, &d->columns[i]), f->name))
            return &d->columns[i];
    if (is_said(of->column) && !document)
        (void)exposure_column(b, d, &of->column);
    return NULL;
}

/* "fn_make" or "app.fn_make"; names may have dots in them. */
static bool is_function_named(const struct doc_function *f, struct str text)
{
    size_t n = f->schema.len;

    return str_eq(f->name, text) ||
           (text.len > n && text.data[n] == '.' && str_starts(text, f->schema) &&
            str_eq(str_sub(text, n + 1, SIZE_MAX), f->name));
}

static struct doc_function *find_function(struct builder *b, const struct said *name)
{
    struct doc_function *found = NULL;
    size_t i;

    for (i = 0; i < b->doc.nfunctions; i++) {
        struct doc_function *f = &b->doc.functions[i];

        if (!is_function_named(f, name->text))
            continue;
        if (found != NULL) {
            place_error(name->at, b->errs, "there are several functions \"%.*s\"",
                        STR_ARG(name->text));
            return NULL;
        }
        found = f;
    }
    if (found == NULL && !b->opt->partial)
        place_error(name->at, b->errs, "there is no exposed function \"%.*s\"", STR_ARG(name->text))
            ->hint = STR("check schema.expose.functions and the privileges of the role");
    return found;
}

static void lay_context(struct builder *b, const struct said_list *names,
                        struct context_params *out)
{
    struct context_param *items = ARENA_ARRAY(b->scratch, names->n, struct context_param);
    size_t i;

    for (i = 0; i < names->n; i++)
        items[i] = (struct context_param){names->items[i], annotation_claim(names->items[i].text)};
    *out = (struct context_params){items, names->n, true};
}

static void lay_function(struct builder *b, const struct declared_field *from,
                         struct sdl_directives *of, enum function_use use)
{
    struct doc_function *d = find_function(b, &of->function);
    struct function_annotation *f;

    of->told = d == NULL;
    if (d == NULL)
        return;
    f = ARENA_NEW(b->scratch, struct function_annotation);
    if (d->annotation != NULL)
        *f = *d->annotation;
    f->at = from->at;
    f->use = use;
    f->name = (struct said){from->name, from->at};
    if (from->description.data != NULL)
        f->description = (struct said){from->description, from->at};
    if (from->deprecated.data != NULL)
        f->deprecated = (struct said){from->deprecated, from->at};
    if (of->context.said)
        lay_context(b, &of->context, &f->context_params);
    if (of->invalidates.said)
        f->invalidates = of->invalidates;
    d->annotation = f;
}

/* Those whose names the file gives to none of its own. */
static size_t keep_relations(const struct sdl_type *t, const struct relation_annotations *from,
                             struct relation_annotation *out)
{
    size_t n = 0, i, j;

    for (i = 0; i < from->n; i++) {
        for (j = 0; j < t->fields.n; j++)
            if (t->of_fields[j].on.said && is_said(from->items[i].name) &&
                str_eq(t->fields.items[j].name, from->items[i].name.text))
                break;
        if (j == t->fields.n)
            out[n++] = from->items[i];
    }
    return n;
}

static void keep_column_relations(struct builder *b, const struct sdl_type *t, struct doc_column *c)
{
    struct field_annotation *f;
    struct relation_annotation *kept;

    if (c->annotation == NULL || c->annotation->relations.n == 0)
        return;
    f = field_annotation(b, c, c->annotation->at);
    kept = ARENA_ARRAY(b->scratch, f->relations.n, struct relation_annotation);
    f->relations.n = keep_relations(t, &f->relations, kept);
    f->relations.items = kept;
}

/* Is what is no column a key of the document? A field of another relation's type may be a
 * relationship: it is one only where it says so. */
static bool is_document_key(struct builder *b, const struct declared_field *f,
                            const struct sdl_directives *of)
{
    if (is_said(of->column) || f->fields != NULL)
        return true;
    if (scalar_find(f->type.name.text) != NULL)
        return !(b->opt->node && str_is(f->name, "nodeId"));
    return documents_have_type(b, f->type.name.text);
}

static void lay_fields(struct builder *b, struct sdl_type *t, struct doc_relation *d,
                       struct type_annotation *a)
{
    size_t n = a->relations.n, nfields = 0, i, j;
    struct relation_annotation *relations =
        ARENA_ARRAY(b->scratch, n + t->fields.n, struct relation_annotation);
    struct declared_field *fields = ARENA_ARRAY(b->scratch, t->fields.n, struct declared_field);
    struct declared_fields *document = ARENA_NEW(b->scratch, struct declared_fields);
    bool *listed = ARENA_ARRAY(b->scratch, d->ncolumns, bool);

    n = keep_relations(t, &a->relations, relations);
    for (j = 0; j < d->ncolumns; j++)
        keep_column_relations(b, t, &d->columns[j]);
    for (i = 0; i < t->fields.n; i++) {
        const struct declared_field *f = &t->fields.items[i];
        struct sdl_directives *of = &t->of_fields[i];
        struct doc_column *c = NULL;

        if (of->on.said) {
            n += lay_relation(b, f, &of->on, &relations[n]);
        } else if (is_said(of->function)) {
            lay_function(b, f, of, USE_BY_VOLATILITY);
        } else if ((c = column_of(b, d, f, of, is_said(a->column))) != NULL) {
            if (listed[c - d->columns])
                place_error(f->at, b->errs, "column \"%.*s\" is two fields", STR_ARG(c->name));
            listed[c - d->columns] = true;
            /* What the role may not read is not in its schema, and no mistake. */
            of->told = !c->select;
            lay_column(b, c, f);
        } else if (is_said(t->directives.document) && !f->hide && is_document_key(b, f, of)) {
            fields[nfields++] = *f;
        }
    }
    a->relations = (struct relation_annotations){relations, n};
    *document = (struct declared_fields){fields, nfields};
    if (nfields > 0)
        a->fields = document;
    for (j = 0; t->closed && j < d->ncolumns; j++)
        if (!listed[j])
            field_annotation(b, &d->columns[j], t->at)->hide = SAID_YES;
}

static void lay_type(struct builder *b, struct sdl_type *t, struct doc_relation *d)
{
    struct type_annotation *a = ARENA_NEW(b->scratch, struct type_annotation);
    const struct sdl_directives *of = &t->directives;

    if (d->annotation != NULL)
        *a = *d->annotation;
    if (a->declared != NULL)
        place_error(t->at, b->errs, "%s \"%.*s.%.*s\" is the source of two types",
                    catalogdoc_kind(d), STR_ARG(d->schema), STR_ARG(d->name));
    a->at = t->at;
    a->name = (struct said){t->name, t->at};
    if (t->description.data != NULL)
        a->description = (struct said){t->description, t->at};
    if (of->key.said)
        a->key = of->key;
    if (is_said(of->document))
        a->column = of->document;
    if (is_said(of->tenant))
        a->tenant_column = of->tenant;
    if (of->auth.said)
        a->auth = of->auth;
    if (of->cache.said)
        a->cache = of->cache;
    a->closed = t->closed;
    a->declared = &t->fields;
    lay_fields(b, t, d, a);
    d->annotation = a;
    if (of->hide)
        d->exposed = false;
    t->seen = t->seen || of->hide;
}

/* --- roots ------------------------------------------------------------------------------------ */

static void lay_root(struct builder *b, struct sdl_type *t)
{
    enum function_use use = str_is(t->name, "Query") ? USE_AS_QUERY : USE_AS_MUTATION;
    size_t i;

    for (i = 0; i < t->fields.n; i++)
        if (is_said(t->of_fields[i].function))
            lay_function(b, &t->fields.items[i], &t->of_fields[i], use);
}

static void settle_kinds(struct sdl *s)
{
    size_t i;

    for (i = 0; i < s->types.n; i++) {
        struct sdl_type *t = s->types.entries[i].value;

        if (str_is(t->name, "Query") || str_is(t->name, "Mutation"))
            t->kind = SDL_ROOT;
        else if (is_said(t->directives.relation) || map_get(&s->by_type, t->name) != NULL)
            t->kind = SDL_RELATION;
        else
            t->kind = SDL_DOCUMENT;
    }
}

void sdl_apply(struct builder *b)
{
    struct sdl *s = ARENA_NEW(b->scratch, struct sdl);
    struct sourcetext *source;
    size_t i;

    if (b->opt->sdl.data == NULL)
        return;
    source = ARENA_NEW(b->scratch, struct sourcetext);
    *source = (struct sourcetext){b->opt->sdl_name, b->opt->sdl, SCHEMA_INVALID};
    s->reader = (struct sdl_reader){.arena = b->scratch, .errs = b->errs, .source = source};
    map_init(&s->types, b->scratch);
    map_init(&s->by_type, b->scratch);
    map_init(&s->by_name, b->scratch);
    if (!read_file(s))
        return;
    index_relations(b, s);
    settle_kinds(s);
    for (i = 0; i < s->types.n; i++)
        link_fields(s, s->types.entries[i].value);
    for (i = 0; i < s->types.n; i++) {
        struct sdl_type *t = s->types.entries[i].value;
        struct doc_relation *d = t->kind == SDL_RELATION ? relation_of(b, s, t) : NULL;

        if (t->kind == SDL_ROOT)
            lay_root(b, t);
        else if (d != NULL)
            lay_type(b, t, d);
    }
    b->sdl = s;
}
