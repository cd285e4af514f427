/*
 * jsonschema.c - the table of options as a JSON Schema (draft 2020-12), for editors and CI.
 *
 * Thread:   any.
 * Memory:   an arena while it writes.
 * Not here: reading values (optvalue.c).
 *
 * It accepts what the daemon accepts in one file, but for what only several
 * values together tell (consistency.c). A text with "${" may become anything.
 */
#include <stdlib.h>

#include "base/jwriter.h"
#include "config/settings.h"

/* A name between the dots of keys, "*" or "[]". */
struct node {
    struct str name;
    const struct config_option *option; /* NULL: a section */
    struct {
        struct node **items;
        size_t n, cap;
    } below;
};

/* --- the tree ------------------------------------------------------------------------ */

static struct node *child(struct node *of, struct str name, struct arena *a)
{
    struct node *n;

    for (size_t i = 0; i < of->below.n; i++)
        if (str_eq(of->below.items[i]->name, name))
            return of->below.items[i];
    n = ARENA_NEW(a, struct node);
    n->name = name;
    VEC_PUSH(a, &of->below, n);
    return n;
}

static void add(struct node *root, const struct config_option *o, struct arena *a)
{
    struct str rest = str_of(o->key), part;
    struct node *n = root;

    while (rest.len > 0) {
        str_cut(rest, '.', &part, &rest);
        n = child(n, str_sub(part, 0, str_find(part, '[')), a);
        if (str_find(part, '[') < part.len)
            n = child(n, STR("[]"), a);
    }
    n->option = o;
}

/* --- values -------------------------------------------------------------------------- */

static const char expandable[] = "{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{\"}";

/* One of the words, or what is expanded. */
static void write_words(struct buf *out, const char *choices, bool truths)
{
    struct str rest = str_of(choices), word;

    buf_append_lit(out, "\"anyOf\":[{\"enum\":[");
    while (rest.len > 0) {
        str_cut(rest, '|', &word, &rest);
        jwriter_string(out, word);
        if (truths && (str_is(word, "true") || str_is(word, "on")))
            buf_append_lit(out, ",true");
        if (truths && (str_is(word, "false") || str_is(word, "off")))
            buf_append_lit(out, ",false");
        if (rest.len > 0)
            buf_append_char(out, ',');
    }
    buf_printf(out, "]},%s]", expandable);
}

static void write_number(struct buf *out, const struct config_option *o)
{
    buf_append_lit(out, "\"anyOf\":[{\"type\":\"integer\"");
    buf_printf(out, ",\"minimum\":%llu", (unsigned long long)o->min);
    if (o->max > 0)
        buf_printf(out, ",\"maximum\":%llu", (unsigned long long)o->max);
    buf_append_char(out, '}');
    if (o->type == OPTION_COUNT && o->choices != NULL)
        buf_printf(out, ",{\"const\":\"%s\"}", o->choices);
    buf_printf(out, ",{\"type\":\"string\",\"pattern\":\"^[0-9]+$\"},%s]", expandable);
}

static void write_pattern(struct buf *out, const char *pattern)
{
    buf_append_lit(out, "\"type\":\"string\",\"pattern\":");
    jwriter_string(out, str_of(pattern));
}

static const char text_types[] = "\"type\":[\"string\",\"number\",\"boolean\"]";

static void write_list(struct buf *out)
{
    buf_printf(out, "\"type\":\"array\",\"items\":{%s}", text_types);
}

