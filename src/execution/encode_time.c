/*
 * encode_time.c - dates, times and intervals in PostgreSQL's binary format to JSON.
 *
 * Thread:   any.
 *
 * PostgreSQL counts days and microseconds from 2000-01-01 in the proleptic
 * Gregorian calendar; the largest and smallest integers are the infinities.
 */
#include "execution/encode_time.h"

#include "base/digits.h"
#include "execution/wire.h"

#define SECOND_US INT64_C(1000000)
#define HOUR_US   (INT64_C(3600) * SECOND_US)
#define DAY_US    (INT64_C(86400) * SECOND_US)
/* Days from 0000-03-01, the beginning of a 400-year cycle, to 2000-01-01. */
#define EPOCH_DAYS 730425
#define CYCLE_DAYS 146097
/* So many cycles are added so that no date is before them. */
#define SHIFT_CYCLES INT64_C(15000)
/* Quarters of a day of a year of 365 days and a quarter. */
#define YEAR_QUARTERS 1461

/* Room for the longest text, with its quotes. */
#define TEXT_MAX 96

static char *put_number(char *to, uint64_t v)
{
    return digits_put(to, v, digits_count(v));
}

static char *put_text(char *to, const char *text)
{
    size_t n = strlen(text);

    memcpy(to, text, n);
    return to + n;
}

/* ".123456" without trailing zeros; nothing for 0. */
static char *put_fraction(char *to, unsigned us)
{
    if (us == 0)
        return to;
    *to++ = '.';
    to = digits_pair(to, us / 10000);
    to = digits_pair(to, us / 100 % 100);
    to = digits_pair(to, us % 100);
    while (to[-1] == '0')
        to--;
    return to;
}

/* Four digits, or as many as there are. */
static char *put_year(char *to, uint64_t year)
{
    if (year > 9999)
        return put_number(to, year);
    to = digits_pair(to, (unsigned)year / 100);
    return digits_pair(to, (unsigned)year % 100);
}

/* 06:13:04.123456; 24:00:00 is a time, too. */
static char *put_clock(char *to, int64_t us)
{
    unsigned seconds = (unsigned)(us / SECOND_US);

    to = digits_pair(to, seconds / 3600);
    *to++ = ':';
    to = digits_pair(to, seconds / 60 % 60);
    *to++ = ':';
    to = digits_pair(to, seconds % 60);
    return put_fraction(to, (unsigned)(us % SECOND_US));
}

/*
 * 2026-11-23; *bc: the year is before 1 and was written as a positive one. The unit is a quarter
 * of a day: measured so, all centuries are equally long, and so are the years of one.
 */
static char *put_date(char *to, int64_t days, bool *bc)
{
    uint64_t quarters = 4 * (uint64_t)(days + EPOCH_DAYS + SHIFT_CYCLES * CYCLE_DAYS) + 3;
    unsigned of_century = (unsigned)(quarters % CYCLE_DAYS) | 3;
    unsigned of_year = of_century % YEAR_QUARTERS / 4; /* days, from 1 March */
    unsigned month = (5 * of_year + 2) / 153;          /* March is 0 */
    int64_t year = (int64_t)(quarters / CYCLE_DAYS) * 100 + of_century / YEAR_QUARTERS;
    int64_t ad = year - SHIFT_CYCLES * 400 + (month >= 10);

    *bc = ad < 1;
    to = put_year(to, (uint64_t)(ad < 1 ? 1 - ad : ad));
    *to++ = '-';
    to = digits_pair(to, month < 10 ? month + 3 : month - 9);
    *to++ = '-';
    return digits_pair(to, of_year - (153 * month + 2) / 5 + 1);
}

static char *put_day(char *to, int32_t days)
{
    bool bc;

    if (days == INT32_MAX)
        return put_text(to, "infinity");
    if (days == INT32_MIN)
        return put_text(to, "-infinity");
    to = put_date(to, days, &bc);
    return bc ? put_text(to, " BC") : to;
}

static char *put_timestamp(char *to, int64_t us, bool utc)
{
    int64_t days = us / DAY_US;
    int64_t of_day = us % DAY_US;
    bool bc;

    if (us == INT64_MAX)
        return put_text(to, "infinity");
    if (us == INT64_MIN)
        return put_text(to, "-infinity");
    if (of_day < 0) {
        of_day += DAY_US;
        days--;
    }
    to = put_date(to, days, &bc);
    *to++ = 'T';
    to = put_clock(to, of_day);
    if (utc)
        *to++ = 'Z';
    return bc ? put_text(to, " BC") : to;
}

