/*
 * show.c - the configuration as YAML: what is in effect, and the sample with comments.
 *
 * Thread:   any.
 * Memory:   the caller's buf; an arena for the time of the call.
 */
#include <ctype.h>

#include "config/config.h"

#include "base/jwriter.h"
#include "config/settings.h"

#define MAX_SEGMENTS 12

/* Writes keys in order as a tree: opens the maps and lists a key is in that are not open yet. */
struct tree {
    struct buf *out;
    struct str open[MAX_SEGMENTS];
    size_t depth;
    size_t comment_from; /* levels from here on are comments; SIZE_MAX: none */
    bool line_begun;     /* by the dash of a list item */
};

/* "auth.jwt.keys[0].kid" → auth, jwt, keys, [0], kid */
static size_t split_key(struct str key, struct str *segments)
{
    size_t n = 0, start = 0;

    for (size_t i = 0; i <= key.len; i++) {
        if (i < key.len && key.data[i] != '.' && key.data[i] != '[')
            continue;
        CHECK(n < MAX_SEGMENTS);
        if (i > start)
            segments[n++] = str_sub(key, start, i - start);
        start = i < key.len && key.data[i] == '[' ? i : i + 1;
    }
    return n;
}

static bool is_index(struct str segment)
{
    return segment.len > 0 && segment.data[0] == '[';
}

static void indent(struct buf *out, size_t level)
{
    for (size_t i = 0; i < level; i++)
        buf_append_lit(out, "  ");
}

/* The line of a segment; below a section that is commented out the "#" keeps its column. */
static void begin_line(struct tree *t, size_t level)
{
    if (t->line_begun) {
        t->line_begun = false;
        return;
    }
    if (level < t->comment_from) {
        indent(t->out, level);
        return;
    }
    indent(t->out, t->comment_from);
    buf_append_char(t->out, '#');
    indent(t->out, level - t->comment_from);
}

static void open_sections(struct tree *t, const struct str *segments, size_t n)
{
    size_t same = 0;

    while (same < n - 1 && same < t->depth && str_eq(segments[same], t->open[same]))
        same++;
    for (size_t i = same; i < n - 1; i++) {
        begin_line(t, i);
        if (is_index(segments[i])) {
            buf_append_lit(t->out, "- ");
            t->line_begun = true;
        } else {
            buf_printf(t->out, "%.*s:\n", STR_ARG(segments[i]));
        }
        t->open[i] = segments[i];
    }
    t->depth = n - 1;
}

static void write_leaf(struct tree *t, const struct str *segments, size_t n)
{
    begin_line(t, n - 1);
    buf_printf(t->out, "%.*s: ", STR_ARG(segments[n - 1]));
}

/* Can it stand without quotes, and mean the same text? */
static bool is_plain(struct str s)
{
    if (s.len == 0 || str_is(s, "null") || s.data[0] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.data[i]) && memchr("_./-", s.data[i], 4) == NULL)
            return false;
    return true;
}

/* As it must be written to be read back: quoted where needed. */
static void write_text(struct buf *out, struct str s)
{
    if (is_plain(s))
        buf_append_str(out, s);
    else
        jwriter_string(out, s);
}

/* With "$" doubled, since reading expands. */
static void write_literal(struct buf *out, struct str s)
{
    struct buf b = {0};

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '$')
            buf_append_char(&b, '$');
        buf_append_char(&b, s.data[i]);
    }
    write_text(out, buf_str(&b));
    buf_fini(&b);
}

/* --- what is in effect ----------------------------------------------------------------- */

static bool shows_list(const struct config_option *o)
{
    return o->type == OPTION_STRINGS || o->type == OPTION_DURATIONS || o->list;
}

static void dump_setting(struct tree *t, const struct setting *s)
{
    struct str segments[MAX_SEGMENTS];
    size_t n = split_key(s->key, segments);

    open_sections(t, segments, n);
    write_leaf(t, segments, n);
    if (s->option->secret && s->n > 0 && s->items[0].len > 0) {
        buf_append_lit(t->out, "\"***\"");
    } else if (shows_list(s->option)) {
        buf_append_char(t->out, '[');
        for (size_t i = 0; i < s->n; i++) {
            if (i > 0)
                buf_append_lit(t->out, ", ");
            write_literal(t->out, s->items[i]);
        }
        buf_append_char(t->out, ']');
    } else {
        write_literal(t->out, s->items[0]);
    }
    buf_printf(t->out, " # %.*s\n", STR_ARG(s->origin));
}

