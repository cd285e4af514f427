/* variables_test.c - coercion of variable values (specification section 6.1.2), skeletons. */
#include "base/buf.h"
#include "validation/variables.h"
#include "validation/verdict.h"

static const struct jval_limits json_limits = {.max_depth = 64, .max_values = 10000};

struct fixture {
    const struct schema *schema;
    struct arena *arena;
    struct errors errs;
    const struct operation *op;
    struct variables values;
    bool ok;
};

/* Variables `definitions` ("$a: Int"), all of them used; values from JSON text, or NULL. */
static void coerce(struct fixture *f, const char *definitions, const char *json)
{
    struct validate_input in = {.parse_limits = &verdict_parse_limits, .limits = &verdict_limits};
    const struct jval *given = NULL;

    *f = (struct fixture){.schema = test_schema_new(test_schema_sdl), .arena = arena_new(0)};
    errors_init(&f->errs, f->arena);
    in.schema = f->schema;
    in.text = arena_printf(f->arena, "query(%s){arguments{%s%s}}", definitions, "json(a:{a:$a ",
                           strstr(definitions, "$b") ? "b:$b})" : "})");
    f->op = validate(&in, &f->errs);
    if (f->op == NULL)
        fail_msg("%s: %.*s", definitions, STR_ARG(f->errs.first->message));
    if (json)
        assert_true(jval_parse(str_of(json), &json_limits, f->arena, &given, &f->errs));
    f->ok = variables_coerce(f->op, given, f->arena, &f->values, &f->errs);
    assert_int_equal(f->ok, !errors_any(&f->errs));
}

static void done(struct fixture *f)
{
    operation_unref(f->op);
    arena_free(f->arena);
    schema_unref(f->schema);
}

static void values_are_coerced(void **state)
{
    /* type of $a, JSON of all variables, JSON of the value of $a; NULL: absent */
    static const struct {
        const char *definition, *json, *value;
    } rows[] = {
        {"$a:Int",                     "{\"a\":1}",                                                "1"                          },
        {"$a:Int",                     "{\"a\":null}",                                             "null"                       },
        {"$a:Int",                     "{}",                                                       NULL                         },
        {"$a:Int",                     NULL,                                                       NULL                         },
        {"$a:Int",                     "{\"other\":1}",                                            NULL                         },
        {"$a:Int=5",                   "{}",                                                       "5"                          },
        {"$a:Int=5",                   "{\"a\":null}",                                             "null"                       },
        {"$a:Int!=5",                  "{}",                                                       "5"                          },
        {"$a:Int=null",                "{}",                                                       "null"                       },
        {"$a:Float",                   "{\"a\":1e3}",                                              "1e3"                        },
        {"$a:String",                  "{\"a\":\"x\"}",                                            "\"x\""                      },
        {"$a:Boolean",                 "{\"a\":false}",                                            "false"                      },
        {"$a:ID",                      "{\"a\":7}",                                                "7"                          },
        {"$a:Colour",                  "{\"a\":\"BLACK\"}",                                        "\"BLACK\""                  },
        {"$a:Colour=BROWN",            "{}",                                                       "\"BROWN\""                  },
        {"$a:JSON",                    "{\"a\":{\"b\":[1,null,\"x\"]}}",                           "{\"b\":[1,null,\"x\"]}"     },
        {"$a:JSON={b:[1 null \"x\"]}", "{}",                                                       "{\"b\":[1,null,\"x\"]}"     },
        {"$a:Ltree",                   "{\"a\":\"a.b\"}",                                          "\"a.b\""                    },
        {"$a:[Int]",                   "{\"a\":[1,null]}",                                         "[1,null]"                   },
        {"$a:[Int]",                   "{\"a\":1}",                                                "[1]"                        },
        {"$a:[Int]",                   "{\"a\":null}",                                             "null"                       },
        {"$a:[[Int!]]",                "{\"a\":1}",                                                "[[1]]"                      },
        {"$a:[[Int!]]",                "{\"a\":[1,[2]]}",                                          "[[1],[2]]"                  },
        {"$a:[[Int]]=1",               "{}",                                                       "[[1]]"                      },
        {"$a:Point",                   "{\"a\":{\"y\":2,\"x\":1}}",                                "{\"x\":1,\"y\":2,\"z\":0}"  },
        {"$a:Point",                   "{\"a\":{\"x\":1,\"y\":2,\"z\":null,\"label\":\"l\"}}",
         "{\"x\":1,\"y\":2,\"z\":null,\"label\":\"l\"}"                                                                         },
        {"$a:Point={y:2 x:1}",         "{}",                                                       "{\"x\":1,\"y\":2,\"z\":0}"  },
        {"$a:[Point!]",                "{\"a\":{\"x\":1,\"y\":2}}",                                "[{\"x\":1,\"y\":2,\"z\":0}]"},
        {"$a:Complex",                 "{\"a\":{\"required\":true,\"points\":{\"x\":1,\"y\":2}}}",
         "{\"required\":true,\"nonNull\":false,\"points\":[[{\"x\":1,\"y\":2,\"z\":0}]]}"                                       },
        {"$a:One",                     "{\"a\":{\"b\":\"x\"}}",                                    "{\"b\":\"x\"}"              },
        {"$a:One",                     "{\"a\":{\"d\":3}}",                                        "{\"d\":[3]}"                },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;
        struct buf b;

        coerce(&f, rows[i].definition, rows[i].json);
        if (!f.ok)
            fail_msg("%s %s: %.*s", rows[i].definition, rows[i].json,
                     STR_ARG(f.errs.first->message));
        assert_int_equal(f.values.n, 1);
        if (rows[i].value == NULL) {
            assert_null(f.values.values[0]);
        } else {
            buf_init(&b, 0);
            jval_write(f.values.values[0], &b);
            assert_string_equal(buf_cstr(&b), rows[i].value);
            buf_fini(&b);
        }
        done(&f);
    }
}

