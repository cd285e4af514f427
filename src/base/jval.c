/*
 * jval.c - yajl's parser events to a tree. The only user of yajl.
 *
 * Thread:   any.
 * Memory:   the caller's arena, yajl's own state included, so that there is
 *           nothing to release on any path.
 *
 * yajl 2.1 lets pass what we must refuse, see jval.h. Two scans of the whole
 * text come first: UTF-8 (yajl's own check accepts overlong forms and encoded
 * surrogates, and is switched off) and "\u" escapes (yajl turns a lone
 * surrogate into '?' or into invalid UTF-8).
 */
#include <yajl/yajl_parse.h>
#include <yajl/yajl_version.h>

#include "base/jval.h"
#include "base/jwriter.h"
#include "base/map.h"

/* From this many members on duplicates are looked for with a map. */
#define MANY_MEMBERS 16

struct frame { /* an array or object that is open */
    struct jval *value;
    size_t first; /* index of its first child on the stack of values */
};

struct builder {
    struct arena *arena;
    struct str text;
    const struct jval_limits *limits;
    const char *refused; /* why a callback stopped the parser */
    size_t nvalues;
    const struct jval *root;
    struct {
        struct frame *items;
        size_t n, cap;
    } frames;
    struct {
        struct jval_member *items; /* children of open frames; no names inside arrays */
        size_t n, cap;
    } values;
    struct str name; /* of the member whose value comes next */
};

/* --- memory for yajl: blocks of the arena that remember their size ------------- */

union yajl_block {
    size_t size;
    max_align_t aligned;
};

static void *yajl_grow(void *ctx, void *p, size_t size)
{
    union yajl_block *old = p != NULL ? (union yajl_block *)p - 1 : NULL;
    union yajl_block *b;

    if (old != NULL && old->size >= size)
        return p;
    b = arena_alloc_raw(ctx, sizeof(*b) + size);
    b->size = size;
    if (old != NULL)
        memcpy(b + 1, p, old->size);
    return b + 1;
}

static void *yajl_take(void *ctx, size_t size)
{
    return yajl_grow(ctx, NULL, size);
}

