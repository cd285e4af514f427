/*
 * cron.c - reads expressions of crontab(5), and walks time until one holds.
 *
 * Thread:   any.
 * Memory:   none.
 */
#include "jobs/cron.h"

#define MINUTE 60
#define DAY    86400
/* From one February 29th to the next there may be eight years. */
#define HORIZON ((int64_t)9 * 366 * DAY)
/* Clocks are put back by two hours at most. */
#define LONGEST_SHIFT (2 * 3600)

#define MAX_EVERY_S 86400

/* --- expressions -------------------------------------------------------------------- */

struct field {
    unsigned min, max;
    const char *names; /* of the lowest first, three letters each; NULL: none */
};

static const struct field fields[] = {
    {0, 59, NULL                                  },
    {0, 23, NULL                                  },
    {1, 31, NULL                                  },
    {1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {0, 7,  "sunmontuewedthufrisat"               },
};

static const struct {
    const char *name;
    const char *means;
} shorthands[] = {
    {"@hourly",   "0 * * * *"},
    {"@daily",    "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly",   "0 0 * * 0"},
    {"@monthly",  "0 0 1 * *"},
    {"@yearly",   "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

static bool read_value(struct str text, const struct field *f, unsigned *out)
{
    uint64_t v;

    for (unsigned i = 0; f->names != NULL && f->names[3 * (size_t)i] != '\0'; i++)
        if (str_eq_nocase(text, str_make(f->names + 3 * (size_t)i, 3))) {
            *out = f->min + i;
            return true;
        }
    if (text.len > 2 || !str_to_u64(text, &v) || v < f->min || v > f->max)
        return false;
    *out = (unsigned)v;
    return true;
}

/* "*", "5", "5-20", each with "/3" behind. */
static bool read_range(struct str text, const struct field *f, uint64_t *out)
{
    struct str range, step, low, high;
    unsigned from = f->min, to = f->max;
    uint64_t by = 1;
    bool stepped = str_cut(text, '/', &range, &step);

    if (stepped && (!str_to_u64(step, &by) || by == 0 || by > f->max))
        return false;
    if (!str_is(range, "*")) {
        bool two = str_cut(range, '-', &low, &high);

        if (!read_value(low, f, &from))
            return false;
        if (two && (!read_value(high, f, &to) || to < from))
            return false;
        if (!two && !stepped)
            to = from;
    }
    for (unsigned v = from; v <= to; v += (unsigned)by)
        *out |= UINT64_C(1) << v;
    return true;
}

static bool read_field(struct str text, const struct field *f, uint64_t *out)
{
    struct str part;
    bool more;

    *out = 0;
    do {
        more = str_cut(text, ',', &part, &text);
        if (!read_range(part, f, out))
            return false;
    } while (more);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* False: not `n` words. */
static bool split(struct str text, struct str *words, size_t n)
{
    size_t count = 0, i = 0;

    while (i < text.len) {
        size_t start = i;

        while (i < text.len && !is_blank(text.data[i]))
            i++;
        if (i > start) {
            if (count == n)
                return false;
            words[count++] = str_sub(text, start, i - start);
        }
        while (i < text.len && is_blank(text.data[i]))
            i++;
    }
    return count == n;
}

static bool read_every(struct str text, struct cron *out)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {
        {'s', 1   },
        {'m', 60  },
        {'h', 3600},
    };
    uint64_t n;

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (text.len < 2 || text.data[text.len - 1] != units[i].unit)
            continue;
        if (!str_to_u64(str_sub(text, 0, text.len - 1), &n) || n == 0 || n > MAX_EVERY_S ||
            n * units[i].seconds > MAX_EVERY_S)
            return false;
        out->every_s = (uint32_t)(n * units[i].seconds);
        return true;
    }
    return false;
}

bool cron_parse(struct str text, struct cron *out, const char **why)
{
    static const char *const faults[] = {
        "the minute is not 0 to 59, nor a list, range or step of such",
        "the hour is not 0 to 23, nor a list, range or step of such",
        "the day of the month is not 1 to 31, nor a list, range or step of such",
        "the month is not 1 to 12 or jan to dec, nor a list, range or step of such",
        "the day of the week is not 0 to 7 or sun to sat, nor a list, range or step of such",
    };
    struct str words[COUNT_OF(fields)];
    uint64_t bits[COUNT_OF(fields)];

    *out = (struct cron){0};
    text = str_trim(text);
    if (str_starts(text, STR("@every "))) {
        *why = "\"@every\" takes a duration from 1s to 24h";
        return read_every(str_trim(str_sub(text, strlen("@every "), SIZE_MAX)), out);
    }
    for (size_t i = 0; i < COUNT_OF(shorthands); i++)
        if (str_is(text, shorthands[i].name))
            text = str_of(shorthands[i].means);
    *why = "there have to be five fields (minute, hour, day, month, day of the week) or one of "
           "@hourly, @daily, @weekly, @monthly, @yearly, \"@every 90s\"";
    if (!split(text, words, COUNT_OF(words)))
        return false;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        *why = faults[i];
        if (!read_field(words[i], &fields[i], &bits[i]))
            return false;
    }
    out->minutes = bits[0];
    out->hours = (uint32_t)bits[1];
    out->days = (uint32_t)bits[2];
    out->months = (uint32_t)bits[3];
    out->weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f); /* 7 is Sunday too */
    out->any_day = words[2].data[0] == '*';
    out->any_weekday = words[4].data[0] == '*';
    return true;
}