static void bad_values_are_refused_by_their_path(void **state)
{
    static const struct {
        const char *definition, *json, *begins;
    } rows[] = {
        {"$a:Int!",    "{}",                                                              "variable \"$a\": missing"                             },
        {"$a:Int!",    NULL,                                                              "variable \"$a\": missing"                             },
        {"$a:Int!",    "{\"a\":null}",                                                    "variable \"$a\": cannot be null"                      },
        {"$a:Int!=5",  "{\"a\":null}",                                                    "variable \"$a\": cannot be null"                      },
        {"$a:Int",     "{\"a\":\"1\"}",                                                   "variable \"$a\": expected a value of type \"Int\""    },
        {"$a:Int",     "{\"a\":1.5}",                                                     "variable \"$a\":"                                     },
        {"$a:Int",     "{\"a\":2147483648}",                                              "variable \"$a\":"                                     },
        {"$a:Int",     "{\"a\":[1]}",                                                     "variable \"$a\":"                                     },
        {"$a:Float",   "{\"a\":\"1\"}",                                                   "variable \"$a\":"                                     },
        {"$a:String",  "{\"a\":1}",                                                       "variable \"$a\":"                                     },
        {"$a:Boolean", "{\"a\":1}",                                                       "variable \"$a\":"                                     },
        {"$a:ID",      "{\"a\":true}",                                                    "variable \"$a\":"                                     },
        {"$a:Colour",  "{\"a\":\"PINK\"}",                                                "variable \"$a\": expected a value of type \"Colour\"" },
        {"$a:Colour",  "{\"a\":1}",                                                       "variable \"$a\":"                                     },
        {"$a:Ltree",   "{\"a\":{}}",                                                      "variable \"$a\":"                                     },
        {"$a:[Int!]",  "{\"a\":[1,null]}",                                                "variable \"$a[1]\": cannot be null"                   },
        {"$a:[[Int]]", "{\"a\":[[1],[2,\"x\"]]}",                                         "variable \"$a[1][1]\":"                               },
        {"$a:[Int!]",  "{\"a\":\"x\"}",                                                   "variable \"$a\":"                                     },
        {"$a:Point",   "{\"a\":1}",                                                       "variable \"$a\": expected an object of type \"Point\""},
        {"$a:Point",   "{\"a\":[{\"x\":1,\"y\":1}]}",                                     "variable \"$a\": expected an object"                  },
        {"$a:Point",   "{\"a\":{\"x\":1}}",                                               "variable \"$a\": missing the required field \"y\""    },
        {"$a:Point",   "{\"a\":{\"x\":1,\"y\":2,\"w\":3}}",                               "variable \"$a\": unknown field \"w\""                 },
        {"$a:Complex", "{\"a\":{\"required\":true,\"nested\":{\"required\":1}}}",
         "variable \"$a.nested.required\":"                                                                                                      },
        {"$a:Complex", "{\"a\":{\"required\":true,\"points\":[[{\"x\":1,\"y\":null}]]}}",
         "variable \"$a.points[0][0].y\": cannot be null"                                                                                        },
        {"$a:Complex", "{\"a\":{\"required\":true,\"nonNull\":null}}",                    "variable \"$a.nonNull\":"                             },
        {"$a:One",     "{\"a\":{}}",                                                      "variable \"$a\": must have exactly one field"         },
        {"$a:One",     "{\"a\":{\"a\":1,\"b\":\"x\"}}",                                   "variable \"$a\": must have exactly one field"         },
        {"$a:One",     "{\"a\":{\"a\":null}}",                                            "variable \"$a\": must have exactly one field"         },
        {"$a:One",     "{\"a\":{\"e\":1}}",                                               "variable \"$a\": unknown field"                       },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;

        coerce(&f, rows[i].definition, rows[i].json);
        if (f.ok)
            fail_msg("accepted: %s %s", rows[i].definition, rows[i].json);
        assert_int_equal(f.errs.n, 1);
        assert_int_equal(f.errs.first->code, BAD_USER_INPUT);
        if (!str_starts(f.errs.first->message, str_of(rows[i].begins)))
            fail_msg("\"%.*s\" for %s", STR_ARG(f.errs.first->message), rows[i].begins);
        assert_int_equal(f.errs.first->locations[0].column, 7);
        done(&f);
    }
}

