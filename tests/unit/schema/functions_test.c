/* functions_test.c - functions of captured catalog documents to fields, and which are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/document.h"
#include "schema/sdlprint.h"

static struct arena *arena;
static struct schema *shop; /* of fixture.json */

static struct schema *load(struct str json, struct errors *errs)
{
    static const struct schema_claim claims[] = {
        {STR_INIT("tenant_id"),   STR_INIT("app.tenant")},
        {STR_INIT("user_id"),     STR_INIT("app.user")  },
        {STR_INIT("unspecified"), STR_INIT("")          },
    };
    struct schema_options opt = schema_options_default();

    opt.claims = claims;
    opt.nclaims = COUNT_OF(claims);
    errors_init(errs, arena);
    return schema_from_catalog(json, &opt, errs);
}

static int read_document(void **state)
{
    struct buf b = document_read("fixture.json");
    struct errors errs;

    (void)state;
    arena = arena_new(0);
    shop = load(buf_str(&b), &errs);
    buf_fini(&b);
    return shop == NULL;
}

static int drop_document(void **state)
{
    (void)state;
    schema_unref(shop);
    arena_free(arena);
    return 0;
}

static const struct field *field(const char *type, const char *name)
{
    const struct field *f = document_field(shop, type, name);

    if (f == NULL)
        fail_msg("there is no field %s.%s", type, name);
    return f;
}

static const struct field *mutation(const char *name)
{
    return field("Mutation", name);
}

/* Those that choose of the rows of a relation are "...". */
static void print_arguments(const struct field *f, struct buf *out)
{
    buf_init(out, 0);
    for (size_t i = 0; i < f->narguments; i++) {
        const struct input_value *a = &f->arguments[i];

        if (a->role == INPUT_WHERE) {
            buf_append_lit(out, "...");
            assert_int_equal(f->narguments - i, field("Query", "orders")->narguments);
            return;
        }
        buf_printf(out, "%.*s: %s ", STR_ARG(a->name), document_type_text(a->type, arena));
    }
}

static void functions_become_fields(void **state)
{
    static const struct {
        const char *of;
        const char *name;
        const char *type;
        enum function_result result;
        size_t nparameters;
        const char *arguments;
    } rows[] = {
        {"Mutation",     "placeOrder",   "Order",               FUNCTION_ROW,    8, "input: PlaceOrderInput! "     },
        {"Mutation",     "closeOrders",  "[Order!]!",           FUNCTION_ROWS,   2, "input: CloseOrdersInput! "    },
        {"Mutation",     "countEvents",  "BigInt",              FUNCTION_VALUE,  0, ""                             },
        {"Mutation",     "tags",         "[OrderStatus]",       FUNCTION_VALUE,  0, ""                             },
        {"Mutation",     "cleanUp",      "Boolean",             FUNCTION_VOID,   1, "input: CleanUpInput! "        },
        {"Mutation",     "total",        "CompanyTotal",        FUNCTION_ROW,    1, "input: TotalInput! "          },
        {"Mutation",     "variadic",     "Int",                 FUNCTION_VALUE,  1, "input: VariadicInput "        },
        {"Mutation",     "out",          "Int",                 FUNCTION_VALUE,  1, "input: OutInput! "            },
        {"Mutation",     "rows",         "[RowsResult!]!",      FUNCTION_ROWS,   0, ""                             },
        {"Mutation",     "set",          "[Int]!",              FUNCTION_VALUES, 0, ""                             },
        {"Query",        "stable",       "Int",                 FUNCTION_VALUE,  2, "input: StableInput "          },
        {"Query",        "ordersBefore", "[Order!]!",           FUNCTION_ROWS,   2, "input: OrdersBeforeInput! ..."},
        {"Query",        "newest",       "Order",               FUNCTION_ROW,    0, ""                             },
        {"Query",        "levels",       "[OrderStatus]!",      FUNCTION_VALUES, 1,
         "input: LevelsInput! limit: Int offset: Int "                                                             },
        {"Query",        "extent",       "ExtentResult",        FUNCTION_ROW,    1, "input: ExtentInput! "         },
        {"Query",        "code",         "String",              FUNCTION_VALUE,  2, "input: CodeInput! "           },
        {"Order",        "code",         "String",              FUNCTION_VALUE,  3, "width: Int! pad: String "     },
        {"Order",        "next",         "Order",               FUNCTION_ROW,    1, ""                             },
        {"Order",        "before",       "[Order!]!",           FUNCTION_ROWS,   2, "..."                          },
        {"Order",        "sums",         "[OrderSumsResult!]!", FUNCTION_ROWS,   2,
         "of: [String] limit: Int offset: Int "                                                                    },
        {"CompanyTotal", "code",         "String",              FUNCTION_VALUE,  1, ""                             },
        {"Invoker",      "code",         "String",              FUNCTION_VALUE,  1, ""                             },
    };

    (void)state;
    assert_ptr_equal(shop->mutation, schema_type(shop, STR("Mutation")));
    assert_int_equal(shop->nfunctions, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct field *f = field(rows[i].of, rows[i].name);
        struct buf arguments;

        print_arguments(f, &arguments);
        assert_string_equal(buf_cstr(&arguments), rows[i].arguments);
        buf_fini(&arguments);
        assert_string_equal(document_type_text(f->type, arena), rows[i].type);
        assert_int_equal(f->resolver, RESOLVE_FUNCTION);
        assert_int_equal(f->function->result, rows[i].result);
        assert_int_equal(f->function->nparameters, rows[i].nparameters);
        assert_true(str_is(f->function->schema, "shop"));
        assert_ptr_equal(f->relation, f->function->relation);
    }
    assert_true(str_starts(mutation("placeOrder")->function->name, STR("fn_place_order")));
    assert_string_equal(mutation("placeOrder")->description.data, "Places an order.");
    assert_string_equal(mutation("placeOrder")->deprecated.data, "use another");
}