static void write_type(struct buf *out, const struct config_option *o)
{
    static const char duration[] = "^[0-9]+(ms|s|m|h|d)$|\\$\\{";

    switch (o->type) {
    case OPTION_STRINGS:
        write_list(out);
        break;
    case OPTION_BOOL:
        write_words(out, "true|false|on|off|yes|no", true);
        break;
    case OPTION_COUNT:
    case OPTION_VERSION:
        write_number(out, o);
        break;
    case OPTION_BYTES:
        buf_append_lit(out, "\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{");
        write_pattern(out, "^[0-9]+([KMG]i?B|B)?$|\\$\\{");
        buf_append_lit(out, "}]");
        break;
    case OPTION_RATIO:
        buf_append_lit(out, "\"anyOf\":[{\"type\":\"number\",\"minimum\":0,\"maximum\":1},{");
        write_pattern(out, "^[0-9]+(\\.[0-9]+)?%?$|\\$\\{");
        buf_append_lit(out, "}]");
        break;
    case OPTION_DURATION:
        write_pattern(out, duration);
        break;
    case OPTION_DURATIONS:
        buf_append_lit(out, "\"type\":\"array\",\"minItems\":2,\"maxItems\":2,\"items\":{");
        write_pattern(out, duration);
        buf_append_char(out, '}');
        break;
    case OPTION_CHOICE:
    case OPTION_FLAG:
        write_words(out, o->choices, o->type == OPTION_CHOICE);
        break;
    case OPTION_STRING:
    case OPTION_KEYWORD:
    case OPTION_PART:
        if (o->list)
            write_list(out);
        else if (o->type == OPTION_PART && o->choices != NULL)
            write_words(out, o->choices, true);
        else if (o->max > 0)
            write_number(out, o);
        else
            buf_append_str(out, str_of(text_types));
        break;
    }
}

/* --- sections ------------------------------------------------------------------------- */

static void write_leaf(struct buf *out, const struct config_option *o)
{
    struct buf help = {0};

    for (const char *p = o->help; *p != '\0'; p++)
        buf_append_char(&help, *p == '\n' ? ' ' : *p);
    buf_append_lit(out, "{\"description\":");
    jwriter_string(out, buf_str(&help));
    buf_fini(&help);
    if (o->fallback != NULL && strstr(o->fallback, "${") == NULL && o->type == OPTION_BOOL)
        buf_printf(out, ",\"default\":%s", o->fallback);
    buf_append_char(out, ',');
    write_type(out, o);
    buf_append_char(out, '}');
}

static void write_member(struct buf *out, struct str name, const char *suffix, bool *first)
{
    if (!*first)
        buf_append_char(out, ',');
    *first = false;
    buf_append_char(out, '"');
    jwriter_escape(out, name);
    buf_printf(out, "%s\":", suffix);
}

static const struct node *named(const struct node *n, const char *name)
{
    for (size_t i = 0; i < n->below.n; i++)
        if (str_is(n->below.items[i]->name, name))
            return n->below.items[i];
    return NULL;
}

/* As deep as the keys of the table. A section may be empty. */
static void write_node(struct buf *out, const struct node *n)
{
    const struct node *items = named(n, "[]"), *any = named(n, "*");
    bool first = true;

    if (n->option != NULL) {
        write_leaf(out, n->option);
        return;
    }
    if (items != NULL) {
        buf_append_lit(out, "{\"type\":[\"array\",\"null\"],\"items\":");
        write_node(out, items);
        buf_append_char(out, '}');
        return;
    }
    buf_append_lit(out, "{\"type\":[\"object\",\"null\"],\"properties\":{");
    for (size_t i = 0; i < n->below.n; i++) {
        const struct node *b = n->below.items[i];

        if (b == any)
            continue;
        write_member(out, b->name, "", &first);
        write_node(out, b);
        if (b->option == NULL || !b->option->secret)
            continue;
        write_member(out, b->name, "_file", &first);
        buf_append_lit(out, "{\"description\":\"Name of a file that holds it.\","
                            "\"type\":\"string\"}");
    }
    buf_append_lit(out, "},\"additionalProperties\":");
    if (any != NULL)
        write_node(out, any);
    else
        buf_append_lit(out, "false");
    buf_append_char(out, '}');
}

void config_schema(struct buf *out)
{
    struct arena *a = arena_new(0);
    struct node root = {0};
    struct buf body = {0};

    for (size_t i = 0; i < options_count; i++)
        add(&root, &options_table[i], a);
    write_node(&body, &root);
    buf_append_lit(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                        "\"title\":\"Configuration of fraiseqld\",");
    buf_append_str(out, str_sub(buf_str(&body), 1, SIZE_MAX));
    buf_append_char(out, '\n');
    buf_fini(&body);
    arena_free(a);
}