/* The settings of one pattern are together as they are in their section, which comes once. */
static bool same_section(const char *a, const char *b)
{
    size_t n = strcspn(a, "*[");

    return a[n] != '\0' && strncmp(a, b, n + 1) == 0;
}

/* Settings in the order in which they were first named, by whatever source. */
struct group {
    const struct setting **items;
    size_t n;
};

static struct str segment_of(const struct setting *s, size_t level)
{
    struct str segments[MAX_SEGMENTS];
    size_t n = split_key(s->key, segments);

    return level < n ? segments[level] : STR("");
}

/* The segment that comes next: the first one named or, of a list, the least index. */
static struct str next_segment(struct group g, size_t level)
{
    struct str best = segment_of(g.items[0], level);

    for (size_t i = 1; i < g.n && is_index(best); i++) {
        struct str other = segment_of(g.items[i], level);

        if (other.len < best.len ||
            (other.len == best.len && memcmp(other.data, best.data, best.len) < 0))
            best = other;
    }
    return best;
}

/* Each section and list item once, with all that is in it. */
static void dump_group(struct tree *t, struct group g, size_t level)
{
    while (g.n > 0) {
        struct str segment = next_segment(g, level);
        struct group of = {.items = xcalloc(g.n, sizeof(const struct setting *))};
        size_t left = 0;

        for (size_t i = 0; i < g.n; i++) {
            if (str_eq(segment_of(g.items[i], level), segment))
                of.items[of.n++] = g.items[i];
            else
                g.items[left++] = g.items[i];
        }
        g.n = left;
        if (segment.len == 0 || of.n == 1)
            dump_setting(t, of.items[0]);
        else
            dump_group(t, of, level + 1);
        xfree(of.items);
    }
}

static void dump_pattern(struct tree *t, const struct config *c, const char *pattern)
{
    const struct map *all = &c->settings->by_key;
    struct group g = {.items = xcalloc(all->n, sizeof(const struct setting *))};

    for (size_t i = 0; i < all->n; i++) {
        const struct setting *s = all->entries[i].value;

        if (same_section(pattern, s->option->key))
            g.items[g.n++] = s;
    }
    dump_group(t, g, 0);
    xfree(g.items);
}

void config_dump(const struct config *c, struct buf *out)
{
    struct tree t = {.out = out, .comment_from = SIZE_MAX};

    for (size_t i = 0; i < options_count; i++) {
        const char *key = options_table[i].key;
        const struct setting *s = settings_get(c->settings, str_of(key));

        if (s != NULL)
            dump_setting(&t, s);
        else if (strpbrk(key, "*[") != NULL &&
                 (i == 0 || !same_section(key, options_table[i - 1].key)))
            dump_pattern(&t, c, key);
    }
}

/* --- the sample ------------------------------------------------------------------------ */

/* Is the description worth a place in the sample? */
static bool has_range(const struct config_option *o)
{
    return o->max > 0 ? o->type != OPTION_VERSION
                      : o->type == OPTION_CHOICE || o->type == OPTION_FLAG;
}

static void write_help(struct buf *out, const struct config_option *o, size_t level)
{
    struct str rest = str_of(o->help), line;

    while (rest.len > 0) {
        str_cut(rest, '\n', &line, &rest);
        indent(out, level);
        buf_printf(out, "# %.*s\n", STR_ARG(line));
    }
    if (has_range(o)) {
        indent(out, level);
        buf_append_lit(out, "# (");
        option_range(o, out);
        buf_append_lit(out, ")\n");
    }
}

/* A word that YAML takes for a number, as the version of a protocol. */
static bool is_numeric_word(const struct config_option *o, struct str text)
{
    return (o->type == OPTION_CHOICE || o->type == OPTION_FLAG) && text.len > 0 &&
           isdigit((unsigned char)text.data[0]);
}

static void write_sample_value(struct buf *out, const struct config_option *o, const char *text)
{
    struct str rest = str_of(text), item;

    if (!shows_list(o)) {
        if (is_numeric_word(o, rest))
            jwriter_string(out, rest);
        else
            write_text(out, rest);
        return;
    }
    buf_append_char(out, '[');
    while (rest.len > 0) {
        str_cut(rest, ',', &item, &rest);
        write_text(out, str_trim(item));
        if (rest.len > 0)
            buf_append_lit(out, ", ");
    }
    buf_append_char(out, ']');
}

/* A key as somebody would write it: "keys[].secret" is "keys[0].secret_file". */
static struct str sample_key(const struct config_option *o, struct arena *a)
{
    struct buf b = {0};
    struct str name = strncmp(o->key, "jobs.", 5) == 0 ? STR("tenant_summary") : STR("tenant_id");
    struct str key;