/* What is the same for many is there once. */
static void arguments_that_choose_are_shared(void **state)
{
    (void)state;
    assert_ptr_equal(field("Order", "before")->arguments, field("Query", "orders")->arguments);
    assert_int_equal(field("Order", "sums")->arguments[0].parameter, 2);
    assert_true(field("Order", "sums")->function->parameters[0].row);
    assert_true(field("Order", "sums")->function->parameters[1].variadic);
}

static void results_of_their_own_are_types(void **state)
{
    static const struct {
        const char *type;
        const char *fields;
    } rows[] = {
        {"RowsResult",      "a:Int bC:[Int] "              },
        {"ExtentResult",    "a:Int column2:Date last:Date "},
        {"OrderSumsResult", "name:String total:Decimal "   },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct type *t = schema_type(shop, str_of(rows[i].type));
        struct buf fields;

        assert_non_null(t);
        buf_init(&fields, 0);
        for (size_t j = 0; j < t->nfields; j++)
            buf_printf(&fields, "%.*s:%s ", STR_ARG(t->fields[j].name),
                       document_type_text(t->fields[j].type, arena));
        assert_string_equal(buf_cstr(&fields), rows[i].fields);
        buf_fini(&fields);
    }
}

static void arguments_are_the_fields_of_an_input(void **state)
{
    static const struct {
        const char *name;
        const char *type;
        const char *sql;
    } rows[] = {
        {"companyId", "UUID!",        "uuid"             },
        {"total",     "Decimal!",     "numeric"          },
        {"status",    "OrderStatus!", "shop.order_status"},
        {"amount",    "Int",          "shop.positive"    }, /* the domain checks */
        {"tags",      "[String]",     "text[]"           },
        {"doc",       "JSON",         "jsonb"            },
    };
    const struct field *f = mutation("placeOrder");
    const struct type *input = schema_type(shop, STR("PlaceOrderInput"));

    (void)state;
    assert_int_equal(f->narguments, 1);
    assert_true(str_is(f->arguments[0].name, "input"));
    assert_string_equal(document_type_text(f->arguments[0].type, arena), "PlaceOrderInput!");
    assert_int_equal(input->ninputs, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct input_value *v = schema_input(input, str_of(rows[i].name));
        const struct parameter *p;

        assert_non_null(v);
        p = &f->function->parameters[v->parameter - 1];
        assert_int_equal(v->role, INPUT_FUNCTION);
        assert_string_equal(document_type_text(v->type, arena), rows[i].type);
        assert_string_equal(p->type_sql.data, rows[i].sql);
        assert_int_equal(p->optional, !type_ref_non_null(v->type));
        assert_int_equal(p->setting.len, 0);
    }
    assert_int_equal(mutation("countEvents")->narguments, 0);
    assert_null(schema_type(shop, STR("CountEventsInput")));
    /* "character" alone would be of length 1. */
    assert_string_equal(mutation("cleanUp")->function->parameters[0].type_sql.data, "bpchar");
    assert_string_equal(
        document_type_text(schema_type(shop, STR("CloseOrdersInput"))->inputs[1].type, arena),
        "RangeOfDays");
}

