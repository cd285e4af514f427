/*
 * yamltree.c - libyaml's events to a tree. The only user of libyaml.
 *
 * Thread:   any.
 * Memory:   the arena; libyaml's own objects are released before returning.
 */
#include <stdarg.h>
#include <yaml.h>

#include "base/yamltree.h"

#include "base/map.h"

#define MAX_DEPTH 32

struct frame { /* a map or list that is open */
    struct yamltree *node;
    bool have_key; /* map: the next event is the value of `key` */
    struct str key;
    struct location key_at;
    struct map seen; /* map: keys so far */
    struct {
        const struct yamltree **items;
        size_t n, cap;
    } items;
    struct {
        struct yamltree_member *items;
        size_t n, cap;
    } members;
};

struct reader {
    struct arena *arena;
    struct errors *errs;
    const struct sourcetext *source;
    const struct yamltree_limits *limits;
    struct location start; /* of the part that is read */
    const struct yamltree *root;
    struct frame frames[MAX_DEPTH];
    size_t depth;
    size_t nvalues;
    bool document_seen;
};

static struct location mark_location(const struct reader *r, yaml_mark_t m)
{
    return (struct location){r->start.line + (uint32_t)m.line,
                             (m.line == 0 ? r->start.column : 1) + (uint32_t)m.column};
}

static bool refuse(struct reader *r, struct location at, const char *fmt, ...) PRINTF_LIKE(3, 4);

static bool refuse(struct reader *r, struct location at, const char *fmt, ...)
{
    struct str text;
    va_list args;

    va_start(args, fmt);
    text = arena_vprintf(r->arena, fmt, args);
    va_end(args);
    sourcetext_error(r->source, at, r->errs, "%.*s", STR_ARG(text));
    return false;
}

static struct frame *open_frame(struct reader *r)
{
    return r->depth > 0 ? &r->frames[r->depth - 1] : NULL;
}

static bool take_key(struct reader *r, struct frame *f, struct str name, struct location at)
{
    if (str_is(name, "<<"))
        return refuse(r, at, "merge keys (<<) are not supported");
    f->key = arena_dup(r->arena, name);
    f->key_at = at;
    f->have_key = true;
    if (!map_add(&f->seen, f->key, f))
        return refuse(r, at, "duplicate key \"%.*s\"", STR_ARG(f->key));
    return true;
}

/* Put a value where it belongs: into the open map or list, or at the root. */
static bool add_value(struct reader *r, const struct yamltree *v)
{
    struct frame *f = open_frame(r);

    if (r->nvalues++ >= r->limits->max_values)
        return refuse(r, v->at, "more than %zu values", r->limits->max_values);
    if (f == NULL) {
        r->root = v;
    } else if (f->node->kind == YAMLTREE_MAP) {
        f->have_key = false;
        VEC_PUSH(r->arena, &f->members, (struct yamltree_member){f->key, f->key_at, v});
    } else {
        VEC_PUSH(r->arena, &f->items, v);
    }
    return true;
}

static bool on_scalar(struct reader *r, const yaml_event_t *ev)
{
    struct str text = str_make((const char *)ev->data.scalar.value, ev->data.scalar.length);
    struct location at = mark_location(r, ev->start_mark);
    struct frame *f = open_frame(r);
    bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct yamltree *v;

    if (ev->data.scalar.anchor != NULL)
        return refuse(r, at, "anchors (&) are not supported");
    if (ev->data.scalar.tag != NULL)
        return refuse(r, at, "tags (!) are not supported");
    if (memchr(text.len > 0 ? text.data : "", '\0', text.len) != NULL)
        return refuse(r, at, "a text must not contain a NUL character");
    if (f != NULL && f->node->kind == YAMLTREE_MAP && !f->have_key)
        return take_key(r, f, text, at);
    v = ARENA_NEW(r->arena, struct yamltree);
    v->at = at;
    v->text = arena_dup(r->arena, text);
    v->null = plain && (text.len == 0 || str_is(text, "~") || str_is(text, "null"));
    return add_value(r, v);
}

