/*
 * config_test.c - where values come from, which wins, what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/options.h"

static char directory[] = "/tmp/config_testXXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

/* A file in the directory; the caller unlinks it. */
static const char *write_file(char *path, size_t size, const char *name, const char *text)
{
    FILE *f;

    snprintf(path, size, "%s/%s", directory, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

struct loaded {
    struct arena *arena;
    struct errors errs;
    struct config *config;
};

/* Load from a text; settings and environment may be NULL. */
static bool load(struct loaded *l, const char *yaml, const char *const *environment,
                 const char *const *settings)
{
    static const char *const nothing[] = {NULL};
    struct config_sources from = {0};
    char path[128];
    bool ok;

    l->arena = arena_new(0);
    errors_init(&l->errs, l->arena);
    from.file = write_file(path, sizeof(path), "f.yaml", yaml);
    from.environment = environment != NULL ? environment : nothing;
    from.settings = settings;
    while (settings != NULL && settings[from.nsettings] != NULL)
        from.nsettings++;
    ok = config_load(&from, &l->config, &l->errs);
    assert_int_equal(ok, !errors_any(&l->errs));
    unlink(path);
    return ok;
}

static void must_load(struct loaded *l, const char *yaml, const char *const *environment,
                      const char *const *settings)
{
    if (!load(l, yaml, environment, settings))
        fail_msg("%.*s %.*s", STR_ARG(l->errs.first->file), STR_ARG(l->errs.first->message));
}

static void unload(struct loaded *l)
{
    config_free(l->config);
    arena_free(l->arena);
}

static void test_defaults(void **state)
{
    struct loaded l;

    (void)state;
    must_load(&l, "", NULL, NULL);
    assert_int_equal(l.config->listen.n, 1);
    assert_true(str_is(l.config->listen.items[0], "0.0.0.0:8080"));
    assert_int_equal(l.config->workers, 0);
    assert_int_equal(l.config->keepalive_timeout_ms, 75000);
    assert_int_equal(l.config->max_body_bytes, 1 << 20);
    assert_int_equal(l.config->pool_max, 200);
    assert_int_equal(l.config->pool_backoff_min_ms, 100);
    assert_int_equal(l.config->pool_backoff_max_ms, 10000);
    assert_int_equal(l.config->expose_views.n, 2);
    assert_int_equal(l.config->auth_mode, CONFIG_AUTH_OPTIONAL);
    assert_int_equal(l.config->introspection, CONFIG_INTROSPECTION_AUTO);
    assert_true(l.config->tenancy_enabled);
    assert_false(l.config->request_id_accept_all);
    assert_true(str_is(l.config->environment, "production"));
    assert_int_equal(l.config->nclaims, 2);
    assert_true(str_is(l.config->claims[0].settings.items[1], "app.tenant_id"));
    assert_true(l.config->claims[0].uuid);
    assert_true(str_is(l.config->claims[1].path, "sub"));
    assert_int_equal(l.config->database_keywords.n, 1); /* application_name */
    assert_int_equal(l.config->log_level, LOG_INFO);
    assert_true((unsigned)l.config->log_format <= (unsigned)LOG_FORMAT_TEXT);
    unload(&l);
}

static void test_reads_every_type(void **state)
{
    struct loaded l;

    (void)state;
    must_load(&l,
              "version: 1\n"
              "server:\n"
              "  listen: [\"127.0.0.1:0\", \"unix:/run/x\"]\n"
              "  workers: 3\n"
              "  server_header: true\n"
              "  header_timeout: 250ms\n"
              "  body_timeout: 2m\n"
              "  limits: {max_body_bytes: 2MB, max_uri_bytes: 4096, max_header_bytes: 32KiB}\n"
              "  request_id: {accept: all}\n"
              "database:\n"
              "  host: db\n"
              "  port: 5433\n"
              "  name: app\n"
              "  options: {sslrootcert: /x.pem}\n"
              "  search_path: []\n"
              "  prepared_statements: false\n"
              "  pool: {retry_backoff: [1s, 1s]}\n"
              "auth:\n"
              "  mode: required\n"
              "  jwt:\n"
              "    keys:\n"
              "    - {kid: a, secret: s1}\n"
              "    - {alg: HS512, secret: s2}\n"
              "  claims:\n"
              "    org: {path: org.id, setting: app.org, required: true}\n"
              "    sub: {settings: [app.user, app.user2]}\n"
              "tenancy: {claim: org}\n"
              "observability: {log: {level: warn, format: logfmt}}\n",
              NULL, NULL);
    assert_int_equal(l.config->listen.n, 2);
    assert_int_equal(l.config->workers, 3);
    assert_true(l.config->server_header);
    assert_int_equal(l.config->header_timeout_ms, 250);
    assert_int_equal(l.config->body_timeout_ms, 120000);
    assert_int_equal(l.config->max_body_bytes, 2000000);
    assert_int_equal(l.config->max_uri_bytes, 4096);
    assert_int_equal(l.config->max_header_bytes, 32768);
    assert_true(l.config->request_id_accept_all);
    assert_int_equal(l.config->prepared_statements, CONFIG_OFF);
    assert_int_equal(l.config->auth_mode, CONFIG_AUTH_REQUIRED);
    assert_int_equal(l.config->njwt_keys, 2);
    assert_true(str_is(l.config->jwt_keys[0].alg, "HS256"));
    assert_true(str_is(l.config->jwt_keys[1].alg, "HS512"));
    assert_true(str_is(l.config->jwt_keys[1].secret, "s2"));
    /* Named claims replace the default ones. */
    assert_int_equal(l.config->nclaims, 2);
    assert_true(str_is(l.config->claims[0].path, "org.id"));
    assert_true(l.config->claims[0].required && !l.config->claims[0].uuid);
    assert_true(str_is(l.config->claims[1].path, "sub"));
    assert_int_equal(l.config->claims[1].settings.n, 2);
    assert_int_equal(l.config->log_level, LOG_WARN);
    assert_int_equal(l.config->log_format, LOG_FORMAT_LOGFMT);
    assert_int_equal(l.config->database_keywords.n, 5);
    unload(&l);
}

static void test_ratios(void **state)
{
    static const struct {
        const char *text;
        double ratio;
    } cases[] = {
        {"0",    0    },
        {"1",    1    },
        {"0.25", 0.25 },
        {"1.0",  1    },
        {"50%",  0.5  },
        {"0.5%", 0.005}
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char file[100];
        struct loaded l;

        snprintf(file, sizeof(file), "observability: {tracing: {ratio: %s}}\n", cases[i].text);
        must_load(&l, file, NULL, NULL);
        assert_float_equal(l.config->tracing_ratio, cases[i].ratio, 1e-12);
        unload(&l);
    }
}

static struct str keyword(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->database_keywords.n; i++)
        if (str_is(c->database_keywords.items[i].name, name))
            return c->database_keywords.items[i].value;
    return STR("absent");
}

static void test_later_sources_win(void **state)
{
    static const char *const environment[] = {
        "FRAISEQLD_DATABASE__POOL__MAX=30",
        "FRAISEQLD_DATABASE__USER=from_environment",
        "FRAISEQLD_SERVER__LISTEN=127.0.0.1:1, [::1]:2",
        "FRAISEQLD_AUTH__JWT__KEYS__0__SECRET=s",
        "FRAISEQLD_AUTH__CLAIMS__TENANT_ID__SETTING=app.t",
        "FRAISEQLD_CONFIG=/ignored/since/a/file/was/named",
        "DATABASE_URL=postgres://u:p@h/d",
        "PORT=3000",
        "UNRELATED=1",
        /* Kubernetes's words about services of that name */
        "FRAISEQLD_SERVICE_HOST=10.0.0.1",
        "FRAISEQLD_SERVICE_PORT_HTTP=80",
        "FRAISEQLD_PORT=tcp://10.0.0.1:80",
        "FRAISEQLD_PORT_80_TCP_ADDR=10.0.0.1",
        "FRAISEQLD_API_SERVICE_PORT=80",
        NULL,
    };
    static const char *const settings[] = {"database.pool.max=40", "security.max_depth=5", NULL};
    struct loaded l;

    (void)state;
    must_load(&l, "database: {url: 'x', user: from_file, name: d, pool: {max: 20, min: 2}}\n",
              environment, settings);
    assert_int_equal(l.config->pool_max, 40);
    assert_int_equal(l.config->pool_min, 2);
    assert_int_equal(l.config->max_depth, 5);
    assert_true(str_is(keyword(l.config, "user"), "from_environment"));
    assert_true(str_is(keyword(l.config, "dbname"), "d"));
    assert_true(str_is(l.config->database_url, "postgres://u:p@h/d"));
    assert_int_equal(l.config->listen.n, 2);
    assert_true(str_is(l.config->listen.items[1], "[::1]:2"));
    assert_int_equal(l.config->njwt_keys, 1);
    assert_int_equal(l.config->nclaims, 1);
    unload(&l);
}

static void test_interpolates(void **state)
{
    static const char *const environment[] = {"NAME=va$l: [ue]", "EMPTY=", NULL};
    static const struct {
        const char *text, *value; /* NULL: refused */
    } cases[] = {
        {"${NAME}",               "va$l: [ue]"            },
        {"a${NAME}b${NAME}",      "ava$l: [ue]bva$l: [ue]"},
        {"${EMPTY}",              ""                      },
        {"${EMPTY:-x}",           "x"                     },
        {"${NOT_SET:-}",          ""                      },
        {"${NOT_SET:-a:b}",       "a:b"                   },
        {"$$${NOT_SET:-5}$$",     "$5$"                   },
        {"$${NAME}",              "${NAME}"               },
        {"${NOT_SET}",            NULL                    },
        {"${NOT_SET:?}",          NULL                    },
        {"${EMPTY:?must be set}", NULL                    },
        {"${NAME",                NULL                    },
        {"$NAME",                 NULL                    },
        {"${}",                   NULL                    },
        {"${A B}",                NULL                    },
        {"${NAME:x}",             NULL                    },
        {"${file:/nonexistent}",  NULL                    },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct loaded l;
        char yaml[128];
        bool ok;

        snprintf(yaml, sizeof(yaml), "errors:\n  environment: '%s'\n", cases[i].text);
        ok = load(&l, yaml, environment, NULL);
        if (ok != (cases[i].value != NULL))
            fail_msg("%s", cases[i].text);
        if (ok)
            assert_true(str_is(l.config->environment, cases[i].value));
        else
            assert_int_equal(l.errs.first->locations[0].line, 2);
        unload(&l);
    }
}

static void test_secrets_come_from_files(void **state)
{
    char secret[128], yaml[512], variable[160];
    const char *environment[] = {variable, NULL};
    struct loaded l;

    (void)state;
    write_file(secret, sizeof(secret), "secret", "pass word \n\n");
    snprintf(yaml, sizeof(yaml),
             "database: {password_file: '%s'}\n"
             "errors: {environment: '${file:%s}'}\n"
             "auth: {jwt: {keys: [{secret_file: %s}]}}\n",
             secret, secret, secret);
    must_load(&l, yaml, NULL, NULL);
    assert_true(str_is(keyword(l.config, "password"), "pass word \n")); /* one newline goes */
    assert_true(str_is(l.config->environment, "pass word \n"));
    assert_true(str_is(l.config->jwt_keys[0].secret, "pass word \n"));
    unload(&l);
    /* A relative name is looked for among systemd's credentials. */
    snprintf(variable, sizeof(variable), "CREDENTIALS_DIRECTORY=%s", directory);
    must_load(&l, "database: {password_file: secret, url_file: secret}\n", environment, NULL);
    assert_true(str_is(keyword(l.config, "password"), "pass word \n"));
    assert_true(str_is(l.config->database_url, "pass word \n"));
    unload(&l);
    snprintf(yaml, sizeof(yaml), "database: {password: x, password_file: '%s'}\n", secret);
    assert_false(load(&l, yaml, NULL, NULL));
    unload(&l);
    assert_false(load(&l, "database: {password_file: /nonexistent/x}\n", NULL, NULL));
    unload(&l);
    assert_false(load(&l, "database: {user_file: /nonexistent/x}\n", NULL, NULL));
    unload(&l);
    unlink(secret);
}

/* clang-format off */
/* one wrong file each: its text, where the error is, part of the message or the hint */
static const struct {
    const char *yaml, *place, *words;
} refused[] = {
    {"server:\n  max_conection: 1\n", ":2:3", "unknown key \"max_conection\" in server"},
    {"server:\n  limits:\n    max_conection: 1\n", ":3:5", "did you mean \"server.limits.max_connections\"?"},
    {"databse: {pool: {max: 1}}\n", ":1:1", "did you mean \"database\"?"},
    {"database: {acquire_timeout: 1s}\n", ":1:12", "did you mean \"database.pool.acquire_timeout\"?"},
    {"caches: {enabled: true}\n", ":1:1", "unknown key \"caches\""},
    {"cache: {types: {Project: {ttl: soon}}}\n", ":1:32", "must be a duration, 0s to 7d"},
    {"version: 2\n", ":1:10", "must be"},
    {"server: {header_timeout: 10}\n", ":1:26", "duration"},
    {"server: {header_timeout: 10 s}\n", ":1:26", "duration"},
    {"server: {header_timeout: 0s}\n", ":1:26", "1ms to 1h"},
    {"server: {header_timeout: -1s}\n", ":1:26", "duration"},
    {"server: {header_timeout: 99999999999999999999s}\n", ":1:26", "duration"},
    {"server: {header_timeout: 18446744073709551615d}\n", ":1:26", "duration"},
    {"server: {limits: {max_body_bytes: 1XB}}\n", ":1:35", "a size"},
    {"server: {workers: many}\n", ":1:19", "a number, 0 to 1024, or auto"},
    {"server: {workers: 1025}\n", ":1:19", "a number, 0 to 1024, or auto"},
    {"server: {workers: 1.5}\n", ":1:19", "a number"},
    {"server: {workers: [1]}\n", ":1:19", "must be a number"},
    {"server: {workers: }\n", ":1:19", "has no value"},
    {"server: {workers: {a: 1}}\n", ":1:19", "must be a number"},
    {"server: {listen: x}\n", ":1:18", "must be a list"},
    {"server: {listen: []}\n", ":1:18", "must not be empty"},
    {"server: {listen: [{a: b}]}\n", ":1:19", "must be a list"},
    {"server: {server_header: maybe}\n", ":1:25", "true or false"},
    {"server: [a]\n", ":1:9", "must be a map"},
    {"server: a\n", ":1:9", "must be a map"},
    {"server: {graphql_path: graphql}\n", ":1:24", "begin with /"},
    {"server: {cors: {enabled: true}}\n", "", "must not be empty"},
    {"server: {cors: {allow_origins: ['*'], allow_credentials: true}}\n", ":1:32", "with server.cors.allow_credentials"},
    {"server: {cors: {allow_origins: ['*', 'https://a.b']}}\n", ":1:32", "alone"},
    {"server: {cors: {allow_origins: ['https://a.b', '*']}}\n", ":1:32", "alone"},
    {"server: {cors: {allow_origins: ['https://a.b/']}}\n", ":1:32", "must be of origins"},
    {"server: {cors: {allow_origins: ['https://A.b']}}\n", ":1:32", "must be of origins"},
    {"server: {cors: {allow_origins: ['https://*.b']}}\n", ":1:32", "must be of origins"},
    {"server: {cors: {allow_origins: ['https://u@a.b']}}\n", ":1:32", "must be of origins"},
    {"server: {cors: {allow_origins: ['https://']}}\n", ":1:32", "must be of origins"},
    {"server: {cors: {allow_origins: ['://a.b']}}\n", ":1:32", "must be of origins"},
    {"server: {cors: {allow_origins: ['null']}}\n", ":1:32", "must be of origins"},
    {"server: {cors: {allow_methods: ['GET, POST']}}\n", ":1:32", "must be of names"},
    {"server: {cors: {expose_headers: ['']}}\n", ":1:33", "must be of names"},
    {"server: {tls: {enabled: true, key_file: a}}\n", "", "server.tls.cert_file must be set"},
    {"server: {tls: {enabled: true, cert_file: a}}\n", "", "server.tls.key_file must be set"},
    {"server: {tls: {client_auth: optional}}\n", ":1:29", "needs server.tls.client_ca_file"},
    {"server: {tls: {client_ca_file: a}}\n", ":1:32", "needs server.tls.client_auth"},
    {"server: {tls: {min_version: 1.1}}\n", ":1:29", "1.2 or 1.3"},
    {"database: {sslmode: verify}\n", ":1:21", "verify-ca or verify-full"},
    {"server: {compression: {level: 10}}\n", ":1:31", "1 to 9"},
    {"observability: {tracing: {ratio: 1.01}}\n", ":1:34", "from 0 to 1"},
    {"observability: {tracing: {ratio: 101%}}\n", ":1:34", "from 0 to 1"},
    {"observability: {tracing: {ratio: -0.1}}\n", ":1:34", "from 0 to 1"},
    {"observability: {tracing: {ratio: 1.}}\n", ":1:34", "from 0 to 1"},
    {"observability: {tracing: {ratio: .5}}\n", ":1:34", "from 0 to 1"},
    {"observability: {tracing: {ratio: 1e-3}}\n", ":1:34", "from 0 to 1"},
    {"observability: {tracing: {ratio: few}}\n", ":1:34", "from 0 to 1"},
    {"server: {batching: {max_operations: 0}}\n", ":1:37", "1 to 1000"},
    {"security: {complexity: {default_list_factor: 0}}\n", ":1:46", "or auto"},
    {"auth: {mode: maybe}\n", ":1:14", "none, optional or required"},
    {"auth: {jwt: {algorithms: [none]}}\n", ":1:26", "HS256"},
    {"auth: {jwt: {keys: [{kid: a}]}}\n", ":1:27", "secret"},
    {"auth: {jwt: {keys: {a: {kid: a}}}}\n", ":1:21", "unknown key"},
    {"auth: {claims: {a: {path: x}}}\n", ":1:27", "has no \"setting\""},
    {"auth: {claims: {tenant_id: {setting: x}}}\n", ":1:38", "not the name of a setting"},
    {"auth: {claims: {tenant_id: {setting: 'a.b; drop'}}}\n", ":1:38", "not the name of a setting"},
    {"auth: {claims: {tenant_id: {setting: a.b, settings: [c.d]}}}\n", ":1:53", "both"},
    {"auth: {claims: {tenant_id: {setting: a.b, type: int}}}\n", ":1:49", "text or uuid"},
    {"auth: {claims: {x: {setting: a.b}}}\n", "", "must be a claim of auth.claims"},
    {"auth: {issuers: {iss: a}}\n", ":1:18", "unknown key"},
    {"auth: {issuers: [{iss: [a]}]}\n", ":1:24", "must be a text"},
    {"auth: {issuers: [{}, {iss: a}]}\n", ":1:28", "the issuers before it are missing"},
    {"auth: {issuers: [{iss: a, keys: [{kid: k}]}]}\n", ":1:40", "auth.issuers[0].keys[0] has no"},
    {"auth: {issuers: [{iss: a, keys: [{alg: no}]}]}\n", ":1:40", "HS256, HS384"},
    {"auth: {issuers: [{iss: a, jwks: {uri: b}}]}\n", ":1:34", "unknown key"},
    {"auth: {issuers: [{iss: a, claims: {x: {path: b}}}]}\n", ":1:46", "there is no auth.claims.x"},
    {"auth: {issuers: [{iss: a, claims: {tenant_id: {setting: b.c}}}]}\n", ":1:48", "unknown key"},
    {"auth: {issuers: [{iss: a, role_claim: {allowed: [b]}}]}\n", ":1:49", "not among auth.role_claim"},
    {"auth: {jwks: {url: b}, issuers: [{iss: a}]}\n", ":1:20", "beside auth.issuers"},
    {"auth: {jwt: {issuers: [b]}, issuers: [{iss: a}]}\n", ":1:23", "beside auth.issuers"},
    {"errors: {notifications: {schedule: [10, 1]}}\n", ":1:36", "ascending"},
    {"errors: {notifications: {schedule: [0, 1]}}\n", ":1:36", "from 1"},
    {"errors: {notifications: {schedule: [first]}}\n", ":1:36", "of numbers"},
    {"errors: {notifications: {severities: [fatal]}}\n", ":1:38", "is not debug, info"},
    {"errors: {notifications: {smtp: {host: a}}}\n", ":1:39", "needs errors.notifications.smtp.from"},
    {"errors: {notifications: {smtp: {host: a, from: b, user: c, tls: none}}}\n", ":1:57", "for everybody to read"},
    {"errors: {notifications: {channels: [{name: a}]}}\n", ":1:44", "has no type"},
    {"errors: {notifications: {channels: [{type: pigeon}]}}\n", ":1:44", "webhook, slack, email or notify"},
    {"errors: {notifications: {channels: [{type: slack}, {type: slack}]}}\n", "", "another channel \"slack\""},
    {"errors: {notifications: {channels: [{type: slack, severities: [bad]}]}}\n", ":1:63", "is not debug, info"},
    {"errors: {notifications: {channels: [{type: slack, ur: x}]}}\n", ":1:51", "unknown key"},
    {"database: {port: 0}\n", ":1:18", "1 to 65535"},
    {"database: {options: {user: x}}\n", ":1:28", "use database.user"},
    {"database: {pool: {min: 9, max: 8}}\n", ":1:24", "not be more than database.pool.max"},
    {"database: {pool: {retry_backoff: [2s, 1s]}}\n", ":1:34", "two durations"},
    {"database: {pool: {retry_backoff: [2s]}}\n", ":1:34", "two durations"},
    {"schema: {pagination: {default_limit: 9, max_limit: 8}}\n", ":1:38", "not be more"},
    {"a: [\n", ":2:1", "not valid YAML"},
};
/* clang-format on */

static bool contains(struct str text, const char *words)
{
    char *copy = strndup(text.len > 0 ? text.data : "", text.len);
    bool found = strstr(copy, words) != NULL;

    free(copy);
    return found;
}

static void test_refuses_with_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct loaded l;
        const struct error *e;

        if (load(&l, refused[i].yaml, NULL, NULL))
            fail_msg("accepted: %s", refused[i].yaml);
        e = l.errs.first;
        if (e->code != CONFIG_INVALID || !str_ends(e->file, str_of(refused[i].place)) ||
            (!contains(e->message, refused[i].words) && !contains(e->hint, refused[i].words)))
            fail_msg("%s%.*s: %.*s (%.*s)", refused[i].yaml, STR_ARG(e->file), STR_ARG(e->message),
                     STR_ARG(e->hint));
        unload(&l);
    }
}

