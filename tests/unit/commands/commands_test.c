/*
 * commands_test.c - exit codes and output of the subcommands.
 */
#include <getopt.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/auth.h"
#include "base/jval.h"
#include "base/thread.h"
#include "commands/commands.h"

static char directory[] = "/tmp/commands_testXXXXXX";
static char config_file[64], secret_file[64], output_file[64];
static char output[60000]; /* what the last command printed on standard output */

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(config_file, sizeof(config_file), "%s/c.yaml", directory);
    snprintf(secret_file, sizeof(secret_file), "%s/secret", directory);
    snprintf(output_file, sizeof(output_file), "%s/out", directory);
    write_file(secret_file, "a secret of thirty-two bytes or more\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(config_file);
    unlink(secret_file);
    unlink(output_file);
    return rmdir(directory);
}

/* Words separated by spaces; standard output goes to `output`, standard error to nowhere. */
static int run(const char *line)
{
    char copy[512], name[64];
    char *arguments[32] = {name};
    int argc = 1, status, saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);
    char *save = NULL;
    const struct command *c;
    FILE *f;

    snprintf(copy, sizeof(copy), "%s", line);
    c = command_find(strtok_r(copy, " ", &save));
    assert_non_null(c);
    snprintf(name, sizeof(name), "fraiseqld %s", c->name);
    for (char *word = strtok_r(NULL, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
        arguments[argc++] = word;
    fflush(NULL);
    assert_non_null(freopen(output_file, "w", stdout));
    assert_non_null(freopen("/dev/null", "w", stderr));
    optind = 0; /* start over */
    status = c->run(argc, arguments);
    fflush(NULL);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved_out);
    close(saved_err);
    f = fopen(output_file, "r");
    assert_non_null(f);
    output[fread(output, 1, sizeof(output) - 1, f)] = '\0';
    fclose(f);
    return status;
}

static int run_with(const char *format, const char *a, const char *b)
{
    char line[512];

    snprintf(line, sizeof(line), "%s", "");
    while (*format != '\0') {
        size_t n = strlen(line);

        if (format[0] == '%') {
            snprintf(line + n, sizeof(line) - n, "%s", format[1] == '1' ? a : b);
            format += 2;
        } else {
            snprintf(line + n, sizeof(line) - n, "%c", *format++);
        }
    }
    return run(line);
}

static void test_usage_errors_and_help(void **state)
{
    static const char *const wrong[] = {
        "check --bogus",
        "check extra",
        "check --format xml",
        "config",
        "config explain",
        "config bogus",
        "token",
        "token --ttl 5",
        "token --alg none",
        "version x",
        "health --url x",
        "health --timeout 1",
        "help bogus",
        "serve extra",
        "schema",
        "schema bogus",
        "schema print extra",
        "schema print --format xml",
        "db",
        "db bogus",
        "db uninstall",
    };
    static const char *const names[] = {"serve",   "check", "config", "schema", "db",
                                        "explain", "token", "health", "version"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (run(wrong[i]) != EX_USAGE)
            fail_msg("%s", wrong[i]);
        assert_string_equal(output, "");
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char line[64];
        struct str text, row;

        snprintf(line, sizeof(line), "help %s", names[i]);
        assert_int_equal(run(line), EX_OK);
        text = str_of(output);
        assert_true(str_starts(text, STR("usage: fraiseqld ")));
        while (str_cut(text, '\n', &row, &text))
            assert_true(row.len <= 80);
    }
    assert_int_equal(run("help"), EX_OK);
    assert_non_null(strstr(output, "  token "));
    assert_null(command_find("bogus"));
}