/* --- time ----------------------------------------------------------------------------- */

struct local {
    unsigned minute, hour, day, month, weekday;
};

/* Of local seconds since 1970, by the proleptic Gregorian calendar; years begin in March. */
static struct local split_time(int64_t seconds)
{
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    int64_t rest = seconds - days * DAY;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    return (struct local){
        .minute = (unsigned)(rest % 3600 / MINUTE),
        .hour = (unsigned)(rest / 3600),
        .day = (unsigned)(doy - (153 * mp + 2) / 5 + 1),
        .month = (unsigned)(mp < 10 ? mp + 3 : mp - 9),
        .weekday = (unsigned)((days % 7 + 11) % 7), /* 1970 began on a Thursday */
    };
}

static bool day_matches(const struct cron *c, const struct local *l)
{
    bool day = (c->days >> l->day & 1) != 0, weekday = (c->weekdays >> l->weekday & 1) != 0;

    if ((c->months >> l->month & 1) == 0)
        return false;
    return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

static bool matches(const struct cron *c, int64_t local)
{
    struct local l = split_time(local);

    return day_matches(c, &l) && (c->hours >> l.hour & 1) != 0 && (c->minutes >> l.minute & 1) != 0;
}

/* The next time that may match: the next minute, hour or day, unless the clocks change before. */
static int64_t step(const struct cron *c, int64_t t, int32_t o, cron_offset *offset,
                    const void *ctx)
{
    struct local l = split_time(t + o);
    int64_t jump = MINUTE;

    if (!day_matches(c, &l))
        jump = DAY - (int64_t)l.hour * 3600 - (int64_t)l.minute * MINUTE;
    else if ((c->hours >> l.hour & 1) == 0)
        jump = 3600 - (int64_t)l.minute * MINUTE;
    return offset(t + jump, ctx) == o ? t + jump : t + MINUTE;
}

/* Has the clock shown this time before, for it was put back? */
static bool is_second_time(int64_t t, int32_t o, cron_offset *offset, const void *ctx)
{
    int32_t before = offset(t - LONGEST_SHIFT, ctx);

    return before > o && offset(t - (before - o), ctx) == before;
}

/* Is the minute `t` the first behind minutes that the clocks left out, and one of them meant? */
static bool follows_gap(const struct cron *c, int64_t t, int32_t o, cron_offset *offset,
                        const void *ctx)
{
    int32_t before = offset(t - MINUTE, ctx);

    for (int64_t local = t + before; local < t + o; local += MINUTE)
        if (matches(c, local))
            return true;
    return false;
}

int64_t cron_next(const struct cron *c, int64_t after, cron_offset *offset, const void *ctx)
{
    bool hourly = (c->hours & 0xffffff) == 0xffffff;
    int64_t t = (after - ((after % MINUTE) + MINUTE) % MINUTE) + MINUTE;

    if (c->every_s > 0)
        return after - after % c->every_s + c->every_s;
    while (t < after + HORIZON) {
        int32_t o = offset(t, ctx);

        if (matches(c, t + o) && (hourly || !is_second_time(t, o, offset, ctx)))
            return t;
        if (!hourly && follows_gap(c, t, o, offset, ctx))
            return t;
        t = step(c, t, o, offset, ctx);
    }
    return CRON_NEVER;
}