static void test_tells_all_errors_up_to_twenty(void **state)
{
    struct loaded l;
    struct buf yaml = {0};

    (void)state;
    assert_false(load(&l, "a: 1\nserver: {workers: x, b: 2}\nauth: {mode: y}\n", NULL, NULL));
    assert_int_equal(l.errs.n, 4);
    unload(&l);
    for (int i = 0; i < 30; i++)
        buf_printf(&yaml, "unknown%d: 1\n", i);
    assert_false(load(&l, buf_cstr(&yaml), NULL, NULL));
    assert_int_equal(l.errs.n, 20);
    assert_int_equal(l.errs.dropped, 10);
    unload(&l);
    buf_fini(&yaml);
}

static void test_refuses_unknown_variables_and_settings(void **state)
{
    static const char *const unknown[] = {"FRAISEQLD_SERVER__WORKRES=1", NULL};
    static const char *const wrong[] = {"FRAISEQLD_SERVER__WORKERS=x", NULL};
    static const char *const set[] = {"server.workres=1", "no value", NULL};
    struct loaded l;

    (void)state;
    assert_false(load(&l, "", unknown, NULL));
    assert_true(str_is(l.errs.first->file, "$FRAISEQLD_SERVER__WORKRES"));
    assert_true(contains(l.errs.first->hint, "server.workers"));
    unload(&l);
    assert_false(load(&l, "", wrong, NULL));
    assert_true(str_is(l.errs.first->file, "$FRAISEQLD_SERVER__WORKERS"));
    unload(&l);
    assert_false(load(&l, "", NULL, set));
    assert_int_equal(l.errs.n, 2);
    unload(&l);
}

