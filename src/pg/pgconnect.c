/*
 * pgconnect.c - connection options, connecting.
 *
 * Thread:   see pgconnect.h.
 * Memory:   one arena.
 *
 * What the text of values depends on (DateStyle and so on) and the search path
 * travel in the start packet. PgBouncer refuses its `options`; behind it a SET
 * after connecting would stay with whichever server connection happened to run
 * it. So the same settings then go into every batch, for its transaction only.
 */
#include <stdatomic.h>

#include "pg/pgconnect.h"

#include "pg/pgpassword.h"

#define MAX_DEFAULTS 8

struct keywords { /* as PQconnectdbParams() takes them */
    const char **names;
    const char **values;
    size_t n;
};

struct pgconnect {
    struct arena *arena; /* owned */
    struct keywords with_options;
    struct keywords without_options;
    struct pgsetting defaults[MAX_DEFAULTS];
    size_t ndefaults;
    struct pgpassword *password; /* owned; NULL: it stands in the options */
    atomic_bool options_refused;
    atomic_size_t references;
};

/* Unless the URL or the options say otherwise. */
static const struct pgkeyword soft_defaults[] = {
  /* keyword, value */
    {"fallback_application_name", "fraiseqld"},
    {"gssencmode",                "disable"  },
    {"keepalives",                "1"        },
    {"keepalives_idle",           "30"       },
    {"keepalives_interval",       "10"       },
    {"keepalives_count",          "3"        },
    {"tcp_user_timeout",          "10000"    },
};

/* Whatever the URL and the options say: the text of values is part of the API. */
static const struct pgsetting fixed_settings[] = {
  /* name, value */
    {"datestyle",          "ISO"     },
    {"intervalstyle",      "iso_8601"},
    {"timezone",           "UTC"     },
    {"bytea_output",       "hex"     },
    {"extra_float_digits", "1"       },
    {"jit",                "off"     },
};

static bool is_conninfo(const char *url)
{
    return strchr(url, '=') != NULL || str_starts(str_of(url), STR("postgresql://")) ||
           str_starts(str_of(url), STR("postgres://"));
}

static bool check_url(const char *url, struct errors *errs)
{
    PQconninfoOption *parsed;
    char *why = NULL;

    if (!is_conninfo(url))
        return true;
    parsed = PQconninfoParse(url, &why);
    if (parsed == NULL) {
        errors_add(errs, CONFIG_INVALID, "database URL is malformed: %.*s",
                   STR_ARG(str_trim(str_of(why))));
        PQfreemem(why);
        return false;
    }
    PQconninfoFree(parsed);
    return true;
}

static bool check_keywords(const struct pgpool_options *opt, struct errors *errs)
{
    PQconninfoOption *known = PQconndefaults();
    bool ok = true;

    CHECK(known != NULL);
    for (size_t i = 0; i < opt->nkeywords; i++) {
        const PQconninfoOption *k = known;

        while (k->keyword != NULL && strcmp(k->keyword, opt->keywords[i].keyword) != 0)
            k++;
        if (k->keyword == NULL) {
            errors_add(errs, CONFIG_INVALID, "libpq knows no connection option \"%s\"",
                       opt->keywords[i].keyword);
            ok = false;
        }
    }
    PQconninfoFree(known);
    return ok;
}

/* The start packet splits `options` at white space; a backslash keeps the next character. */
static void append_escaped(struct buf *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (strchr(" \t\n\r\f\v\\", *value) != NULL)
            buf_append_char(out, '\\');
        buf_append_char(out, *value);
    }
}

static struct str search_path_value(const struct pgpool_options *opt, struct arena *a)
{
    struct buf out;
    struct str value;

    buf_init(&out, 0);
    for (size_t i = 0; i < opt->nsearch_path; i++) {
        if (i > 0)
            buf_append_char(&out, ',');
        buf_append_char(&out, '"');
        for (const char *c = opt->search_path[i]; *c != '\0'; c++) {
            if (*c == '"')
                buf_append_char(&out, '"');
            buf_append_char(&out, *c);
        }
        buf_append_char(&out, '"');
    }
    value = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return value;
}

