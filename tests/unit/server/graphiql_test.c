/* graphiql_test.c - where GraphiQL is, what its replies say, and configurations that are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/graphiql.h"

static const char page[] = "<a b=\"{{base}}/x.1.js\" c=\"{{endpoint}}\" d=\"{{token}}\">";
static const char script[] = "compressed";

static const struct graphiql_asset asset = {"x.1.js", "text/javascript", script,
                                            script + sizeof(script) - 1};
static const struct graphiql_content content = {page, page + sizeof(page) - 1, &asset, 1};

static struct graphiql_options options(const char *path)
{
    return (struct graphiql_options){
        .enabled = true,
        .content = &content,
        .path = str_of(path),
        .graphql_path = STR("/graphql"),
    };
}

struct fixture {
    struct arena *arena;
    struct errors errs;
    const struct graphiql *g;
    struct http_reply reply;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.arena = arena_new(0)};
    errors_init(&f.errs, f.arena);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    buf_fini(&f->reply.body);
    arena_free(f->arena);
    return 0;
}

/* The status of a GET, 0 where there is nothing. */
static int get(struct fixture *f, const char *path, const char *accept_encoding)
{
    struct http_header header = {STR("Accept-Encoding"), str_of(accept_encoding)};
    struct http_request q = {
        .path = str_of(path), .headers = &header, .nheaders = accept_encoding != NULL};

    buf_fini(&f->reply.body);
    f->reply = (struct http_reply){0};
    return graphiql_answer(f->g, &q, &f->reply) ? f->reply.status : 0;
}

static struct str header_of(const struct http_reply *r, const char *name)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (str_is(r->headers[i].name, name))
            return r->headers[i].value;
    return STR("");
}

struct place_row {
    const char *path;
    const char *page;
    const char *asset;
    const char *nothing;
};

static const struct place_row places[] = {
    {"/graphiql",   "/graphiql",   "/graphiql/x.1.js",  "/graphiql/"         },
    {"/graphiql",   "/graphiql",   "/graphiql/x.1.js",  "/graphiqlx.1.js"    },
    {"/graphiql",   "/graphiql",   "/graphiql/x.1.js",  "/graphiql/x.1.jss"  },
    {"/graphiql",   "/graphiql",   "/graphiql/x.1.js",  "/graphiql//x.1.js"  },
    {"/graphiql",   "/graphiql",   "/graphiql/x.1.js",  "/graphiql/../x.1.js"},
    {"/graphiql",   "/graphiql",   "/graphiql/x.1.js",  "/graphi"            },
    {"/tools/ide/", "/tools/ide/", "/tools/ide/x.1.js", "/tools/ide"         },
    {"/",           "/",           "/x.1.js",           "/health"            },
};

static void the_page_and_its_parts_are_below_one_path(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct graphiql_options opt = options(places[i].path);

        assert_true(graphiql_new(&opt, f->arena, &f->g, &f->errs));
        if (get(f, places[i].page, NULL) != 200 || get(f, places[i].asset, NULL) != 200 ||
            get(f, places[i].nothing, NULL) != 0)
            fail_msg("row %zu: %s", i, places[i].path);
    }
}

static void the_page_says_where_the_endpoint_is(void **state)
{
    struct fixture *f = *state;
    struct graphiql_options opt = options("/ide");

    opt.graphql_path = STR("/a\"<&'b");
    opt.token_required = true;
    assert_true(graphiql_new(&opt, f->arena, &f->g, &f->errs));
    assert_int_equal(get(f, "/ide", NULL), 200);
    assert_string_equal(buf_cstr(&f->reply.body),
                        "<a b=\"/ide/x.1.js\" c=\"/a&quot;&lt;&amp;'b\" d=\"required\">");
}

static void the_page_may_load_nothing_from_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct graphiql_options opt = options("/ide");
    struct str policy;

    assert_true(graphiql_new(&opt, f->arena, &f->g, &f->errs));
    assert_int_equal(get(f, "/ide", NULL), 200);
    policy = header_of(&f->reply, "Content-Security-Policy");
    assert_true(str_starts(policy, STR("default-src 'none'; script-src 'self'; ")));
    assert_true(str_ends(policy, STR("frame-ancestors 'none'")));
    assert_null(memmem(policy.data, policy.len, "unsafe", 6));
    assert_null(memmem(policy.data, policy.len, "http", 4));
}

struct encoding_row {
    const char *accepted; /* NULL: no header */
    int status;
};

static const struct encoding_row encodings[] = {
    {NULL,                   200},
    {"gzip, deflate, br",    200},
    {"br;q=1, X-GZIP;q=0.1", 200},
    {"*",                    200},
    {"gzip, *;q=0",          200},
    {"gzip;q=0.5, identity", 200},
    {"",                     406},
    {"identity",             406},
    {"br, deflate",          406},
    {"gzip;q=0, *",          406},
    {"*;q=0.000",            406},
};

static void parts_are_there_compressed_only(void **state)
{
    struct fixture *f = *state;
    struct graphiql_options opt = options("/ide");

    assert_true(graphiql_new(&opt, f->arena, &f->g, &f->errs));
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        int status = get(f, "/ide/x.1.js", encodings[i].accepted);

        if (status != encodings[i].status)
            fail_msg("Accept-Encoding: %s: %d", encodings[i].accepted, status);
        if (status != 200)
            continue;
        assert_true(str_is(header_of(&f->reply, "Content-Encoding"), "gzip"));
        assert_true(str_ends(header_of(&f->reply, "Cache-Control"), STR("immutable")));
        assert_string_equal(buf_cstr(&f->reply.body), script);
    }
}

static void what_is_off_is_nowhere(void **state)
{
    struct fixture *f = *state;
    struct graphiql_options opt = {.enabled = false, .path = STR("/ide")};

    assert_true(graphiql_new(&opt, f->arena, &f->g, &f->errs));
    assert_null(f->g);
    assert_int_equal(get(f, "/ide", NULL), 0);
}

static void a_program_built_without_it_refuses_to_serve_it(void **state)
{
    struct fixture *f = *state;
    struct graphiql_options opt = options("/ide");

    opt.content = NULL;
    assert_false(graphiql_new(&opt, f->arena, &f->g, &f->errs));
    assert_int_equal(f->errs.first->code, CONFIG_INVALID);
    assert_true(str_starts(f->errs.first->message, STR("graphiql.enabled: ")));
    assert_true(f->errs.first->hint.len > 0);
}

static const char *const wrong_paths[] = {"",     "graphiql", "/graphql", "/a b",
                                          "/a?b", "/a\"b",    "/%41"};

static void paths_that_are_none_are_refused(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(wrong_paths); i++) {
        struct graphiql_options opt = options(wrong_paths[i]);

        errors_init(&f->errs, f->arena);
        if (graphiql_new(&opt, f->arena, &f->g, &f->errs))
            fail_msg("accepted: %s", wrong_paths[i]);
        assert_int_equal(f->errs.first->code, CONFIG_INVALID);
        assert_true(str_starts(f->errs.first->message, STR("graphiql.path: ")));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_page_and_its_parts_are_below_one_path),
        TEST(the_page_says_where_the_endpoint_is),
        TEST(the_page_may_load_nothing_from_elsewhere),
        TEST(parts_are_there_compressed_only),
        TEST(what_is_off_is_nowhere),
        TEST(a_program_built_without_it_refuses_to_serve_it),
        TEST(paths_that_are_none_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
