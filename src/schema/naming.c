/*
 * naming.c - names of the database to names of GraphQL, singular and plural.
 *
 * Thread:   any.
 * Memory:   results are in the arena given.
 * Not here: conflicts between names (build.c).
 */
#include "schema/naming.h"

struct irregular {
    struct str singular;
    struct str plural;
};

/* Sorted by nothing: looked through once per relation. The same twice: has no other plural. */
static const struct irregular irregulars[] = {
  /* clang-format off */
    { STR_INIT("person"), STR_INIT("people") },
    { STR_INIT("child"), STR_INIT("children") },
    { STR_INIT("man"), STR_INIT("men") },
    { STR_INIT("woman"), STR_INIT("women") },
    { STR_INIT("foot"), STR_INIT("feet") },
    { STR_INIT("tooth"), STR_INIT("teeth") },
    { STR_INIT("mouse"), STR_INIT("mice") },
    { STR_INIT("leaf"), STR_INIT("leaves") },
    { STR_INIT("shelf"), STR_INIT("shelves") },
    { STR_INIT("knife"), STR_INIT("knives") },
    { STR_INIT("life"), STR_INIT("lives") },
    { STR_INIT("half"), STR_INIT("halves") },
    { STR_INIT("hero"), STR_INIT("heroes") },
    { STR_INIT("echo"), STR_INIT("echoes") },
    { STR_INIT("potato"), STR_INIT("potatoes") },
    { STR_INIT("tomato"), STR_INIT("tomatoes") },
    { STR_INIT("quiz"), STR_INIT("quizzes") },
    { STR_INIT("index"), STR_INIT("indices") },
    { STR_INIT("matrix"), STR_INIT("matrices") },
    { STR_INIT("vertex"), STR_INIT("vertices") },
    { STR_INIT("axis"), STR_INIT("axes") },
    { STR_INIT("analysis"), STR_INIT("analyses") },
    { STR_INIT("basis"), STR_INIT("bases") },
    { STR_INIT("crisis"), STR_INIT("crises") },
    { STR_INIT("diagnosis"), STR_INIT("diagnoses") },
    { STR_INIT("thesis"), STR_INIT("theses") },
    { STR_INIT("criterion"), STR_INIT("criteria") },
    { STR_INIT("cache"), STR_INIT("caches") },
    { STR_INIT("movie"), STR_INIT("movies") },
    { STR_INIT("cookie"), STR_INIT("cookies") },
    { STR_INIT("gas"), STR_INIT("gases") },
    { STR_INIT("alias"), STR_INIT("aliases") },
    { STR_INIT("canvas"), STR_INIT("canvases") },
    { STR_INIT("atlas"), STR_INIT("atlases") },
    { STR_INIT("bias"), STR_INIT("biases") },
    { STR_INIT("lens"), STR_INIT("lenses") },
    { STR_INIT("news"), STR_INIT("news") },
    { STR_INIT("series"), STR_INIT("series") },
    { STR_INIT("species"), STR_INIT("species") },
    { STR_INIT("data"), STR_INIT("data") },
    { STR_INIT("metadata"), STR_INIT("metadata") },
    { STR_INIT("media"), STR_INIT("media") },
    { STR_INIT("information"), STR_INIT("information") },
    { STR_INIT("equipment"), STR_INIT("equipment") },
    { STR_INIT("staff"), STR_INIT("staff") },
    { STR_INIT("software"), STR_INIT("software") },
    { STR_INIT("feedback"), STR_INIT("feedback") },
    { STR_INIT("analytics"), STR_INIT("analytics") },
  /* clang-format on */
};

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c);
}

static char to_upper(char c)
{
    return is_lower(c) ? (char)(c - 'a' + 'A') : c;
}