/* The user's own `options`, from the keywords or else the URL. */
static const char *given_options(const struct pgpool_options *opt, struct arena *a)
{
    PQconninfoOption *parsed;
    const char *given = "";

    for (size_t i = 0; i < opt->nkeywords; i++)
        if (strcmp(opt->keywords[i].keyword, "options") == 0)
            return opt->keywords[i].value;
    if (!is_conninfo(opt->url))
        return given;
    parsed = PQconninfoParse(opt->url, NULL);
    CHECK(parsed != NULL);
    for (const PQconninfoOption *o = parsed; o->keyword != NULL; o++)
        if (strcmp(o->keyword, "options") == 0 && o->val != NULL)
            given = arena_dup(a, str_of(o->val)).data;
    PQconninfoFree(parsed);
    return given;
}

static const char *options_value(struct pgconnect *k, const struct pgpool_options *opt)
{
    struct buf out;
    const char *value;

    buf_init(&out, 0);
    buf_printf(&out, "%s", given_options(opt, k->arena));
    for (size_t i = 0; i < k->ndefaults; i++) {
        buf_printf(&out, " -c %s=", k->defaults[i].name);
        append_escaped(&out, k->defaults[i].value);
    }
    value = arena_dup(k->arena, buf_str(&out)).data;
    buf_fini(&out);
    return value;
}

static void add_keyword(struct keywords *to, const char *name, const char *value)
{
    to->names[to->n] = name;
    to->values[to->n++] = value;
}

/* Later ones win; a conninfo string in dbname counts where it stands. */
static struct keywords make_keywords(struct pgconnect *k, const struct pgpool_options *opt,
                                     const char *options)
{
    size_t max = COUNT_OF(soft_defaults) + opt->nkeywords + 8;
    struct keywords to = {
        .names = ARENA_ARRAY(k->arena, max, const char *),
        .values = ARENA_ARRAY(k->arena, max, const char *),
    };
    /* Whole seconds, and libpq takes 1 for 2. */
    uint64_t seconds = (opt->connect_timeout_ms + 999) / 1000;

    for (size_t i = 0; i < COUNT_OF(soft_defaults); i++)
        add_keyword(&to, soft_defaults[i].keyword, soft_defaults[i].value);
    add_keyword(&to, "connect_timeout", arena_printf(k->arena, "%u", (unsigned)seconds).data);
    if (opt->url[0] != '\0')
        add_keyword(&to, "dbname", arena_dup(k->arena, str_of(opt->url)).data);
    for (size_t i = 0; i < opt->nkeywords; i++)
        add_keyword(&to, arena_dup(k->arena, str_of(opt->keywords[i].keyword)).data,
                    arena_dup(k->arena, str_of(opt->keywords[i].value)).data);
    add_keyword(&to, "client_encoding", "UTF8");
    if (options != NULL)
        add_keyword(&to, "options", options);
    if (opt->password_command != NULL)
        add_keyword(&to, "password", NULL); /* the last: see connect_by() */
    add_keyword(&to, NULL, NULL);
    return to;
}

struct pgconnect *pgconnect_new(const struct pgpool_options *opt, struct errors *errs)
{
    struct pgconnect *k;
    bool ok = check_url(opt->url, errs);

    if (!check_keywords(opt, errs) || !ok)
        return NULL;
    k = xcalloc(1, sizeof(*k));
    k->arena = arena_new(0);
    atomic_init(&k->references, 1);
    for (size_t i = 0; i < COUNT_OF(fixed_settings); i++)
        k->defaults[k->ndefaults++] = fixed_settings[i];
    if (opt->nsearch_path > 0)
        k->defaults[k->ndefaults++] =
            (struct pgsetting){"search_path", search_path_value(opt, k->arena).data};
    if (opt->password_command != NULL)
        k->password =
            pgpassword_new(opt->password_command, opt->password_ttl_ms, opt->connect_timeout_ms);
    k->with_options = make_keywords(k, opt, options_value(k, opt));
    k->without_options = make_keywords(k, opt, NULL);
    return k;
}

