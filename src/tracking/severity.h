/*
 * severity.h - how bad an error is.
 *
 * Thread:   any; constant.
 * Not here: whom it is told to.
 */
#ifndef TRACKING_SEVERITY_H
#define TRACKING_SEVERITY_H

#include "base/error.h"

enum severity {
    SEVERITY_INFO,     /* a client's mistake, where those are recorded */
    SEVERITY_WARNING,  /* refused or too slow */
    SEVERITY_ERROR,    /* somebody did not get what they should have got */
    SEVERITY_CRITICAL, /* and nobody knows what has been done */
    SEVERITY_COUNT
};

enum severity severity_of(enum error_code code);
const char *severity_name(enum severity s);
/* SEVERITY_ERROR for a name that is none. */
enum severity severity_by_name(struct str name);

#endif
