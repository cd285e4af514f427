/*
 * optvalue.c - the text of a value to what is stored, and types in words.
 *
 * Thread:   any.
 * Memory:   texts are borrowed; lists and reasons are in the config's arena.
 */
#include "config/options.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* Without a unit a duration is refused: nobody remembers whether it was s or ms. */
static const struct unit durations[] = {
    {"ms", 1       },
    {"s",  1000    },
    {"m",  60000   },
    {"h",  3600000 },
    {"d",  86400000},
};

/* A bare number is a number of bytes. */
static const struct unit sizes[] = {
    {"",    1                },
    {"B",   1                },
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"KB",  1000             },
    {"MB",  1000000          },
    {"GB",  1000000000       },
};

/* A whole number and a unit of the table: "250ms". */
static bool read_unit(struct str text, const struct unit *units, size_t n, uint64_t *out)
{
    size_t digits = 0;
    uint64_t number;

    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    if (!str_to_u64(str_sub(text, 0, digits), &number))
        return false;
    for (size_t i = 0; i < n; i++)
        if (str_is(str_sub(text, digits, SIZE_MAX), units[i].name))
            return !__builtin_mul_overflow(number, units[i].factor, out);
    return false;
}

/* In the largest of the first `n` units, ascending, that divides it. */
static void print_unit(uint64_t v, const struct unit *units, size_t n, struct buf *out)
{
    const struct unit *best = &units[0];

    for (size_t i = 1; i < n && v > 0; i++)
        if (v % units[i].factor == 0)
            best = &units[i];
    buf_append_u64(out, v / best->factor);
    buf_append_str(out, str_of(best->name));
}

static bool is_duration(const struct config_option *o)
{
    return o->type == OPTION_DURATION || o->type == OPTION_DURATIONS;
}

static void print_number(const struct config_option *o, uint64_t v, struct buf *out)
{
    if (is_duration(o))
        print_unit(v, durations, COUNT_OF(durations), out);
    else if (o->type == OPTION_BYTES)
        print_unit(v, sizes + 1, 4, out); /* B to GiB */
    else
        buf_append_u64(out, v);
}

static void print_choices(const char *choices, struct buf *out)
{
    for (const char *p = choices; *p != '\0'; p++) {
        if (*p == '|')
            buf_append_str(out, strchr(p + 1, '|') != NULL ? STR(", ") : STR(" or "));
        else
            buf_append_char(out, *p);
    }
}

static const char *type_name(const struct config_option *o)
{
    switch (o->type) {
    case OPTION_STRING:
    case OPTION_KEYWORD:
        return o->max > 0 ? "a number" : "a text";
    case OPTION_STRINGS:
        return "a list of texts";
    case OPTION_BOOL:
        return "true or false";
    case OPTION_COUNT:
    case OPTION_VERSION:
        return "a number";
    case OPTION_BYTES:
        return "a size such as 64KiB";
    case OPTION_RATIO:
        return "a part from 0 to 1, such as 0.01 or 1%";
    case OPTION_DURATION:
        return "a duration such as 250ms, 30s or 5m";
    case OPTION_DURATIONS:
        return "two durations such as [100ms, 10s]";
    case OPTION_PART:
        if (o->list)
            return "a list of texts";
        return o->choices != NULL ? "" : "a text";
    case OPTION_CHOICE:
    case OPTION_FLAG:
        return "";
    }
    return "";
}

void option_range(const struct config_option *o, struct buf *out)
{
    if (o->max > 0) {
        print_number(o, o->min, out);
        if (o->max != o->min) {
            buf_append_lit(out, " to ");
            print_number(o, o->max, out);
        }
    }
    if (o->choices == NULL || o->type == OPTION_KEYWORD)
        return;
    if (o->max > 0)
        buf_append_lit(out, ", or ");
    print_choices(o->choices, out);
}

void option_describe(const struct config_option *o, struct buf *out)
{
    const char *type = type_name(o);

    buf_append_str(out, str_of(type));
    if (type[0] != '\0' && (o->max > 0 || (o->choices != NULL && o->type != OPTION_KEYWORD)))
        buf_append_lit(out, ", ");
    option_range(o, out);
}

static bool refuse(const struct config_option *o, struct config *c, struct str *why)
{
    struct buf text = {0};

    option_describe(o, &text);
    *why = arena_printf(c->arena, "must be %s", buf_cstr(&text));
    buf_fini(&text);
    return false;
}

bool option_duration(struct str text, uint64_t *ms)
{
    return read_unit(text, durations, COUNT_OF(durations), ms);
}