static void test_a_named_file_must_be_there(void **state)
{
    static const char *const named[] = {"FRAISEQLD_CONFIG=/nonexistent/b.yaml", NULL};
    struct config_sources from = {.file = "/nonexistent/a.yaml"};
    struct arena *a = arena_new(0);
    struct errors errs;
    struct config *c;

    (void)state;
    errors_init(&errs, a);
    assert_false(config_load(&from, &c, &errs));
    from = (struct config_sources){.environment = named};
    assert_false(config_load(&from, &c, &errs));
    assert_int_equal(errs.n, 2);
    assert_null(c);
    config_free(NULL);
    arena_free(a);
}

/* Without the comments, which tell the origin. */
static void strip_comments(struct buf *b)
{
    size_t to = 0;

    for (size_t i = 0; i < b->len; i++) {
        if (b->data[i] == ' ' && i + 1 < b->len && b->data[i + 1] == '#')
            while (b->data[i] != '\n')
                i++;
        b->data[to++] = b->data[i];
    }
    b->len = to;
}

static void test_a_dump_reads_back(void **state)
{
    struct loaded l;
    struct buf first = {0}, second = {0};

    (void)state;
    must_load(&l,
              "server: {listen: ['unix:/a b', 'x:1']}\n"
              "errors: {environment: 'a: \"$$b\\'}\n"
              "database: {user: 'null', options: {a: '1', b: ''}}\n"
              "auth:\n"
              "  jwt: {keys: [{kid: k, secret: hunter2}, {secret: hunter2}]}\n"
              "  claims: {tenant_id: {setting: a.b}, x: {settings: [c.d, e.f]}}\n",
              NULL, NULL);
    config_dump(l.config, &first);
    unload(&l);
    assert_null(strstr(buf_cstr(&first), "hunter2"));
    assert_non_null(strstr(buf_cstr(&first), "      - kid: k # "));
    assert_non_null(strstr(buf_cstr(&first), "        secret: \"***\" # "));
    assert_non_null(strstr(buf_cstr(&first), "f.yaml:1:"));
    assert_non_null(strstr(buf_cstr(&first), " # default\n"));
    must_load(&l, buf_cstr(&first), NULL, NULL);
    config_dump(l.config, &second);
    assert_true(str_is(l.config->environment, "a: \"$b\\"));
    assert_true(str_is(keyword(l.config, "user"), "null"));
    unload(&l);
    strip_comments(&first);
    strip_comments(&second);
    assert_string_equal(buf_cstr(&first), buf_cstr(&second));
    buf_fini(&first);
    buf_fini(&second);
}