static void test_check_tells_by_its_exit_code(void **state)
{
    (void)state;
    write_file(config_file, "auth: {mode: none}\ntenancy: {enabled: false}\n");
    assert_int_equal(run_with("check -c %1", config_file, ""), EX_OK);
    assert_int_equal(run_with("check -c %1 --format json", config_file, ""), EX_OK);
    assert_string_equal(output, "{\"valid\":true,\"errors\":[]}\n");
    assert_int_equal(run_with("check -c %1 --dump --set server.workers=7", config_file, ""), EX_OK);
    assert_non_null(strstr(output, "  workers: 7 # --set\n"));
    assert_int_equal(run_with("check -c %1 --set server.workrs=7", config_file, ""), EX_CONFIG);
    assert_int_equal(run("check -c /nonexistent/x.yaml"), EX_NOINPUT);
    /* What only a module knows is checked as well. */
    write_file(config_file, "auth: {mode: required, jwt: {keys: [{secret: short}]}}\n");
    assert_int_equal(run_with("check -c %1", config_file, ""), EX_CONFIG);
}

static void test_check_prints_json_for_tools(void **state)
{
    const struct jval_limits limits = {8, 1000};
    struct arena *a = arena_new(0);
    const struct jval *v, *e;
    struct errors errs;

    (void)state;
    errors_init(&errs, a);
    write_file(config_file, "server:\n  workrs: 1\n  listen: \"\\\"\"\n");
    assert_int_equal(run_with("check -c %1 --format json", config_file, ""), EX_CONFIG);
    assert_true(jval_parse(str_of(output), &limits, a, &v, &errs));
    assert_false(jval_get(v, STR("valid"))->boolean);
    assert_int_equal(jval_get(v, STR("errors"))->n, 2);
    e = jval_get(v, STR("errors"))->items[0];
    assert_true(str_is(jval_get(e, STR("line"))->text, "2"));
    assert_true(str_is(jval_get(e, STR("column"))->text, "3"));
    assert_true(str_is(jval_get(e, STR("hint"))->text, "did you mean \"server.workers\"?"));
    arena_free(a);
}

static void test_config_prints(void **state)
{
    (void)state;
    assert_int_equal(run("config example"), EX_OK);
    assert_non_null(strstr(output, "\nserver:\n"));
    write_file(config_file, "database: {password: hunter2}\n");
    assert_int_equal(run_with("config dump -c %1", config_file, ""), EX_OK);
    assert_non_null(strstr(output, "password: \"***\""));
    assert_null(strstr(output, "hunter2"));
    assert_int_equal(run("config explain server.workers"), EX_OK);
    assert_non_null(strstr(output, "auto"));
    assert_int_equal(run("config explain server.workrs"), EX_DATAERR);
    assert_string_equal(output, "");
}

