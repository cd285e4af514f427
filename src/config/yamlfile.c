/*
 * yamlfile.c - libyaml's events to dotted keys. The only user of libyaml.
 *
 * Thread:   any.
 * Memory:   the arena; libyaml's own objects are released before returning.
 */
#include <yaml.h>

#include "config/yamlfile.h"

#include "base/map.h"

#define MAX_DEPTH   32
#define MAX_BYTES   ((size_t)1024 * 1024)
#define MAX_ENTRIES ((size_t)10000)

struct frame { /* a map or list that is open */
    bool map;
    bool have_key;   /* map: the next event is the value of `key` */
    struct str path; /* of the container */
    struct str key;  /* whole key of the next value */
    struct location key_at;
    size_t index;    /* list: of the next item */
    struct map seen; /* map: keys so far */
};

struct reader {
    struct arena *arena;
    struct errors *errs;
    struct yamlfile *file;
    struct frame frames[MAX_DEPTH];
    size_t depth;
    bool document_seen;
    struct {
        struct yamlfile_entry *items;
        size_t n, cap;
    } entries;
};

static struct location mark_location(yaml_mark_t m)
{
    return (struct location){(uint32_t)m.line + 1, (uint32_t)m.column + 1};
}

static bool refuse(struct reader *r, struct location at, const char *fmt, ...) PRINTF_LIKE(3, 4);

static bool refuse(struct reader *r, struct location at, const char *fmt, ...)
{
    struct error *e;
    struct str text;
    va_list args;

    va_start(args, fmt);
    text = arena_vprintf(r->arena, fmt, args);
    va_end(args);
    e = errors_add(r->errs, CONFIG_INVALID, "%.*s", STR_ARG(text));
    yamlfile_place(r->file, at, e, r->errs);
    return false;
}

/* Dots and brackets separate; what else is a name is nobody's business here. */
static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return s.len > 0;
}

static struct str join(struct reader *r, struct str path, struct str name)
{
    if (path.len == 0)
        return arena_dup(r->arena, name);
    return arena_printf(r->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(name));
}

static bool take_key(struct reader *r, struct frame *f, struct str name, struct location at)
{
    if (str_is(name, "<<"))
        return refuse(r, at, "merge keys (<<) are not supported");
    if (!is_name(name))
        return refuse(r, at, "a key may hold letters, digits, \"_\" and \"-\" only");
    f->key = join(r, f->path, name);
    f->key_at = at;
    f->have_key = true;
    if (!map_add(&f->seen, f->key, f))
        return refuse(r, at, "duplicate key \"%.*s\"", STR_ARG(f->key));
    return true;
}

/* The key of the value that comes now, and its place. */
static struct str next_key(struct reader *r, struct location *at)
{
    struct frame *f = r->depth > 0 ? &r->frames[r->depth - 1] : NULL;

    if (f == NULL)
        return STR("");
    if (f->map) {
        f->have_key = false;
        *at = f->key_at;
        return f->key;
    }
    return arena_printf(r->arena, "%.*s[%zu]", STR_ARG(f->path), f->index++);
}

static bool add_entry(struct reader *r, struct yamlfile_entry e)
{
    if (r->entries.n >= MAX_ENTRIES)
        return refuse(r, e.at, "more than %zu values", MAX_ENTRIES);
    VEC_PUSH(r->arena, &r->entries, e);
    return true;
}

static bool on_scalar(struct reader *r, const yaml_event_t *ev)
{
    struct str text = str_make((const char *)ev->data.scalar.value, ev->data.scalar.length);
    struct location start = mark_location(ev->start_mark);
    struct frame *f = r->depth > 0 ? &r->frames[r->depth - 1] : NULL;
    struct yamlfile_entry e = {.kind = YAMLFILE_SCALAR, .at = start, .end = start};
    bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (ev->data.scalar.anchor != NULL)
        return refuse(r, start, "anchors (&) are not supported");
    if (ev->data.scalar.tag != NULL)
        return refuse(r, start, "tags (!) are not supported");
    if (memchr(text.len > 0 ? text.data : "", '\0', text.len) != NULL)
        return refuse(r, start, "a text must not contain a NUL character");
    if (f != NULL && f->map && !f->have_key)
        return take_key(r, f, text, start);
    e.text = arena_dup(r->arena, text);
    e.null = plain && (text.len == 0 || str_is(text, "~") || str_is(text, "null"));
    if (f == NULL)
        return e.null || refuse(r, start, "the file must be a map of keys to values");
    e.key = next_key(r, &e.at);
    return add_entry(r, e);
}

