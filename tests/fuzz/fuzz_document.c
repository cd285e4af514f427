/*
 * fuzz_document.c - projection of JSON documents: no byte past the end, and what is valid JSON
 * gives what a parser finds in it.
 *
 * The input is a document. Keys are those of the first object that a parser sees, and one that is
 * not there; values found have to be the parser's.
 */
#include "execution/document.h"

#define MAX_KEYS 16

static const struct jval_limits limits = {.max_depth = 64, .max_values = 4000};

/* As the document has it between quotes: only such are looked for. */
static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < ' ' || s.data[i] == '"' || s.data[i] == '\\')
            return false;
    return true;
}

static size_t sorted_keys(const struct jval *object, struct str *keys)
{
    size_t n = 0;

    for (size_t i = 0; i < object->n && n + 1 < MAX_KEYS; i++) {
        struct str key = object->members[i].name;
        size_t at = n;

        if (!is_plain(key) || jval_get(object, key) != object->members[i].value)
            continue;
        for (; at > 0 && str_cmp_length(keys[at - 1], key) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
        n++;
    }
    return n;
}

static struct str again(const struct jval *v, struct arena *a)
{
    struct buf b;
    struct str s;

    buf_init(&b, 0);
    jval_write(v, &b);
    s = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return s;
}

static void check_value(const struct jval *expected, struct str text, struct arena *a)
{
    const struct jval *v = NULL;
    struct errors errs;

    errors_init(&errs, a);
    CHECK(jval_parse(text, &limits, a, &v, &errs));
    CHECK(str_eq(again(v, a), again(expected, a)));
}

static bool has_doubled_keys(const struct jval *object)
{
    for (size_t i = 0; i < object->n; i++)
        if (jval_get(object, object->members[i].name) != object->members[i].value)
            return true;
    return false;
}

static void check_object(const struct jval *object, struct str text, struct arena *a)
{
    struct str keys[MAX_KEYS];
    struct pgvalue out[MAX_KEYS];
    size_t n = sorted_keys(object, keys);

    /* jsonb has no doubled keys, and no escapes but those that are needed. */
    if (has_doubled_keys(object) || memchr(text.data, '\\', text.len) != NULL)
        return;
    CHECK(document_find(text, keys, n, out));
    for (size_t i = 0; i < n; i++) {
        const struct jval *expected = jval_get(object, keys[i]);

        CHECK((out[i].len == -1) == (expected->kind == JVAL_NULL));
        if (out[i].len > 0)
            check_value(expected, str_make(out[i].data, (size_t)out[i].len), a);
    }
}

static void check_list(const struct jval *list, struct str text, struct arena *a)
{
    struct document_items it;
    struct str item;
    bool more;

    CHECK(document_begin(text, &it));
    for (size_t i = 0; i < list->n; i++) {
        CHECK(document_next(&it, &item, &more) && more);
        check_value(list->items[i], item, a);
    }
    CHECK(document_next(&it, &item, &more) && !more);
}

/* Whatever it is: every form takes it or not, and what one writes is JSON. */
static void check_forms(const struct jval *v, struct str text, struct arena *a)
{
    for (int form = JSON_ANY; form <= JSON_MAC; form++) {
        const struct codec c = {.json = (enum json_form)form};
        const struct jval *written;
        struct errors errs;
        struct buf out;

        errors_init(&errs, a);
        buf_init(&out, 0);
        if (v->kind != JVAL_NULL && document_value(&c, text, &out))
            CHECK(jval_parse(buf_str(&out), &limits, a, &written, &errs));
        buf_fini(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str keys[] = {STR_INIT("a"), STR_INIT("id"), STR_INIT("data")};
    struct str text = str_make((const char *)data, size);
    struct arena *a = arena_new(0);
    struct pgvalue out[COUNT_OF(keys)];
    struct document_items it;
    const struct jval *v = NULL;
    struct errors errs;
    struct str item;
    bool more = true;

    errors_init(&errs, a);
    (void)!document_find(text, keys, COUNT_OF(keys), out);
    if (document_begin(text, &it))
        while (more && document_next(&it, &item, &more))
            continue;
    text = str_trim(text);
    /* The parser takes these two for blanks as well. */
    if (str_find(text, '\f') < text.len || str_find(text, '\v') < text.len)
        text = STR("");
    if (jval_parse(text, &limits, a, &v, &errs)) {
        if (v->kind == JVAL_OBJECT)
            check_object(v, text, a);
        if (v->kind == JVAL_ARRAY)
            check_list(v, text, a);
        check_forms(v, text, a);
    }
    arena_free(a);
    return 0;
}