static bool on_open(struct reader *r, const yaml_event_t *ev, bool map)
{
    const yaml_char_t *anchor =
        map ? ev->data.mapping_start.anchor : ev->data.sequence_start.anchor;
    const yaml_char_t *tag = map ? ev->data.mapping_start.tag : ev->data.sequence_start.tag;
    struct location at = mark_location(r, ev->start_mark);
    struct frame *f = open_frame(r);
    struct yamltree *v;

    if (anchor != NULL)
        return refuse(r, at, "anchors (&) are not supported");
    if (tag != NULL)
        return refuse(r, at, "tags (!) are not supported");
    if (f != NULL && f->node->kind == YAMLTREE_MAP && !f->have_key)
        return refuse(r, at, "a key must be a plain name");
    if (r->depth == r->limits->max_depth)
        return refuse(r, at, "nested deeper than %zu levels", r->limits->max_depth);
    v = ARENA_NEW(r->arena, struct yamltree);
    v->kind = map ? YAMLTREE_MAP : YAMLTREE_LIST;
    v->at = at;
    if (!add_value(r, v))
        return false;
    r->frames[r->depth] = (struct frame){.node = v};
    map_init(&r->frames[r->depth].seen, r->arena);
    r->depth++;
    return true;
}

static bool on_close(struct reader *r)
{
    struct frame *f = &r->frames[--r->depth];

    f->node->items = f->items.items;
    f->node->members = f->members.items;
    f->node->n = f->node->kind == YAMLTREE_MAP ? f->members.n : f->items.n;
    return true;
}

static bool on_event(struct reader *r, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(r, ev);
    case YAML_MAPPING_START_EVENT:
        return on_open(r, ev, true);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(r, ev, false);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return on_close(r);
    case YAML_ALIAS_EVENT:
        return refuse(r, mark_location(r, ev->start_mark), "aliases (*) are not supported");
    case YAML_DOCUMENT_START_EVENT:
        if (r->document_seen)
            return refuse(r, mark_location(r, ev->start_mark), "more than one document");
        r->document_seen = true;
        return true;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    }
    return true;
}

/* libyaml's own complaints are fixed sentences. */
static bool syntax_error(struct reader *r, const yaml_parser_t *p)
{
    struct location at = mark_location(r, p->problem_mark);
    const char *problem = p->problem != NULL ? p->problem : "unreadable";

    if (p->context != NULL)
        return refuse(r, at, "not valid YAML: %s %s", problem, p->context);
    return refuse(r, at, "not valid YAML: %s", problem);
}

static bool read_events(struct reader *r, yaml_parser_t *p)
{
    bool ok = true, end = false;
    yaml_event_t ev;

    while (ok && !end) {
        if (yaml_parser_parse(p, &ev) == 0)
            return syntax_error(r, p);
        ok = on_event(r, &ev);
        end = ev.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&ev);
    }
    return ok;
}

static struct location location_of(struct str text, size_t offset)
{
    struct location at = {1, 1};

    for (size_t i = 0; i < offset; i++) {
        if (text.data[i] == '\n')
            at = (struct location){at.line + 1, 1};
        else
            at.column += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    }
    return at;
}

bool yamltree_parse(const struct sourcetext *source, size_t from, size_t to,
                    const struct yamltree_limits *lim, struct arena *a, const struct yamltree **out,
                    struct errors *errs)
{
    struct reader *r = ARENA_NEW(a, struct reader);
    struct str text = str_sub(source->text, from, to - from);
    yaml_parser_t parser;
    bool ok;

    CHECK(from <= to && to <= source->text.len && lim->max_depth <= MAX_DEPTH);
    *r = (struct reader){.arena = a, .errs = errs, .source = source, .limits = lim};
    r->start = location_of(source->text, from);
    if (text.len > lim->max_bytes)
        return refuse(r, r->start, "larger than %zu bytes", lim->max_bytes);
    if (!str_is_utf8(text))
        return refuse(r, r->start, "not UTF-8");
    CHECK(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len ? text.data : ""),
                                 text.len);
    ok = read_events(r, &parser);
    yaml_parser_delete(&parser);
    if (ok && r->root == NULL) {
        struct yamltree *v = ARENA_NEW(a, struct yamltree);

        *v = (struct yamltree){.null = true, .at = r->start};
        r->root = v;
    }
    *out = r->root;
    return ok;
}

struct library yamltree_library(void)
{
    struct library l = {.name = "libyaml"};

    /* Its headers do not tell which version they are of. */
    snprintf(l.running, sizeof(l.running), "%s", yaml_get_version_string());
    return l;
}