static void arguments_of_the_identity_have_its_settings(void **state)
{
    const struct function *f = mutation("placeOrder")->function;

    (void)state;
    assert_string_equal(f->parameters[0].name.data, "auth_user_id");
    assert_string_equal(f->parameters[0].setting.data, "app.user");
    assert_string_equal(f->parameters[0].type_sql.data, "bigint");
    assert_string_equal(f->parameters[7].setting.data, "app.tenant");
    assert_null(schema_input(schema_type(shop, STR("PlaceOrderInput")), STR("authUserId")));
}

static void what_is_not_served_is_said_why(void **state)
{
    static const struct {
        const char *name;
        const char *reason; /* a part of it */
    } rows[] = {
        {"shop.fn_anything",         "\"a\" is of type anyelement"           },
        {"shop.fn_claim",            "\"auth_shoe_size\""                    },
        {"shop.fn_composite",        "\"a\" is of type shop.companies"       },
        {"shop.fn_lists",            "set of lists"                          },
        {"shop.fn_odd_result",       "result \"\xce\xa9\" has no letter"     },
        {"shop.fn_order",            "type \"Query\" has a field \"order\""  },
        {"shop.fn_order_nothing",    "returns nothing"                       },
        {"shop.fn_order_number",     "type \"Order\" has a field \"number\"" },
        {"shop.fn_order_where",      "\"where\" is what the field has"       },
        {"shop.fn_out_row",          "result \"a\" is of type shop.companies"},
        {"shop.fn_over",             "overloaded"                            },
        {"shop.fn_person",           "may not read all columns"              },
        {"shop.fn_procedure",        "procedure"                             },
        {"shop.fn_record",           "of type record"                        },
        {"shop.fn_same_argument",    "\"aB\""                                },
        {"shop.fn_same_result",      "two of its results would be \"aB\""    },
        {"shop.fn_table_row",        "of type shop.companies"                },
        {"shop.fn_twiceNamed",       "\"Mutation.twiceNamed\""               },
        {"shop.fn_twice_named",      "\"shop.fn_twiceNamed\""                },
        {"shop.fn_unnamed",          "argument 1 has no name"                },
        {"shop.fn_variadic_default", "variadic and has a default"            },
        {"shop.fn_volatile_row",     "\"order\" is of type shop.v_order"     },
        {"shop.fn_\xce\xa9",         "no letter"                             },
    };
    size_t told = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t j = 0; j < shop->nskipped; j++) {
            const struct skipped_function *s = &shop->skipped[j];

            if (!str_is(s->name, rows[i].name))
                continue;
            told++;
            if (strstr(s->reason.data, rows[i].reason) == NULL)
                fail_msg("%s: %s", rows[i].name, s->reason.data);
        }
    /* Both of the overloaded ones; and no others, which nobody asked for. */
    assert_int_equal(told, COUNT_OF(rows) + 1);
    assert_int_equal(shop->nskipped, COUNT_OF(rows) + 1);
}

/* Types that only a function which is skipped would need are not in the schema either. */
static void without_claims_nothing_is_left_of_a_function(void **state)
{
    struct buf b = document_read("fixture.json");
    struct errors errs;
    struct schema *s = document_schema(buf_str(&b), arena, &errs);

    (void)state;
    assert_non_null(s);
    assert_null(document_field(s, "Mutation", "placeOrder"));
    assert_null(schema_type(s, STR("PlaceOrderInput")));
    schema_unref(s);
    buf_fini(&b);
}

