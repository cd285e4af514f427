/*
 * registered_test.c - what files of registered operations may look like.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "execution/registered.h"

/* names: of the operations, with a space behind each; NULL: refused */
static const struct {
    const char *text, *names, *variables;
} files[] = {
    {"{ a }",                                                                                 " ",    NULL},
    {" \n{ a }",                                                                              " ",    NULL},
    {"query A { a } fragment F on T { b } mutation B { c }",                                  "A B ", NULL},
    {"fragment F on T { b }",                                                                 NULL,   NULL},
    {"type T { a: Int }",                                                                     NULL,   NULL},
    {"",                                                                                      NULL,   NULL},
    {"{ a",                                                                                   NULL,   NULL},
    {"[]",                                                                                    "",     NULL},
    {"[{\"query\": \"{ a }\"}]",                                                              " ",    NULL},
    {"[{\"query\": \"query A { a }\", \"operationName\": \"A\", \"variables\": {\"n\": 1}}]", "A ",
     "{\"n\":1}"                                                                                          },
    {"[{\"query\": \"{ a }\", \"variables\": null}]",                                         " ",    NULL},
    {"[{\"query\": \"{ a }\", \"variables\": []}]",                                           NULL,   NULL},
    {"[{\"query\": \"\"}]",                                                                   NULL,   NULL},
    {"[{\"query\": 1}]",                                                                      NULL,   NULL},
    {"[{\"query\": \"{ a }\", \"operationName\": 1}]",                                        NULL,   NULL},
    {"[1]",                                                                                   NULL,   NULL},
    {"[",                                                                                     NULL,   NULL},
    {"{\"operations\": [{\"body\": \"query A { a }\", \"name\": \"A\"}]}",                    "A ",   NULL},
    {"{\"operations\": [{\"query\": \"{ a }\"}]}",                                            NULL,   NULL},
    {"{\"other\": []}",                                                                       NULL,   NULL},
};

static void files_are_documents_lists_or_manifests(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct arena *a = arena_new(0);
        struct registered_list list = {0};
        struct errors errs;
        struct buf names;
        bool ok;

        errors_init(&errs, a);
        ok = registered_read(str_of(files[i].text), a, &list, &errs);
        assert_int_equal(ok, files[i].names != NULL);
        assert_int_equal(errors_any(&errs), !ok);
        buf_init(&names, 0);
        for (size_t j = 0; ok && j < list.n; j++)
            buf_printf(&names, "%.*s ", STR_ARG(list.items[j].operation_name));
        if (ok)
            assert_string_equal(buf_cstr(&names), files[i].names);
        if (files[i].variables != NULL)
            assert_true(str_is(list.items[0].variables, files[i].variables));
        else if (ok && list.n > 0)
            assert_null(list.items[0].variables.data);
        buf_fini(&names);
        arena_free(a);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_documents_lists_or_manifests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