static void every_bad_value_is_reported_up_to_a_limit(void **state)
{
    struct fixture f;
    struct buf b;

    (void)state;
    coerce(&f, "$a:Int,$b:[Int]", "{\"a\":\"x\",\"b\":[1,\"y\",2,\"z\"]}");
    assert_int_equal(f.errs.n, 3);
    done(&f);
    buf_init(&b, 0);
    buf_append_lit(&b, "{\"a\":[");
    for (int i = 0; i < 200; i++)
        buf_append_lit(&b, "\"x\",");
    buf_append_lit(&b, "0]}");
    coerce(&f, "$a:[Int]", buf_cstr(&b));
    assert_int_equal(f.errs.n, 50);
    done(&f);
    buf_fini(&b);
}

static bool same_skeleton(const char *definitions, const char *json, const char *other)
{
    struct fixture f, g;
    struct digest x, y;

    coerce(&f, definitions, json);
    coerce(&g, definitions, other);
    assert_true(f.ok && g.ok);
    x = variables_skeleton(f.op, &f.values);
    y = variables_skeleton(g.op, &g.values);
    done(&f);
    done(&g);
    return memcmp(&x, &y, sizeof(x)) == 0;
}

static void a_skeleton_holds_what_decides_the_plan(void **state)
{
    static const struct {
        const char *definitions, *a, *b;
        bool same;
    } rows[] = {
        {"$a:Int",        "{\"a\":1}",                   "{\"a\":2}",                                                                                true },
        {"$a:Int",        "{\"a\":1}",                   "{\"a\":null}",                                                                             false},
        {"$a:Int",        "{}",                          "{\"a\":null}",                                                                             false},
        {"$a:[Int]",      "{\"a\":[1,2,3]}",             "{\"a\":[]}",                                                                               true },
        {"$a:[Int]",      "{\"a\":[1]}",                 "{\"a\":null}",                                                                             false},
        {"$a:Boolean",    "{\"a\":true}",                "{\"a\":true}",                                                                             true },
        {"$a:Boolean",    "{\"a\":true}",                "{\"a\":false}",                                                                            false},
        {"$a:[Boolean]",  "{\"a\":[true,false]}",        "{\"a\":[true,true]}",                                                                      false},
        {"$a:Colour",     "{\"a\":\"BLACK\"}",           "{\"a\":\"BROWN\"}",                                                                        false},
        {"$a:[Colour!]",  "{\"a\":[\"BLACK\"]}",         "{\"a\":\"BLACK\"}",                                                                        true },
        {"$a:[Colour!]",  "{\"a\":[\"BLACK\"]}",         "{\"a\":[\"BLACK\",\"BLACK\"]}",                                                            false},
        {"$a:JSON",       "{\"a\":{\"b\":1}}",           "{\"a\":[]}",                                                                               true },
        {"$a:Point",      "{\"a\":{\"x\":1,\"y\":2}}",   "{\"a\":{\"y\":7,\"x\":3,\"z\":0}}",                                                        true },
        {"$a:Point",      "{\"a\":{\"x\":1,\"y\":2}}",   "{\"a\":{\"x\":1,\"y\":2,\"z\":null}}",                                                     false},
        {"$a:Point",      "{\"a\":{\"x\":1,\"y\":2}}",   "{\"a\":{\"x\":1,\"y\":2,\"label\":\"\"}}",
         false                                                                                                                                            },
        {"$a:[Point!]",   "{\"a\":[{\"x\":1,\"y\":2}]}",
         "{\"a\":[{\"x\":1,\"y\":2},{\"x\":1,\"y\":2}]}",                                                                                            false},
        {"$a:Complex",
         "{\"a\":{\"required\":true,\"list\":[{\"required\":true},{\"required\":false,\"int\":1}]}"
         "}",                                            "{\"a\":{\"required\":true,\"list\":[{\"required\":true},{\"required\":false,\"int\":9}]}"
         "}",                                                                                                                           true },
        {"$a:Complex",
         "{\"a\":{\"required\":true,\"list\":[{\"required\":true},{\"required\":false,\"int\":1}]}"
         "}",                                            "{\"a\":{\"required\":true,\"list\":[{\"required\":true},{\"required\":true,\"int\":1}]}}",
         false                                                                                                                                            },
        {"$a:Int,$b:Int", "{\"a\":1}",                   "{\"b\":1}",                                                                                false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (same_skeleton(rows[i].definitions, rows[i].a, rows[i].b) != rows[i].same)
            fail_msg("%s: %s, %s", rows[i].definitions, rows[i].a, rows[i].b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_coerced),
        cmocka_unit_test(bad_values_are_refused_by_their_path),
        cmocka_unit_test(every_bad_value_is_reported_up_to_a_limit),
        cmocka_unit_test(a_skeleton_holds_what_decides_the_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
