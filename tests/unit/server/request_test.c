/* request_test.c - HTTP requests that are, and are not, GraphQL requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/request.h"

struct accept_row {
    const char *accept; /* NULL: no header */
    int media;          /* -1: not acceptable */
};

static const struct accept_row accepts[] = {
    {NULL,                                                                                MEDIA_JSON   },
    {"",                                                                                  MEDIA_JSON   },
    {"*/*",                                                                               MEDIA_JSON   },
    {"application/*",                                                                     MEDIA_JSON   },
    {"application/json",                                                                  MEDIA_JSON   },
    {"APPLICATION/JSON; charset=utf-8",                                                   MEDIA_JSON   },
    {"application/graphql-response+json",                                                 MEDIA_GRAPHQL},
    {"application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
     MEDIA_GRAPHQL                                                                                     },
    {"application/json, application/graphql-response+json",                               MEDIA_GRAPHQL},
    {"application/graphql-response+json;q=0.5, application/json",                         MEDIA_JSON   },
    {"application/graphql-response+json, application/json;q=0.9",                         MEDIA_GRAPHQL},
    {"application/graphql-response+json, */*;q=0.1",                                      MEDIA_GRAPHQL},
    {"application/json;q=0, application/graphql-response+json;q=0.1",                     MEDIA_GRAPHQL},
    {"application/json;q=0, */*",                                                         MEDIA_GRAPHQL},
    {"application/graphql-response+json;q=0, */*",                                        MEDIA_JSON   },
    {"text/html, application/xhtml+xml, */*;q=0.8",                                       MEDIA_JSON   },
    {"text/html",                                                                         -1           },
    {"application/json;q=0",                                                              -1           },
    {"*/*;q=0",                                                                           -1           },
    {"application/jsonp",                                                                 -1           },
};

static void accept_prefers_one_of_two_media_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepts); i++) {
        enum request_media media = MEDIA_JSON;
        bool ok = request_accept(str_of(accepts[i].accept), &media);

        if (ok != (accepts[i].media >= 0) || (ok && (int)media != accepts[i].media))
            fail_msg("Accept: %s", accepts[i].accept);
    }
}

struct decode_row {
    const char *method;
    const char *content_type;
    const char *input; /* body, or query string */
    int code;          /* -1: fine */
    const char *query;
    const char *name;
};

static const struct decode_row decodes[] = {
    {"POST",   "application/json",                 "{\"query\":\"{a}\"}",                              -1,                     "{a}",   ""  },
    {"POST",   "application/json;charset=UTF-8",
     "{\"query\":\"{a}\",\"operationName\":\"n\",\"variables\":{},\"extensions\":{}}",                 -1,                     "{a}",
     "n"                                                                                                                                    },
    {"POST",   "application/json",
     "{\"query\":\"{a}\",\"operationName\":null,\"variables\":null,\"extensions\":null}",              -1,                     "{a}",
     ""                                                                                                                                     },
    {"POST",   "application/json",                 "{\"query\":\"{a}\",\"more\":1}",                   -1,                     "{a}",   ""  },
    {"POST",   "text/plain",                       "{\"query\":\"{a}\"}",                              UNSUPPORTED_MEDIA_TYPE, NULL,    NULL},
    {"POST",   NULL,                               "{\"query\":\"{a}\"}",                              UNSUPPORTED_MEDIA_TYPE, NULL,    NULL},
    {"POST",   "application/json; charset=latin1", "{\"query\":\"{a}\"}",                              UNSUPPORTED_MEDIA_TYPE,
     NULL,                                                                                                                              NULL},
    {"POST",   "application/jsonx",                "{\"query\":\"{a}\"}",                              UNSUPPORTED_MEDIA_TYPE, NULL,    NULL},
    {"POST",   "application/json",                 "",                                                 BAD_REQUEST,            NULL,    NULL},
    {"POST",   "application/json",                 "{",                                                BAD_REQUEST,            NULL,    NULL},
    {"POST",   "application/json",                 "[]",                                               BAD_REQUEST,            NULL,    NULL},
    {"POST",   "application/json",                 "\"x\"",                                            BAD_REQUEST,            NULL,    NULL},
    {"POST",   "application/json",                 "{}",                                               BAD_REQUEST,            NULL,    NULL},
    {"POST",   "application/json",                 "{\"query\":null}",                                 BAD_REQUEST,            NULL,    NULL},
    {"POST",   "application/json",                 "{\"query\":[]}",                                   BAD_REQUEST,            NULL,    NULL},
    {"POST",   "application/json",                 "{\"query\":\"{a}\",\"query\":\"{b}\"}",            BAD_REQUEST,            NULL,    NULL},
    {"POST",   "application/json",                 "{\"query\":\"{a}\",\"operationName\":1}",          BAD_REQUEST,            NULL,
     NULL                                                                                                                                   },
    {"POST",   "application/json",                 "{\"query\":\"{a}\",\"variables\":[]}",             BAD_REQUEST,            NULL,    NULL},
    {"POST",   "application/json",                 "{\"query\":\"{a}\",\"variables\":\"{}\"}",         BAD_REQUEST,            NULL,
     NULL                                                                                                                                   },
    {"POST",   "application/json",                 "{\"query\":\"{a}\",\"extensions\":0}",             BAD_REQUEST,            NULL,    NULL},
    {"GET",    NULL,                               "query=%7Ba%7D",                                    -1,                     "{a}",   ""  },
    {"GET",    NULL,                               "query=%7Ba+b%7D&operationName=n&variables=%7B%7D", -1,                     "{a b}", "n" },
    {"HEAD",   NULL,                               "query={a}",                                        -1,                     "{a}",   ""  },
    {"GET",    NULL,                               "",                                                 BAD_REQUEST,            NULL,    NULL},
    {"GET",    NULL,                               "operationName=n",                                  BAD_REQUEST,            NULL,    NULL},
    {"GET",    NULL,                               "query=%7",                                         BAD_REQUEST,            NULL,    NULL},
    {"GET",    NULL,                               "query=%zz",                                        BAD_REQUEST,            NULL,    NULL},
    {"GET",    NULL,                               "query=%ff",                                        BAD_REQUEST,            NULL,    NULL},
    {"GET",    NULL,                               "query={a}&variables=[]",                           BAD_REQUEST,            NULL,    NULL},
    {"GET",    NULL,                               "query={a}&variables=x",                            BAD_REQUEST,            NULL,    NULL},
    {"PUT",    "application/json",                 "{\"query\":\"{a}\"}",                              METHOD_NOT_ALLOWED,     NULL,    NULL},
    {"DELETE", NULL,                               "",                                                 METHOD_NOT_ALLOWED,     NULL,    NULL},
};

