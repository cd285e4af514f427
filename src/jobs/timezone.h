/*
 * timezone.h - the time zone that schedules are read in.
 *
 * Thread:   timezone_set() before others start; then any.
 * Memory:   none.
 */
#ifndef JOBS_TIMEZONE_H
#define JOBS_TIMEZONE_H

#include "base/str.h"

/* Is it UTC, or a name of the system's database of time zones, such as "Europe/Berlin"? */
bool timezone_exists(struct str name);
/* The one of this process from now on. It must exist. */
void timezone_set(struct str name);
/* Seconds to add to UTC, at a time in UTC; a cron_offset. */
int32_t timezone_offset(int64_t utc, const void *unused);

#endif