#define RELATION                                                                                   \
    "{\"oid\":1,\"exposed\":true,\"kind\":\"r\",\"schema\":\"s\",\"name\":\"tasks\",\"owner\":10," \
    "\"columns\":[{\"num\":1,\"name\":\"id\",\"type\":23,\"select\":true}]}"
#define TYPE \
    "{\"oid\":23,\"schema\":\"pg_catalog\",\"name\":\"int4\",\"kind\":\"b\",\"sql\":\"integer\"}"
#define DOCUMENT(functions)                                                                        \
    "{\"role\":10,\"relations\":[" RELATION "],\"types\":[" TYPE "],\"functions\":[" functions "]" \
    "}"
#define FUNCTION "\"oid\":2,\"schema\":\"s\",\"name\":\"fn_a\",\"volatility\":\"v\",\"returns\":23"
#define ARGUMENT "{\"name\":\"a\",\"mode\":\"i\",\"type\":23}"

static void wrong_documents_are_refused(void **state)
{
    /* clang-format off */
    static const struct {
        const char *document;
        const char *message; /* NULL: it is right */
    } rows[] = {
        {DOCUMENT("{" FUNCTION ",\"arguments\":[" ARGUMENT "],\"defaults\":1}"),   NULL      },
        {DOCUMENT("{" FUNCTION ",\"arguments\":[" ARGUMENT "],\"defaults\":2}"),   "defaults"},
        {DOCUMENT("{" FUNCTION ",\"arguments\":[{\"mode\":\"in\",\"type\":23}]}"), "mode"    },
        {DOCUMENT("{" FUNCTION ",\"arguments\":[{\"mode\":\"i\"}]}"),              "type"    },
        {DOCUMENT("{" FUNCTION ",\"set\":1}"),                                     "set"     },
        {DOCUMENT("{\"oid\":2}"),                                                  "schema"  },
        {DOCUMENT("1"),                                                            "oid"     },
    };
    /* clang-format on */
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct errors errs;
        struct schema *s = load(str_of(rows[i].document), &errs);

        assert_int_equal(s != NULL, rows[i].message == NULL);
        schema_unref(s);
        if (rows[i].message != NULL && strstr(errs.first->message.data, rows[i].message) == NULL)
            fail_msg("%s: %s", rows[i].document, errs.first->message.data);
    }
}

/* A type of the document that is not in it makes a function unfit, not the document. */
static void a_type_that_is_not_there_skips_the_function(void **state)
{
    struct errors errs;
    struct schema *s = load(
        STR(DOCUMENT("{" FUNCTION ",\"arguments\":[{\"name\":\"a\",\"mode\":\"i\",\"type\":99}]}")),
        &errs);

    (void)state;
    assert_non_null(s);
    assert_null(s->mutation);
    assert_int_equal(s->nskipped, 1);
    schema_unref(s);
}

static void the_printed_schema_has_them(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    schema_print(shop, &b);
    assert_non_null(strstr(buf_cstr(&b), "placeOrder(input: PlaceOrderInput!): Order @deprecated"));
    assert_non_null(strstr(buf_cstr(&b), "\ntype Mutation {"));
    assert_true(strstr(buf_cstr(&b), "type Query") < strstr(buf_cstr(&b), "type Mutation"));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_become_fields),
        cmocka_unit_test(arguments_that_choose_are_shared),
        cmocka_unit_test(results_of_their_own_are_types),
        cmocka_unit_test(arguments_are_the_fields_of_an_input),
        cmocka_unit_test(arguments_of_the_identity_have_its_settings),
        cmocka_unit_test(what_is_not_served_is_said_why),
        cmocka_unit_test(without_claims_nothing_is_left_of_a_function),
        cmocka_unit_test(wrong_documents_are_refused),
        cmocka_unit_test(a_type_that_is_not_there_skips_the_function),
        cmocka_unit_test(the_printed_schema_has_them),
    };

    return cmocka_run_group_tests_name("functions", tests, read_document, drop_document);
}