static bool on_open(struct reader *r, const yaml_event_t *ev, bool map)
{
    const yaml_char_t *anchor =
        map ? ev->data.mapping_start.anchor : ev->data.sequence_start.anchor;
    const yaml_char_t *tag = map ? ev->data.mapping_start.tag : ev->data.sequence_start.tag;
    struct location start = mark_location(ev->start_mark);
    struct frame *f = r->depth > 0 ? &r->frames[r->depth - 1] : NULL;
    struct yamlfile_entry e = {
        .kind = map ? YAMLFILE_MAP : YAMLFILE_LIST, .at = start, .end = start};

    if (anchor != NULL)
        return refuse(r, start, "anchors (&) are not supported");
    if (tag != NULL)
        return refuse(r, start, "tags (!) are not supported");
    if (f == NULL && !map)
        return refuse(r, start, "the file must be a map of keys to values");
    if (f != NULL && f->map && !f->have_key)
        return refuse(r, start, "a key must be a plain name");
    if (r->depth == MAX_DEPTH)
        return refuse(r, start, "nested deeper than %d levels", MAX_DEPTH);
    e.key = next_key(r, &e.at);
    if (f != NULL && !add_entry(r, e))
        return false;
    r->frames[r->depth] = (struct frame){.map = map, .path = e.key};
    map_init(&r->frames[r->depth].seen, r->arena);
    r->depth++;
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
        r->depth--;
        return true;
    case YAML_ALIAS_EVENT:
        return refuse(r, mark_location(ev->start_mark), "aliases (*) are not supported");
    case YAML_DOCUMENT_START_EVENT:
        if (r->document_seen)
            return refuse(r, mark_location(ev->start_mark), "more than one document");
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
    struct location at = mark_location(p->problem_mark);
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

bool yamlfile_parse(struct str text, struct str name, struct arena *a, struct yamlfile *out,
                    struct errors *errs)
{
    struct reader *r = ARENA_NEW(a, struct reader);
    const struct location start = {1, 1};
    yaml_parser_t parser;
    bool ok;

    *out = (struct yamlfile){.name = name, .text = text};
    r->arena = a;
    r->errs = errs;
    r->file = out;
    if (text.len > MAX_BYTES)
        return refuse(r, start, "larger than %zu bytes", MAX_BYTES);
    if (!str_is_utf8(text))
        return refuse(r, start, "not UTF-8");
    if (text.len == 0)
        return true;
    CHECK(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.len);
    ok = read_events(r, &parser);
    yaml_parser_delete(&parser);
    out->entries = r->entries.items;
    out->n = r->entries.n;
    return ok;
}

/* Lines that may hold a secret are not shown. */
static bool may_be_secret(struct str line, struct arena *a)
{
    static const char *const words[] = {"*password*", "*secret*", "*url*", "*token*"};
    struct str lower = arena_dup(a, line);
    char *p = arena_copy(a, lower.data, lower.len);

    for (size_t i = 0; i < lower.len; i++)
        p[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] | 0x20) : p[i];
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_glob(str_of(words[i]), str_make(p, lower.len)))
            return true;
    return false;
}

static bool printable(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (((unsigned char)line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
            return false;
    return line.len <= 200 && str_is_utf8(line);
}

void yamlfile_place(const struct yamlfile *f, struct location at, struct error *e,
                    struct errors *errs)
{
    struct str rest = f->text, line = STR("");
    char *indent;
    size_t n;

    e->file = arena_printf(errs->arena, "%.*s:%u:%u", STR_ARG(f->name), at.line, at.column);
    error_at(e, errs, at);
    for (uint32_t i = 0; i < at.line; i++)
        str_cut(rest, '\n', &line, &rest);
    line = str_sub(line, 0, str_find(line, '\r'));
    if (line.len == 0 || !printable(line) || may_be_secret(line, errs->arena))
        return;
    /* Tabs stay tabs, so that the caret is below its column. Columns count characters. */
    indent = arena_alloc(errs->arena, line.len + 1);
    n = 0;
    for (size_t i = 0; i < line.len && n < at.column - 1; i++)
        if (((unsigned char)line.data[i] & 0xc0) != 0x80)
            indent[n++] = line.data[i] == '\t' ? '\t' : ' ';
    e->detail = arena_printf(errs->arena, "%.*s\n%s^", STR_ARG(line), indent);
}

struct library yamlfile_library(void)
{
    struct library l = {.name = "libyaml"};

    /* Its headers do not tell which version they are of. */
    snprintf(l.running, sizeof(l.running), "%s", yaml_get_version_string());
    return l;
}