static void test_the_sample_is_the_defaults(void **state)
{
    struct loaded l;
    struct buf sample = {0}, from_sample = {0}, defaults = {0};
    char file[40000];
    FILE *f;

    (void)state;
    config_example(&sample);
    must_load(&l, buf_cstr(&sample), NULL, NULL);
    config_dump(l.config, &from_sample);
    unload(&l);
    must_load(&l, "", NULL, NULL);
    config_dump(l.config, &defaults);
    unload(&l);
    strip_comments(&from_sample);
    strip_comments(&defaults);
    assert_string_equal(buf_cstr(&from_sample), buf_cstr(&defaults));
    /* The file in the tree is what the program prints. */
    f = fopen("conf/fraiseqld.yaml", "r");
    assert_non_null(f);
    file[fread(file, 1, sizeof(file) - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(file, buf_cstr(&sample));
    buf_fini(&sample);
    buf_fini(&from_sample);
    buf_fini(&defaults);
}

static void test_the_reference_in_the_tree_is_what_the_program_prints(void **state)
{
    struct buf printed = {0};
    struct arena *a = arena_new(0);
    char *file = ARENA_ARRAY(a, 400000, char);
    FILE *f = fopen("docs/configuration.md", "r");

    (void)state;
    assert_non_null(f);
    assert_true(fread(file, 1, 399999, f) > 0);
    fclose(f);
    config_reference(&printed);
    assert_string_equal(file, buf_cstr(&printed));
    buf_fini(&printed);
    arena_free(a);
}

/* --- conf.d ------------------------------------------------------------------------------- */

/* A part of conf.d; removed by remove_parts(). */
static void write_part(const char *name, const char *text)
{
    char path[160], local[96];

    snprintf(path, sizeof(path), "%s/conf.d", directory);
    (void)mkdir(path, 0700);
    snprintf(local, sizeof(local), "conf.d/%s", name);
    write_file(path, sizeof(path), local, text);
}

static void remove_parts(const char *const *names)
{
    char path[160];

    for (size_t i = 0; names[i] != NULL; i++) {
        snprintf(path, sizeof(path), "%s/conf.d/%s", directory, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/conf.d", directory);
    assert_int_equal(rmdir(path), 0);
}

static void test_parts_are_merged_in_the_order_of_their_names(void **state)
{
    static const char *const names[] = {"10-a.yaml", "20-b.yaml", ".hidden.yaml", "30.yml", NULL};
    static const char *const environment[] = {"FRAISEQLD_DATABASE__POOL__MIN=3", NULL};
    struct loaded l;

    (void)state;
    write_part("20-b.yaml",
               "database: {pool: {max: 30}}\n"
               "schema: {expose: {views: [c_*]}}\n"
               "auth: {jwt: {keys: [{kid: new, secret: 01234567890123456789012345678901}]}}\n");
    write_part("10-a.yaml", "database: {pool: {max: 20, min: 2}}\n"
                            "server: {workers: 7}\n"
                            "schema: {expose: {views: [b_*, d_*]}}\n");
    write_part(".hidden.yaml", "no: such\n");
    write_part("30.yml", "no: such\n");
    must_load(&l,
              "database: {pool: {max: 10, max_waiters: 5}}\n"
              "auth:\n"
              "  jwt:\n"
              "    keys:\n"
              "      - {kid: old, alg: HS256, secret: 01234567890123456789012345678901}\n"
              "      - {kid: older, secret: 01234567890123456789012345678901}\n",
              environment, NULL);
    assert_int_equal(l.config->pool_max, 30);
    assert_int_equal(l.config->pool_min, 3);
    assert_int_equal(l.config->pool_max_waiters, 5);
    assert_int_equal(l.config->workers, 7);
    assert_int_equal(l.config->expose_views.n, 1);
    assert_true(str_is(l.config->expose_views.items[0], "c_*"));
    assert_int_equal(l.config->njwt_keys, 1);
    assert_true(str_is(l.config->jwt_keys[0].kid, "new"));
    assert_int_equal(l.config->files.n, 4);
    unload(&l);
    remove_parts(names);
}

static void test_errors_in_parts_have_their_place(void **state)
{
    static const char *const names[] = {"10-a.yaml", NULL};
    struct loaded l;

    (void)state;
    write_part("10-a.yaml", "server:\n  wrokers: 2\n");
    assert_false(load(&l, "server: {workers: x}\n", NULL, NULL));
    assert_int_equal(l.errs.n, 2);
    assert_true(str_ends(l.errs.first->file, STR("/conf.d/10-a.yaml:2:3")));
    assert_true(str_ends(l.errs.first->next->file, STR("/f.yaml:1:19")));
    unload(&l);
    remove_parts(names);
}

/* Take "#" away from the sample's keys: what it shows must be right as well. */
/* The sample with its samples, but for one section of them: "    #keys:". */
static void uncomment(struct buf *sample, const char *but)
{
    struct str rest, line;
    struct buf out = {0};
    size_t column = strlen(but) - strlen(strchr(but, '#')) + 1;
    bool within = false;

    config_example(sample);
    for (rest = buf_str(sample); rest.len > 0;) {
        size_t hash;

        str_cut(rest, '\n', &line, &rest);
        within =
            str_is(line, but) || (within && str_starts(line, str_sub(str_of(but), 0, column)) &&
                                  str_starts(str_sub(line, column, SIZE_MAX), STR("  ")));
        hash = str_find(line, '#');
        if (!within && hash < line.len && str_trim(str_sub(line, 0, hash)).len == 0 &&
            (line.data[hash + 1] != ' ' || line.data[hash + 2] == ' ')) {
            buf_append_str(&out, str_sub(line, 0, hash));
            line = str_sub(line, hash + 1, SIZE_MAX);
        }
        buf_append_str(&out, line);
        buf_append_char(&out, '\n');
    }
    buf_fini(sample);
    *sample = out;
}

static void test_the_samples_of_the_sample_are_valid(void **state)
{
    static const char *const files[] = {"db-password",   "jwt-secret",  "login-key.pem",
                                        "smtp-password", "webhook-url", "webhook-secret"};
    struct loaded l;
    char paths[COUNT_OF(files)][128];
    char variable[160];
    const char *environment[] = {variable, NULL};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++)
        write_file(paths[i], sizeof(paths[i]), files[i], "x\n");
    snprintf(variable, sizeof(variable), "CREDENTIALS_DIRECTORY=%s", directory);
    must_load(&l,
              "auth: {jwt: {keys: [{kid: main, alg: HS256, secret_file: db-password}]}}\n"
              "database: {password_file: db-password}\n",
              environment, NULL);
    unload(&l);
    /* One issuer, or several: keys are with the one or with the others. */
    for (int several = 0; several < 2; several++) {
        struct buf sample = {0};

        uncomment(&sample, several ? "    #keys:" : "  #issuers:");
        must_load(&l, buf_cstr(&sample), environment, NULL);
        assert_int_equal(l.config->njwt_keys, !several);
        assert_int_equal(l.config->nissuers, several);
        assert_int_equal(l.config->nclaims, 1);
        assert_true(str_is(keyword(l.config, "port"), "5432"));
        assert_int_equal(l.config->nchannels, 1);
        assert_true(str_is(l.config->channels[0].name, "oncall"));
        assert_true(str_is(l.config->channels[0].url, "x"));
        assert_true(str_is(l.config->channels[0].severities.items[0], "critical"));
        if (several) {
            assert_true(str_is(l.config->issuers[0].iss, "https://login.example.com/"));
            assert_int_equal(l.config->issuers[0].nkeys, 1);
            assert_true(str_is(l.config->issuers[0].keys[0].public_key, "x"));
            assert_true(str_is(l.config->issuers[0].claims[0].path, "org.tenant"));
        }
        unload(&l);
        buf_fini(&sample);
    }
    for (size_t i = 0; i < COUNT_OF(files); i++)
        unlink(paths[i]);
}

static void test_explains_keys(void **state)
{
    struct buf out = {0};

    (void)state;
    assert_true(config_explain(STR("database.pool.max"), &out));
    assert_non_null(strstr(buf_cstr(&out), "FRAISEQLD_DATABASE__POOL__MAX"));
    assert_non_null(strstr(buf_cstr(&out), "200"));
    buf_clear(&out);
    assert_true(config_explain(STR("auth.claims"), &out));
    assert_non_null(strstr(buf_cstr(&out), "auth.claims.*.setting"));
    buf_clear(&out);
    assert_false(config_explain(STR("database.pool.mx"), &out));
    assert_string_equal(buf_cstr(&out), "did you mean \"database.pool.max\"?");
    buf_fini(&out);
}

static void test_rows_make_sense(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_count; i++) {
        const struct config_option *o = &options_table[i];

        assert_true(strlen(o->help) > 4);
        if (o->max > 0)
            assert_true(o->min <= o->max);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(o->key, options_table[k].key);
        if (strpbrk(o->key, "*[") == NULL)
            assert_ptr_equal(option_find(str_of(o->key)), o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_reads_every_type),
        cmocka_unit_test(test_ratios),
        cmocka_unit_test(test_later_sources_win),
        cmocka_unit_test(test_interpolates),
        cmocka_unit_test(test_secrets_come_from_files),
        cmocka_unit_test(test_refuses_with_a_place),
        cmocka_unit_test(test_tells_all_errors_up_to_twenty),
        cmocka_unit_test(test_refuses_unknown_variables_and_settings),
        cmocka_unit_test(test_a_named_file_must_be_there),
        cmocka_unit_test(test_a_dump_reads_back),
        cmocka_unit_test(test_the_sample_is_the_defaults),
        cmocka_unit_test(test_the_reference_in_the_tree_is_what_the_program_prints),
        cmocka_unit_test(test_parts_are_merged_in_the_order_of_their_names),
        cmocka_unit_test(test_errors_in_parts_have_their_place),
        cmocka_unit_test(test_the_samples_of_the_sample_are_valid),
        cmocka_unit_test(test_explains_keys),
        cmocka_unit_test(test_rows_make_sense),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