/* PostgreSQL counts zones westward. */
static char *put_zone(char *to, int32_t west)
{
    unsigned seconds = (unsigned)(west < 0 ? -west : west);

    *to++ = west > 0 ? '-' : '+';
    to = digits_pair(to, seconds / 3600);
    *to++ = ':';
    to = digits_pair(to, seconds / 60 % 60);
    if (seconds % 60 != 0) {
        *to++ = ':';
        to = digits_pair(to, seconds % 60);
    }
    return to;
}

static char *put_part(char *to, int64_t v, char unit)
{
    if (v == 0)
        return to;
    if (v < 0)
        *to++ = '-';
    to = put_number(to, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
    *to++ = unit;
    return to;
}

/* P1Y2M3DT4H5M6.7S, each part with its own sign, as intervalstyle iso_8601. */
static char *put_interval(char *to, int64_t us, int32_t days, int32_t months)
{
    int64_t seconds = us % (60 * SECOND_US) / SECOND_US;
    int64_t fraction = us % SECOND_US;

    if (us == 0 && days == 0 && months == 0)
        return put_text(to, "PT0S");
    *to++ = 'P';
    to = put_part(to, months / 12, 'Y');
    to = put_part(to, months % 12, 'M');
    to = put_part(to, days, 'D');
    if (us == 0)
        return to;
    *to++ = 'T';
    to = put_part(to, us / HOUR_US, 'H');
    to = put_part(to, us % HOUR_US / (60 * SECOND_US), 'M');
    if (seconds == 0 && fraction == 0)
        return to;
    if (seconds < 0 || fraction < 0)
        *to++ = '-';
    to = put_number(to, (uint64_t)(seconds < 0 ? -seconds : seconds));
    to = put_fraction(to, (unsigned)(fraction < 0 ? -fraction : fraction));
    *to++ = 'S';
    return to;
}

static char *put_any_interval(char *to, struct pgvalue v)
{
    int64_t us = (int64_t)wire_u64(v.data);
    int32_t days = (int32_t)wire_u32(v.data + 8);
    int32_t months = (int32_t)wire_u32(v.data + 12);

    /* Infinite intervals: PostgreSQL 17 and later. */
    if (us == INT64_MAX && days == INT32_MAX && months == INT32_MAX)
        return put_text(to, "infinity");
    if (us == INT64_MIN && days == INT32_MIN && months == INT32_MIN)
        return put_text(to, "-infinity");
    return put_interval(to, us, days, months);
}

static int32_t size_of(enum codec_kind kind)
{
    if (kind == CODEC_DATE)
        return 4;
    if (kind == CODEC_TIMETZ)
        return 12;
    return kind == CODEC_INTERVAL ? 16 : 8;
}

static bool is_time_of_day(struct pgvalue v)
{
    int64_t us = (int64_t)wire_u64(v.data);

    return us >= 0 && us <= DAY_US;
}

static bool is_zone(int32_t west)
{
    return west > -100 * 3600 && west < 100 * 3600;
}

bool encode_time(enum codec_kind kind, struct pgvalue v, struct buf *out)
{
    char *start, *to;

    if (v.len != size_of(kind))
        return false;
    start = to = buf_room(out, TEXT_MAX);
    if (to == NULL)
        return true; /* the buf remembers */
    *to++ = '"';
    if (kind == CODEC_DATE) {
        to = put_day(to, (int32_t)wire_u32(v.data));
    } else if (kind == CODEC_TIMESTAMP || kind == CODEC_TIMESTAMPTZ) {
        to = put_timestamp(to, (int64_t)wire_u64(v.data), kind == CODEC_TIMESTAMPTZ);
    } else if (kind == CODEC_INTERVAL) {
        to = put_any_interval(to, v);
    } else {
        int32_t west = kind == CODEC_TIMETZ ? (int32_t)wire_u32(v.data + 8) : 0;

        if (!is_time_of_day(v) || !is_zone(west))
            return false;
        to = put_clock(to, (int64_t)wire_u64(v.data));
        if (kind == CODEC_TIMETZ)
            to = put_zone(to, west);
    }
    *to++ = '"';
    buf_used(out, (size_t)(to - start));
    return true;
}
