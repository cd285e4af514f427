/*
 * token.c - the subcommand that makes a signed token, for development and tests.
 *
 * Thread:   main.
 * Not here: checking tokens (auth/).
 */
#include <fcntl.h>
#include <getopt.h>
#include <jwt.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

#include "base/deadline.h"
#include "base/jval.h"
#include "base/jwriter.h"
#include "config/options.h"

static const char usage[] =
    "usage: fraiseqld token --key-file FILE [--sub SUBJECT] [--claim NAME=VALUE]...\n"
    "\n"
    "Print a signed token (JWT), and nothing else, on standard output.\n"
    "\n"
    "      --key-file FILE     the secret, without its trailing newline; or PEM of a\n"
    "                          private key, for RS256, ES256 and their like\n"
    "      --sub SUBJECT       claim sub\n"
    "      --claim NAME=VALUE  a claim; VALUE is JSON, or else a text as it is\n"
    "      --ttl DURATION      until it expires, for example 30m (default 12h)\n"
    "      --alg ALGORITHM     HS256 (default), HS384, HS512, RS256, RS384, RS512,\n"
    "                          ES256, ES384 or ES512\n"
    "      --kid NAME          name of the key, for the header\n"
    "      --force             also where ENVIRONMENT is production\n"
    "  -h, --help              show this text\n"
    "\n"
    "Example: fraiseqld token --key-file jwt-secret --sub u1 --claim tenant_id=t1\n";

enum flag {
    FLAG_KEY_FILE = 256,
    FLAG_SUB,
    FLAG_CLAIM,
    FLAG_TTL,
    FLAG_ALG,
    FLAG_KID,
    FLAG_FORCE,
};

static const struct option flags[] = {
    {"key-file", required_argument, NULL, FLAG_KEY_FILE},
    {"sub",      required_argument, NULL, FLAG_SUB     },
    {"claim",    required_argument, NULL, FLAG_CLAIM   },
    {"ttl",      required_argument, NULL, FLAG_TTL     },
    {"alg",      required_argument, NULL, FLAG_ALG     },
    {"kid",      required_argument, NULL, FLAG_KID     },
    {"force",    no_argument,       NULL, FLAG_FORCE   },
    {"help",     no_argument,       NULL, 'h'          },
    {NULL,       0,                 NULL, 0            },
};

/* name, libjwt's, least length of the secret (RFC 7518 section 3.2); 0: a private key */
static const struct algorithm {
    const char *name;
    jwt_alg_t id;
    size_t least;
} algorithms[] = {
    {"HS256", JWT_ALG_HS256, 32},
    {"HS384", JWT_ALG_HS384, 48},
    {"HS512", JWT_ALG_HS512, 64},
    {"RS256", JWT_ALG_RS256, 0 },
    {"RS384", JWT_ALG_RS384, 0 },
    {"RS512", JWT_ALG_RS512, 0 },
    {"ES256", JWT_ALG_ES256, 0 },
    {"ES384", JWT_ALG_ES384, 0 },
    {"ES512", JWT_ALG_ES512, 0 },
};

struct request {
    struct arena *arena;
    const char *key_file;
    const char *kid;
    const struct algorithm *algorithm;
    uint64_t ttl_ms;
    bool force;
    struct buf claims; /* owned: members of a JSON object */
};

