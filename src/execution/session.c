/*
 * session.c - role and settings for one transaction.
 *
 * Thread:   worker.
 * Memory:   in the request's arena.
 * Not here: sending them (pg/pgconn_send.c puts them before every batch).
 */
#include "execution/session.h"

void session_init(struct pgsession *s, const struct identity *who, const char *const *roles,
                  uint32_t timeout_ms, struct arena *a)
{
    struct pgsetting *settings = ARENA_ARRAY(a, who->nsettings + 1, struct pgsetting);

    for (size_t i = 0; i < who->nsettings; i++)
        settings[i] = (struct pgsetting){who->settings[i].name, who->settings[i].value};
    *s = (struct pgsession){
        .role = roles[who->role],
        .settings = settings,
        .nsettings = who->nsettings,
        .tenant = str_hash(who->tenant.len ? who->tenant : who->subject),
        .timeout_ms = timeout_ms,
    };
}

void session_add_trace(struct pgsession *s, const struct tracecontext *trace,
                       const char *application_name, struct arena *a)
{
    struct pgsetting *settings;

    if (trace == NULL || !trace->sampled)
        return;
    settings = ARENA_ARRAY(a, s->nsettings + 2, struct pgsetting);
    memcpy(settings, s->settings, s->nsettings * sizeof(*settings));
    settings[s->nsettings++] = (struct pgsetting){SESSION_TRACE_SETTING, trace->trace_id};
    settings[s->nsettings++] = (struct pgsetting){
        SESSION_NAME_SETTING,
        arena_printf(a, "%.30s %s", application_name, trace->trace_id).data,
    };
    s->settings = settings;
}