struct pgconnect *pgconnect_ref(struct pgconnect *k)
{
    atomic_fetch_add(&k->references, 1);
    return k;
}

void pgconnect_free(struct pgconnect *k)
{
    if (k == NULL || atomic_fetch_sub(&k->references, 1) > 1)
        return;
    pgpassword_free(k->password);
    arena_free(k->arena);
    xfree(k);
}

#define MAX_KEYWORDS 64 /* libpq has fewer */

/* libpq would write them to standard error. What a statement says besides, nobody has asked for. */
static void ignore_notice(void *ctx, const PGresult *r)
{
    (void)ctx;
    (void)r;
}

/* password: NULL if it stands in the options. */
static PGconn *connect_by(const struct keywords *k, const char *password)
{
    const char *values[MAX_KEYWORDS];
    PGconn *pg;

    CHECK(k->n <= MAX_KEYWORDS);
    memcpy(values, k->values, k->n * sizeof(*values));
    if (password != NULL)
        values[k->n - 2] = password;
    pg = PQconnectdbParams(k->names, values, 1);
    CHECK(pg != NULL);
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    return pg;
}

/* The words of PgBouncer and of RDS Proxy; neither translates them. */
static bool refused_options(const PGconn *pg)
{
    const char *why = PQerrorMessage(pg);

    return PQstatus(pg) != CONNECTION_OK && (strstr(why, "unsupported startup parameter") != NULL ||
                                             strstr(why, "command-line options") != NULL);
}

/* With start options, unless a pooler refuses them. */
static PGconn *connect_with(struct pgconnect *k, const char *password)
{
    PGconn *pg = connect_by(k->options_refused ? &k->without_options : &k->with_options, password);

    if (!refused_options(pg))
        return pg;
    if (!atomic_exchange(&k->options_refused, true))
        LOG(LOG_INFO, "a pooler refuses start options: settings are sent with every batch");
    PQfinish(pg);
    return connect_by(&k->without_options, password);
}

/* By the command's password; one that was remembered may not be the right one any more. NULL: there
 * is none. */
static PGconn *connect_with_password(struct pgconnect *k, struct buf *reason)
{
    struct buf password;
    PGconn *pg = NULL;
    bool fresh, again = true;

    buf_init(&password, 0);
    while (again && pgpassword_get(k->password, &password, &fresh, reason)) {
        PQfinish(pg);
        pg = connect_with(k, buf_cstr(&password));
        buf_wipe(&password);
        again = PQstatus(pg) != CONNECTION_OK && PQconnectionUsedPassword(pg) == 1;
        if (again)
            pgpassword_forget(k->password);
        again = again && !fresh;
    }
    buf_fini(&password);
    return pg;
}

PGconn *pgconnect_plain(struct pgconnect *k, struct buf *reason)
{
    PGconn *pg = k->password != NULL ? connect_with_password(k, reason) : connect_with(k, NULL);
    struct str why;
    struct str rest;

    if (pg == NULL)
        return NULL;
    if (PQstatus(pg) == CONNECTION_OK)
        return pg;
    /* The first line is the fact, the others are advice. */
    (void)str_cut(str_trim(str_of(PQerrorMessage(pg))), '\n', &why, &rest);
    buf_append_str(reason, why);
    PQfinish(pg);
    return NULL;
}

struct pgconn *pgconnect_open(struct pgconnect *k, struct buf *reason)
{
    PGconn *pg = pgconnect_plain(k, reason);
    struct pgconn *c = NULL;

    if (pg != NULL && !pgconn_new(pg, k->options_refused ? k->defaults : NULL,
                                  k->options_refused ? k->ndefaults : 0, &c))
        buf_append_lit(reason, "could not enter pipeline mode");
    return c;
}