static void yajl_release(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

/* --- the tree -------------------------------------------------------------------- */

static bool refuse(struct builder *b, const char *why)
{
    b->refused = why;
    return false;
}

static struct jval *new_value(struct builder *b, enum jval_kind kind)
{
    struct jval *v;

    if (++b->nvalues > b->limits->max_values) {
        refuse(b, "too many values");
        return NULL;
    }
    v = ARENA_NEW(b->arena, struct jval);
    v->kind = kind;
    if (b->frames.n == 0)
        b->root = v;
    else
        VEC_PUSH(b->arena, &b->values, (struct jval_member){b->name, v});
    return v;
}

/* Text inside the document is borrowed; decoded text is in yajl's buffer and must be copied. */
static struct str keep_text(struct builder *b, const void *p, size_t len)
{
    struct str s = str_make(p, len);

    if ((uintptr_t)p - (uintptr_t)b->text.data <= b->text.len)
        return s;
    return arena_dup(b->arena, s);
}

static int on_null(void *ctx)
{
    return new_value(ctx, JVAL_NULL) != NULL;
}

static int on_boolean(void *ctx, int boolean)
{
    struct jval *v = new_value(ctx, JVAL_BOOL);

    if (v == NULL)
        return false;
    v->boolean = boolean != 0;
    return true;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    struct jval *v = new_value(ctx, JVAL_NUMBER);

    if (v == NULL)
        return false;
    v->text = keep_text(ctx, text, len);
    return true;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    struct jval *v = new_value(ctx, JVAL_STRING);

    if (v == NULL)
        return false;
    v->text = keep_text(ctx, text, len);
    return true;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct builder *b = ctx;

    b->name = keep_text(b, text, len);
    return true;
}

static int open_frame(struct builder *b, enum jval_kind kind)
{
    struct jval *v;

    if (b->frames.n >= b->limits->max_depth)
        return refuse(b, "nested too deeply");
    v = new_value(b, kind);
    if (v == NULL)
        return false;
    VEC_PUSH(b->arena, &b->frames, (struct frame){v, b->values.n});
    return true;
}

static int on_start_object(void *ctx)
{
    return open_frame(ctx, JVAL_OBJECT);
}

static int on_start_array(void *ctx)
{
    return open_frame(ctx, JVAL_ARRAY);
}

static bool names_differ(struct builder *b, struct jval_member *members, size_t n)
{
    struct map seen;

    if (n < MANY_MEMBERS) {
        for (size_t i = 1; i < n; i++)
            for (size_t j = 0; j < i; j++)
                if (str_eq(members[i].name, members[j].name))
                    return false;
        return true;
    }
    map_init(&seen, b->arena);
    for (size_t i = 0; i < n; i++)
        if (!map_add(&seen, members[i].name, &members[i]))
            return false;
    return true;
}

static int close_frame(void *ctx)
{
    struct builder *b = ctx;
    struct frame f = b->frames.items[--b->frames.n];
    struct jval_member *children;
    size_t n = b->values.n - f.first;
    struct jval *v = f.value;

    v->n = n;
    b->values.n = f.first;
    if (n == 0)
        return true;
    children = b->values.items + f.first;
    if (v->kind == JVAL_OBJECT) {
        v->members = arena_copy(b->arena, children, n * sizeof(*children));
        if (!names_differ(b, children, n))
            return refuse(b, "two members of one object have the same name");
        return true;
    }
    v->items = ARENA_ARRAY(b->arena, n, const struct jval *);
    for (size_t i = 0; i < n; i++)
        v->items[i] = children[i].value;
    return true;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_object,
    .yajl_map_key = on_key,
    .yajl_end_map = close_frame,
    .yajl_start_array = on_start_array,
    .yajl_end_array = close_frame,
};

/* --- what yajl does not refuse ------------------------------------------------------ */

static bool hex4(const char *p, unsigned *out)
{
    unsigned v = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9')
            v = v << 4 | (unsigned)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            v = v << 4 | (unsigned)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

/*
 * A backslash is legal inside strings only, so escapes can be found without
 * knowing where strings are; what is malformed otherwise is yajl's to refuse.
 */
static const char *check_escapes(struct str text)
{
    const char *p = text.data, *end = text.data + text.len;
    unsigned unit, low;

    while (p < end && (p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
        if (end - p < 6 || p[1] != 'u' || !hex4(p + 2, &unit)) {
            p += 2;
            continue;
        }
        p += 6;
        if (unit == 0)
            return "\\u0000 cannot be stored";
        if (unit < 0xd800 || unit > 0xdfff)
            continue;
        if (unit > 0xdbff || end - p < 6 || p[0] != '\\' || p[1] != 'u' || !hex4(p + 2, &low) ||
            low < 0xdc00 || low > 0xdfff)
            return "half of a surrogate pair";
        p += 6;
    }
    return NULL;
}

/* Only the fixed sentence of yajl's message, which quotes nothing of the text. */
static struct str reason(yajl_handle h, struct arena *a)
{
    unsigned char *text = yajl_get_error(h, 0, NULL, 0);
    struct str s = arena_dup(a, str_trim(str_of((const char *)text)));
    struct str head, tail;

    yajl_free_error(h, text);
    if (str_cut(s, ':', &head, &tail))
        s = str_trim(tail);
    return s;
}

static bool not_json(struct errors *errs, const char *why)
{
    errors_add(errs, BAD_REQUEST, "invalid JSON: %s", why);
    return false;
}

bool jval_parse(struct str text, const struct jval_limits *lim, struct arena *a,
                const struct jval **out, struct errors *errs)
{
    struct builder b = {.arena = a, .text = text, .limits = lim};
    yajl_alloc_funcs memory = {yajl_take, yajl_grow, yajl_release, a};
    const unsigned char *bytes = (const unsigned char *)text.data;
    const char *why;
    yajl_status status;
    yajl_handle h;

    if (text.len == 0)
        return not_json(errs, "the text is empty");
    if (!str_is_utf8(text))
        return not_json(errs, "not UTF-8");
    if ((why = check_escapes(text)) != NULL)
        return not_json(errs, why);
    /* Blanks to yajl, and in strings illegal. */
    if (memchr(text.data, '\f', text.len) != NULL || memchr(text.data, '\v', text.len) != NULL)
        return not_json(errs, "a control character");
    h = yajl_alloc(&callbacks, &memory, &b);
    CHECK(h != NULL);
    yajl_config(h, yajl_dont_validate_strings, 1);
    status = yajl_parse(h, bytes, text.len);
    /* It forgets what it has begun to read behind a whole value; a string cannot have this. */
    if (status == yajl_status_ok)
        status = yajl_parse(h, (const unsigned char *)"\n", 1);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(h);
    if (b.refused != NULL)
        return not_json(errs, b.refused);
    if (status != yajl_status_ok) {
        struct str s = reason(h, a);

        errors_add(errs, BAD_REQUEST, "invalid JSON: %.*s (byte %zu)", STR_ARG(s),
                   yajl_get_bytes_consumed(h));
        return false;
    }
    CHECK(b.root != NULL);
    *out = b.root;
    return true;
}

const struct jval *jval_get(const struct jval *v, struct str name)
{
    if (v == NULL || v->kind != JVAL_OBJECT)
        return NULL;
    for (size_t i = 0; i < v->n; i++)
        if (str_eq(v->members[i].name, name))
            return v->members[i].value;
    return NULL;
}

/* As deep as the tree, which jval_limits bounded. */
void jval_write(const struct jval *v, struct buf *out)
{
    switch (v->kind) {
    case JVAL_NULL:
        buf_append_lit(out, "null");
        break;
    case JVAL_BOOL:
        jwriter_bool(out, v->boolean);
        break;
    case JVAL_NUMBER:
        buf_append_str(out, v->text);
        break;
    case JVAL_STRING:
        jwriter_string(out, v->text);
        break;
    case JVAL_ARRAY:
        buf_append_char(out, '[');
        for (size_t i = 0; i < v->n; i++) {
            if (i > 0)
                buf_append_char(out, ',');
            jval_write(v->items[i], out);
        }
        buf_append_char(out, ']');
        break;
    case JVAL_OBJECT:
        buf_append_char(out, '{');
        for (size_t i = 0; i < v->n; i++) {
            if (i > 0)
                buf_append_char(out, ',');
            jwriter_key(out, v->members[i].name);
            jval_write(v->members[i].value, out);
        }
        buf_append_char(out, '}');
        break;
    }
}

struct library jval_library(void)
{
    struct library l = {.name = "yajl"};
    int v = yajl_version();

    snprintf(l.compiled, sizeof(l.compiled), "%d.%d.%d", YAJL_MAJOR, YAJL_MINOR, YAJL_MICRO);
    snprintf(l.running, sizeof(l.running), "%d.%d.%d", v / 10000, v / 100 % 100, v % 100);
    return l;
}
