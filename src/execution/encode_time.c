/*
 * encode_time.c - dates, times and intervals in PostgreSQL's binary format to JSON.
 *
 * Thread:   any.
 *
 * PostgreSQL counts days and microseconds from 2000-01-01 in the proleptic
 * Gregorian calendar; the largest and smallest integers are the infinities.
 */
#include "execution/encode_time.h"

#include "execution/wire.h"

#define SECOND_US INT64_C(1000000)
#define HOUR_US   (INT64_C(3600) * SECOND_US)
#define DAY_US    (INT64_C(86400) * SECOND_US)
/* Days from 0000-03-01, the beginning of a 400-year cycle, to 2000-01-01. */
#define EPOCH_DAYS 730425
#define CYCLE_DAYS 146097

/* Room for the longest text, with its quotes. */
#define TEXT_MAX 96

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

static char *put_pair(char *to, unsigned v)
{
    memcpy(to, pairs + 2 * (v % 100), 2);
    return to + 2;
}

/* Decimal, at least `width` digits. */
static char *put_number(char *to, uint64_t v, int width)
{
    char digits[20];
    int n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    while (n < width)
        digits[n++] = '0';
    while (n > 0)
        *to++ = digits[--n];
    return to;
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
    unsigned width = 6;

    if (us == 0)
        return to;
    while (us % 10 == 0) {
        us /= 10;
        width--;
    }
    *to++ = '.';
    return put_number(to, us, (int)width);
}

/* 06:13:04.123456; 24:00:00 is a time, too. */
static char *put_clock(char *to, int64_t us)
{
    unsigned seconds = (unsigned)(us / SECOND_US);

    to = put_pair(to, seconds / 3600);
    *to++ = ':';
    to = put_pair(to, seconds / 60 % 60);
    *to++ = ':';
    to = put_pair(to, seconds % 60);
    return put_fraction(to, (unsigned)(us % SECOND_US));
}

/* 2026-11-23; *bc: the year is before 1 and was written as a positive one. */
static char *put_date(char *to, int64_t days, bool *bc)
{
    int64_t since = days + EPOCH_DAYS;
    int64_t cycle = since / CYCLE_DAYS - (since % CYCLE_DAYS < 0);
    unsigned day = (unsigned)(since - cycle * CYCLE_DAYS);
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned of_year = day - (365 * year + year / 4 - year / 100); /* from 1 March */
    unsigned month = (5 * of_year + 2) / 153;                      /* March is 0 */
    int64_t ad = (int64_t)year + cycle * 400 + (month >= 10);

    *bc = ad < 1;
    to = put_number(to, (uint64_t)(ad < 1 ? 1 - ad : ad), 4);
    *to++ = '-';
    to = put_pair(to, month < 10 ? month + 3 : month - 9);
    *to++ = '-';
    return put_pair(to, of_year - (153 * month + 2) / 5 + 1);
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
    int64_t days = us / DAY_US - (us % DAY_US < 0);
    bool bc;

    if (us == INT64_MAX)
        return put_text(to, "infinity");
    if (us == INT64_MIN)
        return put_text(to, "-infinity");
    to = put_date(to, days, &bc);
    *to++ = 'T';
    to = put_clock(to, us % DAY_US + (us % DAY_US < 0 ? DAY_US : 0));
    if (utc)
        *to++ = 'Z';
    return bc ? put_text(to, " BC") : to;
}

/* PostgreSQL counts zones westward. */
static char *put_zone(char *to, int32_t west)
{
    unsigned seconds = (unsigned)(west < 0 ? -west : west);

    *to++ = west > 0 ? '-' : '+';
    to = put_pair(to, seconds / 3600);
    *to++ = ':';
    to = put_pair(to, seconds / 60 % 60);
    if (seconds % 60 != 0) {
        *to++ = ':';
        to = put_pair(to, seconds % 60);
    }
    return to;
}

static char *put_part(char *to, int64_t v, char unit)
{
    if (v == 0)
        return to;
    if (v < 0)
        *to++ = '-';
    to = put_number(to, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v, 1);
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
    to = put_number(to, (uint64_t)(seconds < 0 ? -seconds : seconds), 1);
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
    char text[TEXT_MAX];
    char *to = text;

    if (v.len != size_of(kind))
        return false;
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
    buf_append(out, text, (size_t)(to - text));
    return true;
}