#define HASH "{\"persistedQuery\":{\"version\":1,\"sha256Hash\":\"00\"}}"

/* clang-format off */
static const struct decode_row persisted[] = {
    {"POST", "application/json", "{\"extensions\":" HASH "}", -1, "", ""},
    {"POST", "application/json", "{\"query\":null,\"extensions\":" HASH "}", -1, "", ""},
    {"GET", NULL, "operationName=n&extensions=" HASH, -1, "", "n"},
    {"POST", "application/json", "{\"query\":\"{a}\",\"extensions\":" HASH "}", -1, "{a}", ""},
    {"GET", NULL, "query={a}&extensions=" HASH, -1, "{a}", ""},
    {"POST", "application/json", "{\"documentId\":\"x\"}", -1, "", ""},
    {"POST", "application/json", "{\"doc_id\":\"x\"}", -1, "", ""},
    {"GET", NULL, "documentId=x", -1, "", ""},
    {"POST", "application/json", "{\"documentId\":1}", BAD_REQUEST, NULL, NULL},
    {"POST", "application/json", "{\"extensions\":{\"persistedQuery\":null}}", BAD_REQUEST, NULL, NULL},
    {"POST", "application/json", "{\"query\":\"{a}\",\"extensions\":{\"persistedQuery\":{\"version\":2,\"sha256Hash\":\"00\"}}}",
     BAD_REQUEST, NULL, NULL},
    {"POST", "application/json", "{\"extensions\":{\"persistedQuery\":{\"version\":1}}}", BAD_REQUEST, NULL, NULL},
    {"GET", NULL, "extensions={\"persistedQuery\":1}", BAD_REQUEST, NULL, NULL},
};
/* clang-format on */

static void decode(const struct decode_row *row, struct arena *a)
{
    struct http_request q = {
        .method = str_of(row->method),
        .body = str_of(row->input),
        .query = str_of(row->input),
    };
    struct graphql_request out;
    struct errors errs;
    bool ok;

    errors_init(&errs, a);
    ok = request_decode(&q, str_of(row->content_type), a, &out, NULL, &errs);
    if (ok != (row->code < 0))
        fail_msg("%s %s", row->method, row->input);
    if (!ok) {
        if ((int)errs.first->code != row->code)
            fail_msg("%s %s: %s", row->method, row->input, error_code_info(errs.first->code)->name);
        return;
    }
    assert_true(str_is(out.query, row->query));
    assert_true(str_is(out.operation_name, row->name));
    assert_int_equal(out.query_only, strcmp(row->method, "POST") != 0);
}

static void requests_are_decoded_or_refused(void **state)
{
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(decodes); i++)
        decode(&decodes[i], a);
    arena_free(a);
}

static void a_hash_or_an_id_stands_for_a_query(void **state)
{
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(persisted); i++)
        decode(&persisted[i], a);
    arena_free(a);
}

static void deep_and_huge_json_is_refused(void **state)
{
    struct arena *a = arena_new(0);
    struct decode_row row = {"POST", "application/json", NULL, BAD_REQUEST, NULL, NULL};
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{\"query\":\"{a}\",\"variables\":{\"a\":");
    for (int i = 0; i < 100000; i++)
        buf_append_char(&b, '[');
    row.input = buf_cstr(&b);
    decode(&row, a);
    buf_clear(&b);
    buf_append_lit(&b, "{\"query\":\"{a}\",\"variables\":{\"a\":[0");
    for (int i = 0; i < 200000; i++)
        buf_append_lit(&b, ",0");
    buf_append_lit(&b, "]}}");
    row.input = buf_cstr(&b);
    decode(&row, a);
    buf_fini(&b);
    arena_free(a);
}