bool option_choice(const char *choices, struct str text, unsigned *out)
{
    struct str rest = str_of(choices), choice;

    for (unsigned i = 0; rest.len > 0; i++) {
        str_cut(rest, '|', &choice, &rest);
        if (str_eq(choice, text)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool read_bool(struct str text, bool *out)
{
    static const char *const words[][3] = {
        {"false", "off", "no" },
        {"true",  "on",  "yes"}
    };

    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < COUNT_OF(words[v]); i++)
            if (str_is(text, words[v][i])) {
                *out = v == 1;
                return true;
            }
    return false;
}

static bool read_number(const struct config_option *o, struct str text, uint64_t *out)
{
    bool ok;

    if (is_duration(o))
        ok = read_unit(text, durations, COUNT_OF(durations), out);
    else if (o->type == OPTION_BYTES)
        ok = read_unit(text, sizes, COUNT_OF(sizes), out);
    else
        ok = str_to_u64(text, out);
    return ok && *out >= o->min && (o->max == 0 || *out <= o->max);
}

/* Digits with a point or without; "%" divides by a hundred. */
static bool read_ratio(struct str text, double *out)
{
    bool percent = str_ends(text, STR("%"));
    struct str number = str_sub(text, 0, text.len - percent), whole, part;
    uint64_t w, p = 0;
    double v;

    (void)str_cut(number, '.', &whole, &part);
    if (number.len > 12 || str_ends(number, STR(".")) || !str_to_u64(whole, &w) ||
        (part.len > 0 && !str_to_u64(part, &p)))
        return false;
    v = (double)p;
    for (size_t i = 0; i < part.len; i++)
        v /= 10;
    *out = ((double)w + v) / (percent ? 100 : 1);
    return *out <= 1;
}

/* "on" and "off" may be written as the truth values YAML 1.1 took them for. */
static struct str choice_word(const struct config_option *o, struct str text)
{
    unsigned index;
    bool v;

    if (option_choice(o->choices, text, &index) || !read_bool(text, &v))
        return text;
    return v ? STR("on") : STR("off");
}

static bool store_durations(const struct config_option *o, const struct str *items, size_t n,
                            uint64_t *out)
{
    return n == 2 && read_number(o, items[0], &out[0]) && read_number(o, items[1], &out[1]) &&
           out[0] <= out[1];
}

bool option_store(const struct config_option *o, const struct str *items, size_t n,
                  struct config *c, struct str *why)
{
    void *field = (char *)c + o->offset;
    struct str text = n > 0 ? items[0] : STR("");
    uint64_t number;
    unsigned index;

    switch (o->type) {
    case OPTION_STRING:
        *(struct str *)field = text;
        return true;
    case OPTION_STRINGS:
        *(struct config_strings *)field =
            (struct config_strings){arena_copy(c->arena, items, n * sizeof(*items)), n};
        return true;
    case OPTION_BOOL:
        return read_bool(text, field) || refuse(o, c, why);
    case OPTION_COUNT:
        if (o->choices != NULL && str_is(text, o->choices)) { /* the one word for 0 */
            *(size_t *)field = 0;
            return true;
        }
        if (!read_number(o, text, &number))
            return refuse(o, c, why);
        *(size_t *)field = (size_t)number;
        return true;
    case OPTION_BYTES:
        if (!read_number(o, text, &number))
            return refuse(o, c, why);
        *(size_t *)field = (size_t)number;
        return true;
    case OPTION_RATIO:
        return read_ratio(text, field) || refuse(o, c, why);
    case OPTION_DURATION:
        return read_number(o, text, field) || refuse(o, c, why);
    case OPTION_DURATIONS:
        return store_durations(o, items, n, field) || refuse(o, c, why);
    case OPTION_CHOICE:
        if (!option_choice(o->choices, choice_word(o, text), &index))
            return refuse(o, c, why);
        memcpy(field, &index, sizeof(index)); /* enums are as wide, see config.c */
        return true;
    case OPTION_FLAG:
        if (!option_choice(o->choices, text, &index))
            return refuse(o, c, why);
        *(bool *)field = index != 0;
        return true;
    case OPTION_VERSION:
        return (read_number(o, text, &number) && number == 1) || refuse(o, c, why);
    case OPTION_KEYWORD: /* put together by sections.c; here only checked */
        return o->max == 0 || read_number(o, text, &number) || refuse(o, c, why);
    case OPTION_PART:
        return o->choices == NULL || option_choice(o->choices, text, &index) || refuse(o, c, why);
    }
    return false;
}