/* What one command signs the daemon accepts, and nothing else is on standard output. */
static void test_tokens_are_accepted(void **state)
{
    static const struct str algorithms[] = {STR_INIT("HS256")};
    static const struct str settings[] = {STR_INIT("app.tenant_id"), STR_INIT("app.n")};
    const struct auth_key_options key = {STR("k1"), STR("HS256"),
                                         STR("a secret of thirty-two bytes or more"), STR("")};
    const struct auth_claim_options claims[] = {
        {STR("tenant_id"), STR("tenant_id"), &settings[0], 1, CLAIM_TEXT, true},
        {STR("n"),         STR("n"),         &settings[1], 1, CLAIM_TEXT, true},
    };
    const struct auth_options options = {
        .mode = AUTH_REQUIRED,
        .algorithms = algorithms,
        .nalgorithms = 1,
        .require_exp = true,
        .max_token_bytes = 4096,
        .keys = &key,
        .nkeys = 1,
        .claims = claims,
        .nclaims = 2,
    };
    struct arena *a = arena_new(0);
    struct identity who;
    struct errors errs;
    struct auth *auth;

    (void)state;
    errors_init(&errs, a);
    auth = auth_new(&options, &errs);
    assert_non_null(auth);
    assert_int_equal(run_with("token --key-file %1 --kid k1 --sub u1 --claim tenant_id=t1 --claim "
                              "n=42 --ttl 1h",
                              secret_file, ""),
                     EX_OK);
    assert_int_equal(strspn(output, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789-_."),
                     strlen(output) - 1);
    assert_true(identity_from_token(
        auth, arena_printf(a, "Bearer %.*s", (int)strlen(output) - 1, output), a, &who, &errs));
    assert_true(str_is(who.subject, "u1"));
    assert_string_equal(who.settings[0].value, "t1");
    assert_string_equal(who.settings[1].value, "42");
    auth_free(auth);
    arena_free(a);
}

static void test_tokens_need_a_good_key(void **state)
{
    (void)state;
    assert_int_equal(run("token --key-file /nonexistent/x"), EX_NOINPUT);
    assert_int_equal(run_with("token --key-file %1 --alg HS512", secret_file, ""), EX_DATAERR);
    assert_int_equal(run_with("token --key-file %1 --claim =x", secret_file, ""), EX_USAGE);
    assert_int_equal(run_with("token --key-file %1 --claim x", secret_file, ""), EX_USAGE);
}

static void test_version_is_json_too(void **state)
{
    const struct jval_limits limits = {8, 1000};
    struct arena *a = arena_new(0);
    const struct jval *v;
    struct errors errs;

    (void)state;
    errors_init(&errs, a);
    assert_int_equal(run("version"), EX_OK);
    assert_true(str_starts(str_of(output), STR("fraiseqld ")));
    assert_non_null(strstr(output, "libpq"));
    assert_int_equal(run("version --json"), EX_OK);
    assert_true(jval_parse(str_of(output), &limits, a, &v, &errs));
    assert_true(jval_get(v, STR("libraries"))->n >= 5);
    arena_free(a);
}

/* --- health: against a server that answers one connection ---------------------------------- */

struct answer {
    int listener;
    const char *text;
    char request[512];
};

static void answer_once(void *arg)
{
    struct answer *a = arg;
    int fd = accept(a->listener, NULL, NULL);
    ssize_t n = read(fd, a->request, sizeof(a->request) - 1);

    a->request[n > 0 ? n : 0] = '\0';
    if (write(fd, a->text, strlen(a->text)) < 0)
        a->request[0] = '\0';
    close(fd);
}

static void test_health_asks_and_tells(void **state)
{
    static const struct {
        const char *flags, *reply, *path;
        int status;
    } cases[] = {
        {"",        "HTTP/1.1 200 OK\r\n\r\n", "GET /readyz ", 0},
        {"--live",  "HTTP/1.1 200 OK\r\n\r\n", "GET /livez ",  0},
        {"--ready", "HTTP/1.1 503 No\r\n\r\n", "GET /readyz ", 1},
        {"--ready", "nonsense\r\n",            "GET /readyz ", 1},
        {"--ready", "",                        "GET /readyz ", 1},
    };
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    char url[64];

    (void)state;
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answer a = {listener, cases[i].reply, ""};
        struct thread *t = thread_start(THREAD_HELPER, "answer", answer_once, &a);
        int status;

        snprintf(url, sizeof(url), "http://127.0.0.1:%u", ntohs(address.sin_port));
        status = run_with("health %1 --url %2", cases[i].flags, url);
        thread_join(t);
        assert_int_equal(status, cases[i].status);
        assert_memory_equal(a.request, cases[i].path, strlen(cases[i].path));
    }
    /* Accepted by the kernel, but never answered: the time limit ends it. */
    assert_int_equal(run_with("health --timeout 50ms --url %1", url, ""), 1);
    close(listener);
    assert_int_equal(run_with("health --timeout 1s --url %1", url, ""), 1);
    /* Without a URL the configuration says where. */
    write_file(config_file, "server: {admin_listen: \"unix:/nonexistent/socket\"}\n");
    assert_int_equal(run_with("health -c %1", config_file, ""), 1);
    write_file(config_file, "nonsense: true\n");
    assert_int_equal(run_with("health -c %1", config_file, ""), EX_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage_errors_and_help),
        cmocka_unit_test(test_check_tells_by_its_exit_code),
        cmocka_unit_test(test_check_prints_json_for_tools),
        cmocka_unit_test(test_config_prints),
        cmocka_unit_test(test_tokens_are_accepted),
        cmocka_unit_test(test_tokens_need_a_good_key),
        cmocka_unit_test(test_version_is_json_too),
        cmocka_unit_test(test_health_asks_and_tells),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