static void a_batch_is_given_out_where_it_is_allowed(void **state)
{
    struct http_request q = {
        .method = STR("POST"),
        .body = STR("[{\"query\":\"{a}\"},{\"query\":\"{b}\",\"operationName\":\"n\"},1,{}]"),
    };
    struct arena *a = arena_new(0);
    struct graphql_request out;
    const struct jval *batch;
    struct errors errs;

    (void)state;
    errors_init(&errs, a);
    assert_true(request_decode(&q, STR("application/json"), a, &out, &batch, &errs));
    assert_non_null(batch);
    assert_int_equal(batch->n, 4);
    assert_true(request_from_json(batch->items[1], &out, &errs));
    assert_true(str_is(out.query, "{b}"));
    assert_true(str_is(out.operation_name, "n"));
    assert_true(request_from_json(batch->items[0], &out, &errs));
    assert_int_equal(out.operation_name.len, 0);
    assert_false(request_from_json(batch->items[2], &out, &errs));
    assert_false(request_from_json(batch->items[3], &out, &errs));
    assert_int_equal(errs.n, 2);
    assert_int_equal(errs.first->code, BAD_REQUEST);
    q.body = STR("{\"query\":\"{a}\"}");
    assert_true(request_decode(&q, STR("application/json"), a, &out, &batch, &errs));
    assert_null(batch);
    arena_free(a);
}

/* extensions, whether they are taken, dryRun, idempotencyKey */
static const struct extension_row {
    const char *json;
    bool ok;
    bool dry_run;
    const char *key;
} extensions[] = {
    {"null",                                         true,  false, ""   },
    {"{}",                                           true,  false, ""   },
    {"{\"dryRun\":true}",                            true,  true,  ""   },
    {"{\"dryRun\":false,\"idempotencyKey\":null}",   true,  false, ""   },
    {"{\"dryRun\":null,\"idempotencyKey\":\"k-1\"}", true,  false, "k-1"},
    {"{\"dryRun\":1}",                               false, false, NULL },
    {"{\"dryRun\":\"true\"}",                        false, false, NULL },
    {"{\"idempotencyKey\":\"\"}",                    false, false, NULL },
    {"{\"idempotencyKey\":\"a b\"}",                 false, false, NULL },
    {"{\"idempotencyKey\":\"\\u0000\"}",             false, false, NULL },
    {"{\"idempotencyKey\":\"\u00e9\"}",              false, false, NULL },
    {"{\"idempotencyKey\":7}",                       false, false, NULL },
};

static void extensions_ask_for_dry_runs_and_keys(void **state)
{
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(extensions); i++) {
        const struct extension_row *row = &extensions[i];
        struct http_request q = {
            .method = STR("POST"),
            .body = arena_printf(a, "{\"query\":\"{a}\",\"extensions\":%s}", row->json),
        };
        struct graphql_request out;
        struct errors errs;

        errors_init(&errs, a);
        if (request_decode(&q, STR("application/json"), a, &out, NULL, &errs) != row->ok)
            fail_msg("%s", row->json);
        if (!row->ok) {
            assert_int_equal(errs.first->code, BAD_REQUEST);
            continue;
        }
        assert_int_equal(out.dry_run, row->dry_run);
        assert_true(str_is(out.idempotency_key, row->key));
    }
    arena_free(a);
}

/* the request's own key, the header's, what becomes of them; NULL: refused */
static const struct key_row {
    const char *own;
    const char *header;
    const char *key;
} keys[] = {
    {"",  NULL,      ""   },
    {"a", NULL,      "a"  },
    {"",  "a",       "a"  },
    {"",  " \"a\" ", "a"  },
    {"",  "\"",      "\"" },
    {"",  "\"a",     "\"a"},
    {"a", "a",       "a"  },
    {"a", "\"a\"",   "a"  },
    {"a", "b",       NULL },
    {"",  "",        NULL },
    {"",  "a b",     NULL },
};

static void the_header_is_the_key_too(void **state)
{
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct graphql_request r = {.idempotency_key = str_of(keys[i].own)};
        struct errors errs;
        bool ok;

        errors_init(&errs, a);
        ok = request_idempotency(str_of(keys[i].header), &r, &errs);
        if (ok != (keys[i].key != NULL) || (ok && !str_is(r.idempotency_key, keys[i].key)))
            fail_msg("%s, %s", keys[i].own, keys[i].header);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_prefers_one_of_two_media_types),
        cmocka_unit_test(requests_are_decoded_or_refused),
        cmocka_unit_test(a_hash_or_an_id_stands_for_a_query),
        cmocka_unit_test(deep_and_huge_json_is_refused),
        cmocka_unit_test(a_batch_is_given_out_where_it_is_allowed),
        cmocka_unit_test(extensions_ask_for_dry_runs_and_keys),
        cmocka_unit_test(the_header_is_the_key_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
