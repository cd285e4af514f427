/*
 * severity.c - how bad an error is.
 *
 * Thread:   any.
 */
#include "tracking/severity.h"

static const char *const names[SEVERITY_COUNT] = {
    [SEVERITY_INFO] = "info",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_ERROR] = "error",
    [SEVERITY_CRITICAL] = "critical",
};

enum severity severity_of(enum error_code code)
{
    const struct error_code_info *info = error_code_info(code);

    if (code == UNKNOWN_OUTCOME)
        return SEVERITY_CRITICAL;
    if (info->level == LOG_ERROR || code == SERVICE_UNAVAILABLE)
        return SEVERITY_ERROR;
    return info->level == LOG_WARN || info->tracked ? SEVERITY_WARNING : SEVERITY_INFO;
}

const char *severity_name(enum severity s)
{
    CHECK((size_t)s < COUNT_OF(names));
    return names[s];
}

enum severity severity_by_name(struct str name)
{
    for (size_t i = 0; i < SEVERITY_COUNT; i++)
        if (str_is(name, names[i]))
            return (enum severity)i;
    return SEVERITY_ERROR;
}
