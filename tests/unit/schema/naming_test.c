/* naming_test.c - names of the database to names of GraphQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/naming.h"

struct row {
    const char *from;
    const char *to;
};

static void check_rows(const struct row *rows, size_t n,
                       struct str (*fn)(struct str, struct arena *))
{
    struct arena *a = arena_new(0);
    size_t i;

    for (i = 0; i < n; i++) {
        struct str got = fn(str_of(rows[i].from), a);

        if (!str_is(got, rows[i].to))
            fail_msg("\"%s\": got \"%.*s\", expected \"%s\"", rows[i].from, STR_ARG(got),
                     rows[i].to);
    }
    arena_free(a);
}

static void columns_become_camel_case(void **state)
{
    static const struct row rows[] = {
        {"id",                  "id"          },
        {"created_at",          "createdAt"   },
        {"dns_1_ip",            "dns1Ip"      },
        {"address_2",           "address2"    },
        {"ID",                  "id"          },
        {"CustomerID",          "customerID"  },
        {"customer_ID",         "customerId"  },
        {"alreadyCamel",        "alreadyCamel"},
        {"line count",          "lineCount"   },
        {"a__b",                "aB"          },
        {"trailing_",           "trailing"    },
        {"_private",            "_private"    },
        {"__typename",          "typename"    },
        {"2fa",                 "_2fa"        },
        {"caf\xC3\xA9_au_lait", "cafAuLait"   },
        {"\xC3\xA9",            ""            },
        {"",                    ""            },
        {"_",                   ""            },
        {"a-b.c",               "aBC"         },
    };

    (void)state;
    check_rows(rows, COUNT_OF(rows), naming_camel);
}

static void types_become_pascal_case(void **state)
{
    static const struct row rows[] = {
        {"task_status", "TaskStatus"},
        {"project",     "Project"   },
        {"HTTP_log",    "HttpLog"   },
        {"3d_model",    "_3dModel"  },
        {"__x",         "X"         },
        {"",            ""          },
    };

    (void)state;
    check_rows(rows, COUNT_OF(rows), naming_pascal);
}

static void labels_become_enum_values(void **state)
{
    static const struct row rows[] = {
        {"owner",       "owner"      },
        {"IN_PROGRESS", "IN_PROGRESS"},
        {"in progress", "IN_PROGRESS"},
        {"2nd",         "_2ND"       },
        {"true",        "TRUE"       },
        {"null",        "NULL"       },
        {"__x",         "X"          },
        {"a+b",         "A_B"        },
        {"+",           ""           },
        {"",            ""           },
    };

    (void)state;
    check_rows(rows, COUNT_OF(rows), naming_enum_value);
}

static void every_result_is_legal_or_empty(void **state)
{
    struct arena *a = arena_new(0);
    char text[4] = {0};
    unsigned i;

    (void)state;
    /* All strings of three of these. */
    for (i = 0; i < 7 * 7 * 7; i++) {
        static const char letters[] = "_a9Z \xC3-";
        struct str out[3];
        unsigned j;

        text[0] = letters[i % 7];
        text[1] = letters[i / 7 % 7];
        text[2] = letters[i / 49];
        out[0] = naming_camel(str_of(text), a);
        out[1] = naming_pascal(str_of(text), a);
        out[2] = naming_enum_value(str_of(text), a);
        for (j = 0; j < 3; j++)
            assert_true(out[j].len == 0 || naming_is_legal(out[j]));
    }
    arena_free(a);
}

static const struct row plurals[] = {
    {"project",     "projects"   },
    {"company",     "companies"  },
    {"day",         "days"       },
    {"box",         "boxes"      },
    {"status",      "statuses"   },
    {"bus",         "buses"      },
    {"address",     "addresses"  },
    {"branch",      "branches"   },
    {"person",      "people"     },
    {"salesPerson", "salesPeople"},
    {"child",       "children"   },
    {"category",    "categories" },
    {"house",       "houses"     },
    {"clause",      "clauses"    },
    {"response",    "responses"  },
    {"size",        "sizes"      },
    {"movie",       "movies"     },
    {"index",       "indices"    },
    {"analysis",    "analyses"   },
    {"quiz",        "quizzes"    },
    {"news",        "news"       },
    {"orderLine",   "orderLines" },
    {"campus",      "campuses"   },
    {"tie",         "ties"       },
    {"setting",     "settings"   },
    {"v2",          "v2s"        },
};

static void words_have_plurals(void **state)
{
    (void)state;
    check_rows(plurals, COUNT_OF(plurals), naming_plural);
}

static void plurals_have_singulars(void **state)
{
    struct row back[COUNT_OF(plurals) - 1];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(back); i++)
        back[i] = (struct row){plurals[i].to, plurals[i].from};
    check_rows(back, COUNT_OF(back), naming_singular);
}

static void singulars_stay(void **state)
{
    static const struct row rows[] = {
        {"status",      "status"     },
        {"address",     "address"    },
        {"person",      "person"     },
        {"bus",         "bus"        },
        {"analysis",    "analysis"   },
        {"is",          "is"         },
        {"data",        "data"       },
        {"task",        "task"       },
        {"order_lines", "order_line" },
        {"line_status", "line_status"},
        {"",            ""           },
    };

    (void)state;
    check_rows(rows, COUNT_OF(rows), naming_singular);
}

static void the_first_prefix_is_stripped_once(void **state)
{
    static const struct str prefixes[] = {STR_INIT("v_"), STR_INIT("tv_")};

    (void)state;
    assert_true(str_is(naming_strip(STR("v_project"), prefixes, 2), "project"));
    assert_true(str_is(naming_strip(STR("tv_v_x"), prefixes, 2), "v_x"));
    assert_true(str_is(naming_strip(STR("v_"), prefixes, 2), "v_"));
    assert_true(str_is(naming_strip(STR("project"), prefixes, 2), "project"));
}

static void snake_case_is_what_people_would_write(void **state)
{
    static const struct {
        const char *name, *snake;
    } rows[] = {
        {"createdAt",     "created_at"   },
        {"id",            "id"           },
        {"",              ""             },
        {"HTTPPort",      "http_port"    },
        {"userID",        "user_id"      },
        {"a_b",           "a_b"          },
        {"X",             "x"            },
        {"dns1Ip",        "dns1_ip"      },
        {"_Leading",      "_leading"     },
        {"already_snake", "already_snake"},
    };
    struct arena *a = arena_new(0);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct str got = naming_snake(str_of(rows[i].name), a);

        if (!str_is(got, rows[i].snake))
            fail_msg("%s is %.*s", rows[i].name, STR_ARG(got));
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snake_case_is_what_people_would_write),
        cmocka_unit_test(columns_become_camel_case),
        cmocka_unit_test(types_become_pascal_case),
        cmocka_unit_test(labels_become_enum_values),
        cmocka_unit_test(every_result_is_legal_or_empty),
        cmocka_unit_test(words_have_plurals),
        cmocka_unit_test(plurals_have_singulars),
        cmocka_unit_test(singulars_stay),
        cmocka_unit_test(the_first_prefix_is_stripped_once),
    };

    return cmocka_run_group_tests_name("naming", tests, NULL, NULL);
}
