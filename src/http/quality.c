/*
 * quality.c - weights in Accept and its kin (RFC 9110 section 12.4.2).
 *
 * Thread:   any.
 */
#include "http/quality.h"

unsigned quality_of(struct str parameters)
{
    struct str one;

    while (parameters.len > 0) {
        unsigned q = 0;

        str_cut(parameters, ';', &one, &parameters);
        one = str_trim(one);
        if (one.len < 3 || (one.data[0] != 'q' && one.data[0] != 'Q') || one.data[1] != '=')
            continue;
        if (one.data[2] != '0')
            return QUALITY_MAX;
        for (size_t i = 4, unit = 100; i < one.len && unit > 0; i++, unit /= 10)
            if (one.data[i] >= '0' && one.data[i] <= '9')
                q += (unsigned)(one.data[i] - '0') * (unsigned)unit;
        return q;
    }
    return QUALITY_MAX;
}

bool quality_next(struct str *list, struct str *name, unsigned *q)
{
    struct str one, parameters;

    if (list->len == 0)
        return false;
    str_cut(*list, ',', &one, list);
    str_cut(one, ';', name, &parameters);
    *name = str_trim(*name);
    *q = quality_of(parameters);
    return true;
}
