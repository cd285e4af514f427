/*
 * cron.h - expressions of crontab(5), and when they are due next.
 *
 * Thread:   any; values.
 * Not here: what is due (jobs.h), which time zone that is (timezone.h).
 */
#ifndef JOBS_CRON_H
#define JOBS_CRON_H

#include "base/str.h"

struct cron {
    uint64_t minutes; /* bits, as those below */
    uint32_t hours;
    uint32_t days;     /* 1 to 31 */
    uint32_t months;   /* 1 to 12 */
    uint32_t weekdays; /* 0 to 6, from Sunday */
    bool any_day;      /* written with "*": then only the other of the two counts */
    bool any_weekday;
    uint32_t every_s; /* not 0: multiples of it since 1970, and nothing above counts */
};

/* No such time within the years that are looked at: February 30th. */
#define CRON_NEVER INT64_MAX

/* Seconds to add to UTC for local time, at a time in UTC. */
typedef int32_t cron_offset(int64_t utc, const void *ctx);

/*
 * Five fields (minute, hour, day of the month, month, day of the week) with *, lists, ranges,
 * steps and English names; @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually; or
 * "@every 90s", from 1 s to 24 h. False with the reason in *why, a constant.
 */
bool cron_parse(struct str text, struct cron *out, const char **why);

/*
 * The first time after one that the expression names, both in seconds since 1970. Where days of
 * both kinds are restricted, either does. What names an hour that the clocks leave out is due at
 * the first minute behind, and what names one that they show twice, the first time only; what is
 * due every hour goes on as time does.
 */
int64_t cron_next(const struct cron *c, int64_t after, cron_offset *offset, const void *ctx);

#endif