static const struct algorithm *find_algorithm(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(algorithms); i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

static void add_claim(struct request *r, struct str name, struct str value, bool may_be_json)
{
    const struct jval_limits limits = {16, 1000};
    const struct jval *v;
    struct errors ignored;

    errors_init(&ignored, r->arena);
    if (r->claims.len > 0)
        buf_append_char(&r->claims, ',');
    jwriter_key(&r->claims, name);
    if (may_be_json && jval_parse(value, &limits, r->arena, &v, &ignored))
        jval_write(v, &r->claims);
    else
        jwriter_string(&r->claims, value);
}

static bool take_flag(struct request *r, int c, const char *argument)
{
    struct str name, value;

    switch (c) {
    case FLAG_KEY_FILE:
        r->key_file = argument;
        return true;
    case FLAG_SUB:
        add_claim(r, STR("sub"), str_of(argument), false);
        return str_is_utf8(str_of(argument));
    case FLAG_CLAIM:
        if (!str_is_utf8(str_of(argument)) || !str_cut(str_of(argument), '=', &name, &value) ||
            name.len == 0)
            return false;
        add_claim(r, name, value, true);
        return true;
    case FLAG_TTL:
        return option_duration(str_of(argument), &r->ttl_ms) && r->ttl_ms >= 1000;
    case FLAG_ALG:
        r->algorithm = find_algorithm(argument);
        return r->algorithm != NULL;
    case FLAG_KID:
        r->kid = argument;
        return true;
    case FLAG_FORCE:
        r->force = true;
        return true;
    default:
        return false;
    }
}

/* False with a message. */
static bool read_key(const char *path, struct buf *key)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *to = fd >= 0 ? buf_reserve(key, key->max) : NULL;
    ssize_t n = to != NULL ? read(fd, to, key->max) : -1;

    if (n < 0)
        fprintf(stderr, "fraiseqld token: could not read \"%s\": %m\n", path);
    else
        key->len = (size_t)n;
    if (fd >= 0)
        close(fd);
    if (key->len > 0 && key->data[key->len - 1] == '\n')
        key->len--;
    if (key->len > 0 && key->data[key->len - 1] == '\r')
        key->len--;
    return n >= 0;
}

static int sign(struct request *r, struct str key)
{
    long now = (long)(wall_clock_us() / 1000000);
    jwt_t *jwt = NULL;
    char *token = NULL;
    int status = EX_SOFTWARE;
    struct buf object = {0};

    buf_printf(&object, "{%.*s}", STR_ARG(buf_str(&r->claims)));
    CHECK(jwt_new(&jwt) == 0);
    if (jwt_add_grants_json(jwt, buf_cstr(&object)) != 0) {
        fputs("fraiseqld token: the claims make no valid object\n", stderr);
        status = EX_DATAERR;
    } else if (jwt_del_grants(jwt, "iat") == 0 && jwt_del_grants(jwt, "exp") == 0 &&
               jwt_add_grant_int(jwt, "iat", now) == 0 &&
               jwt_add_grant_int(jwt, "exp", now + (long)(r->ttl_ms / 1000)) == 0 &&
               (r->kid == NULL || jwt_add_header(jwt, "kid", r->kid) == 0) &&
               jwt_set_alg(jwt, r->algorithm->id, (const unsigned char *)key.data, (int)key.len) ==
                   0) {
        token = jwt_encode_str(jwt);
    }
    if (token != NULL) {
        puts(token);
        status = EX_OK;
    } else if (status == EX_SOFTWARE) {
        fputs("fraiseqld token: could not sign: is it a key of the algorithm?\n", stderr);
        status = EX_DATAERR;
    }
    xfree(token);
    jwt_free(jwt);
    buf_fini(&object);
    return status;
}

static int run(struct request *r, const char *argv0)
{
    const char *environment = getenv("ENVIRONMENT");
    struct buf key;
    int status;

    if (r->key_file == NULL)
        return command_usage(argv0, "--key-file is missing");
    if (!r->force && environment != NULL && strcmp(environment, "production") == 0)
        return command_usage(argv0, "tokens of production are its issuer's to make (see --force)");
    buf_init(&key, (size_t)64 * 1024);
    if (!read_key(r->key_file, &key)) {
        status = EX_NOINPUT;
    } else if (key.len < r->algorithm->least) {
        fprintf(stderr, "fraiseqld token: the secret has %zu bytes, %s needs %zu\n", key.len,
                r->algorithm->name, r->algorithm->least);
        status = EX_DATAERR;
    } else {
        status = sign(r, buf_str(&key));
    }
    buf_fini(&key);
    return status;
}

int command_token(int argc, char **argv)
{
    struct request r = {.arena = arena_new(0), .ttl_ms = UINT64_C(12) * 3600 * 1000};
    int status = -1, c;

    r.algorithm = &algorithms[0];
    while (status < 0 && (c = getopt_long(argc, argv, "h", flags, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            status = EX_OK;
        } else if (c == '?' || !take_flag(&r, c, optarg)) {
            status =
                command_usage(argv[0], c == '?' ? "wrong arguments" : "\"%s\" makes no sense there",
                              optarg != NULL ? optarg : "");
        }
    }
    if (status < 0 && optind < argc)
        status = command_usage(argv[0], "unexpected argument \"%s\"", argv[optind]);
    if (status < 0)
        status = run(&r, argv[0]);
    buf_fini(&r.claims);
    arena_free(r.arena);
    return status;
}