    for (const char *p = o->key; *p != '\0'; p++) {
        if (*p == '*')
            buf_append_str(&b, p[1] != '\0' ? name : STR("sslrootcert"));
        else
            buf_append_char(&b, *p);
        if (*p == '[')
            buf_append_char(&b, '0');
    }
    key = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    if (o->secret && o->fallback == NULL)
        key = arena_printf(a, "%.*s_file", STR_ARG(key));
    return key;
}

/* What the user names or lists himself is a comment from its section on. */
static size_t commented_level(const struct config_option *o, size_t n)
{
    struct str segments[MAX_SEGMENTS];
    size_t open = strcspn(o->key, "*[");

    if (o->key[open] != '\0')
        return split_key(str_trim(str_make(o->key, o->key[open] == '*' ? open - 1 : open)),
                         segments) -
               1;
    return o->fallback != NULL ? SIZE_MAX : n - 1;
}

static void write_sample(struct tree *t, const struct config_option *o, struct str key)
{
    struct str segments[MAX_SEGMENTS];
    size_t n = split_key(key, segments);
    const char *value = o->fallback != NULL ? o->fallback : o->sample;
    bool pattern = strpbrk(o->key, "*[") != NULL;

    if (value == NULL)
        return;
    if (n == 1 || t->depth == 0 || !str_eq(segments[0], t->open[0]))
        buf_append_char(t->out, '\n');
    t->comment_from = commented_level(o, n);
    open_sections(t, segments, n);
    if (!pattern)
        write_help(t->out, o, n - 1);
    write_leaf(t, segments, n);
    write_sample_value(t->out, o, value);
    if (pattern)
        buf_printf(t->out, " # %s", o->help);
    buf_append_char(t->out, '\n');
}

void config_example(struct buf *out)
{
    struct arena *a = arena_new(0);
    struct tree t = {.out = out};

    buf_append_lit(
        out,
        "# fraiseqld: every option with its default; what is behind a \"#\" is not set.\n"
        "#\n"
        "# Values may hold ${VAR}, ${VAR:-default}, ${VAR:?message} and ${file:/path}; $$ stands "
        "for $.\n"
        "# A secret may come from a file: password_file, secret_file, url_file.\n"
        "# The variable FRAISEQLD_DATABASE__POOL__MAX overrides database.pool.max, and so on.\n");
    for (size_t i = 0; i < options_count; i++)
        write_sample(&t, &options_table[i], sample_key(&options_table[i], a));
    arena_free(a);
}

/* --- one key --------------------------------------------------------------------------- */

static void write_variable(struct buf *out, const char *key)
{
    buf_append_lit(out, "FRAISEQLD_");
    for (const char *p = key; *p != '\0'; p++) {
        if (*p == '.')
            buf_append_lit(out, "__");
        else if (*p == '*')
            buf_append_lit(out, "NAME");
        else if (*p == '[')
            buf_append_lit(out, "__N");
        else if (*p != ']')
            buf_append_char(out, (char)toupper((unsigned char)*p));
    }
}

static void explain_option(const struct config_option *o, struct buf *out)
{
    struct str rest = str_of(o->help), line;

    buf_printf(out, "%s: ", o->key);
    option_describe(o, out);
    buf_append_char(out, '\n');
    while (rest.len > 0) {
        str_cut(rest, '\n', &line, &rest);
        buf_printf(out, "  %.*s\n", STR_ARG(line));
    }
    if (o->fallback != NULL)
        buf_printf(out, "  default:  %s\n", o->fallback[0] != '\0' ? o->fallback : "\"\" (none)");
    buf_printf(out, "  reload:   %s\n", o->live ? "takes effect" : "needs a restart");
    buf_append_lit(out, "  variable: ");
    write_variable(out, o->key);
    buf_append_char(out, '\n');
    if (o->secret)
        buf_printf(out, "  file:     %s_file names a file that holds it\n", o->key);
}

bool config_explain(struct str key, struct buf *out)
{
    const struct config_option *o = option_find(key);
    struct str nearest;

    if (o != NULL) {
        explain_option(o, out);
        return true;
    }
    if (option_is_section(key)) {
        for (size_t i = 0; i < options_count; i++)
            if (str_starts(str_of(options_table[i].key), key) &&
                strchr(".[", options_table[i].key[key.len]) != NULL)
                explain_option(&options_table[i], out);
        return true;
    }
    nearest = option_suggest(key);
    if (nearest.len > 0)
        buf_printf(out, "did you mean \"%.*s\"?", STR_ARG(nearest));
    return false;
}