static char to_lower(char c)
{
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* The run of letters and digits at or after *pos; false if there is none. */
static bool next_word(struct str name, size_t *pos, struct str *word)
{
    size_t start = *pos;
    size_t end;

    if (name.len == 0)
        return false;
    while (start < name.len && !is_alnum(name.data[start]))
        start++;
    end = start;
    while (end < name.len && is_alnum(name.data[end]))
        end++;
    *pos = end;
    /* A name of no letters may be no text at all. */
    *word = end > start ? str_make(name.data + start, end - start) : STR("");
    return end > start;
}

static bool has_lower(struct str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        if (is_lower(s.data[i]))
            return true;
    return false;
}

/* Words joined, each but (for camelCase) the first with a capital. A word all in capitals counts as
 * one in small letters, else letters after the first keep their case. */
static struct str join_words(struct str name, bool capital, struct arena *a)
{
    char *out = arena_alloc(a, name.len + 2);
    size_t n = 0, pos = 0, i;
    struct str word;
    bool first = true;

    /* One underscore in front is a name's own, two are the specification's. */
    if (name.len > 1 && name.data[0] == '_' && name.data[1] != '_' && is_alnum(name.data[1]))
        out[n++] = '_';
    while (next_word(name, &pos, &word)) {
        bool shout = !has_lower(word);

        if (first && n == 0 && is_digit(word.data[0]))
            out[n++] = '_';
        for (i = 0; i < word.len; i++) {
            char c = word.data[i];

            if (i == 0)
                c = first && !capital ? to_lower(c) : to_upper(c);
            else if (shout)
                c = to_lower(c);
            out[n++] = c;
        }
        first = false;
    }
    return first ? str_make("", 0) : str_make(out, n);
}

struct str naming_camel(struct str name, struct arena *a)
{
    return join_words(name, false, a);
}

struct str naming_pascal(struct str name, struct arena *a)
{
    return join_words(name, true, a);
}

struct str naming_snake(struct str name, struct arena *a)
{
    char *out = arena_alloc(a, 2 * name.len + 1);
    size_t n = 0, i;

    for (i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (is_upper(c) && i > 0 && name.data[i - 1] != '_' &&
            (!is_upper(name.data[i - 1]) || (i + 1 < name.len && is_lower(name.data[i + 1]))))
            out[n++] = '_';
        out[n++] = to_lower(c);
    }
    return str_make(out, n);
}

bool naming_is_legal(struct str name)
{
    size_t i;

    if (name.len == 0 || is_digit(name.data[0]))
        return false;
    if (name.len >= 2 && name.data[0] == '_' && name.data[1] == '_')
        return false;
    for (i = 0; i < name.len; i++)
        if (!is_alnum(name.data[i]) && name.data[i] != '_')
            return false;
    return true;
}

struct str naming_enum_value(struct str label, struct arena *a)
{
    char *out;
    size_t n = 0, pos = 0, i;
    struct str word;

    if (naming_is_legal(label) && !str_is(label, "true") && !str_is(label, "false") &&
        !str_is(label, "null"))
        return arena_dup(a, label);
    out = arena_alloc(a, label.len + 2);
    while (next_word(label, &pos, &word)) {
        if (n > 0 || is_digit(word.data[0]))
            out[n++] = '_';
        for (i = 0; i < word.len; i++)
            out[n++] = to_upper(word.data[i]);
    }
    return str_make(out, n);
}

struct str naming_strip(struct str name, const struct str *prefixes, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (name.len > prefixes[i].len && prefixes[i].len > 0 && str_starts(name, prefixes[i]))
            return str_sub(name, prefixes[i].len, name.len);
    return name;
}

static struct str with_first(struct str name, char (*change)(char), struct arena *a)
{
    char *out;

    if (name.len == 0)
        return name;
    out = arena_copy(a, name.data, name.len);
    out[0] = change(out[0]);
    return str_make(out, name.len);
}

struct str naming_lower_first(struct str name, struct arena *a)
{
    return with_first(name, to_lower, a);
}

struct str naming_upper_first(struct str name, struct arena *a)
{
    return with_first(name, to_upper, a);
}

/* Where the last word begins: after the last character that is no letter, or at the last capital
 * that follows a small letter. */
static size_t last_word(struct str s)
{
    size_t i = s.len;

    while (i > 0 && (is_lower(s.data[i - 1]) || is_upper(s.data[i - 1]))) {
        i--;
        if (i > 0 && is_upper(s.data[i]) && is_lower(s.data[i - 1]))
            break;
    }
    return i;
}

/* head + tail, where the first letter of tail gets the case of `like`. */
static struct str replace_word(struct str head, struct str tail, char like, struct arena *a)
{
    char *out = arena_alloc(a, head.len + tail.len + 1);

    if (head.len)
        memcpy(out, head.data, head.len);
    memcpy(out + head.len, tail.data, tail.len);
    if (is_upper(like))
        out[head.len] = to_upper(out[head.len]);
    return str_make(out, head.len + tail.len);
}

static bool ends(struct str s, const char *suffix)
{
    struct str end = str_of(suffix);

    return s.len >= end.len && str_eq_nocase(str_sub(s, s.len - end.len, end.len), end);
}

/* name without its last `cut` bytes, and `add` behind. */
static struct str change_end(struct str name, size_t cut, const char *add, struct arena *a)
{
    return arena_printf(a, "%.*s%s", (int)(name.len - cut), name.data, add);
}

static bool is_vowel(char c)
{
    c = to_lower(c);
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

struct str naming_plural(struct str name, struct arena *a)
{
    size_t at = last_word(name);
    struct str head = str_sub(name, 0, at);
    struct str word = str_sub(name, at, name.len);
    size_t i;

    if (word.len == 0)
        return arena_printf(a, "%.*ss", STR_ARG(name));
    for (i = 0; i < COUNT_OF(irregulars); i++) {
        if (str_eq_nocase(word, irregulars[i].plural))
            return arena_dup(a, name);
        if (str_eq_nocase(word, irregulars[i].singular))
            return replace_word(head, irregulars[i].plural, word.data[0], a);
    }
    if (ends(word, "s") || ends(word, "x") || ends(word, "z") || ends(word, "ch") ||
        ends(word, "sh"))
        return change_end(name, 0, "es", a);
    if (ends(word, "y") && word.len > 1 && !is_vowel(word.data[word.len - 2]))
        return change_end(name, 1, "ies", a);
    return change_end(name, 0, "s", a);
}

/* "statuses", "buses", but not "houses", "clauses", "uses". */
static bool plural_of_us(struct str word)
{
    char before;

    if (!ends(word, "uses") || word.len < 5)
        return false;
    before = to_lower(word.data[word.len - 5]);
    return before != 'o' && before != 'a' && before != 'f';
}

struct str naming_singular(struct str name, struct arena *a)
{
    size_t at = last_word(name);
    struct str head = str_sub(name, 0, at);
    struct str word = str_sub(name, at, name.len);
    size_t i;

    for (i = 0; word.len && i < COUNT_OF(irregulars); i++) {
        if (str_eq_nocase(word, irregulars[i].singular))
            return arena_dup(a, name);
        if (str_eq_nocase(word, irregulars[i].plural))
            return replace_word(head, irregulars[i].singular, word.data[0], a);
    }
    if (word.len < 3 || !ends(word, "s") || ends(word, "ss") || ends(word, "us") ||
        ends(word, "is"))
        return arena_dup(a, name);
    if (ends(word, "ies"))
        return word.len > 4 ? change_end(name, 3, "y", a) : change_end(name, 1, "", a);
    if (ends(word, "sses") || ends(word, "xes") || ends(word, "ches") || ends(word, "shes") ||
        ends(word, "zzes") || plural_of_us(word))
        return change_end(name, 2, "", a);
    return change_end(name, 1, "", a);
}
