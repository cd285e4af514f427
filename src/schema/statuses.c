/*
 * statuses.c - the words that FraiseQL's functions answer with.
 *
 * Thread:   any.
 */
#include "schema/statuses.h"

/* word, code; sorted */
/* clang-format off */
static const struct status statuses[] = {
    {"blocked",          422},
    {"cancelled",        0  },
    {"completed",        0  },
    {"conflict",         409},
    {"created",          0  },
    {"deleted",          0  },
    {"done",             0  },
    {"duplicate",        409},
    {"error",            500},
    {"existing",         0  },
    {"exists",           409},
    {"failed",           500},
    {"forbidden",        403},
    {"ignored",          422},
    {"invalid",          422},
    {"new",              0  },
    {"noop",             422},
    {"not_found",        404},
    {"ok",               0  },
    {"skipped",          422},
    {"success",          0  },
    {"synced",           0  },
    {"timeout",          408},
    {"unauthorized",     401},
    {"updated",          0  },
    {"validation",       422},
    {"validation_error", 422},
};

static const struct status error_classes[] = {
    {"conflict",            409},
    {"forbidden",           403},
    {"internal",            500},
    {"not_found",           404},
    {"rate_limited",        429},
    {"service_unavailable", 503},
    {"timeout",             408},
    {"transaction_failed",  500},
    {"unauthorized",        401},
    {"validation",          422},
};
/* clang-format on */

const struct status *statuses_at(size_t i)
{
    return i < COUNT_OF(statuses) ? &statuses[i] : NULL;
}

const struct status *error_classes_at(size_t i)
{
    return i < COUNT_OF(error_classes) ? &error_classes[i] : NULL;
}
