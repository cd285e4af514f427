/* catalog_test.c - captured catalog documents to schemas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/document.h"
#include "schema/operators.h"

static struct arena *arena;
static struct schema *shop; /* of fixture.json */
static struct schema *demo; /* of demo.json */

struct row {
    const char *type;
    const char *field;
    const char *is; /* NULL: there is no such field */
};

static void check_fields(const struct schema *s, const struct row *rows, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        const struct field *f = document_field(s, rows[i].type, rows[i].field);
        const char *got = f ? document_type_text(f->type, arena) : "nothing";

        if (strcmp(got, rows[i].is ? rows[i].is : "nothing") != 0)
            fail_msg("%s.%s is %s, expected %s", rows[i].type, rows[i].field, got,
                     rows[i].is ? rows[i].is : "nothing");
    }
}

static void columns_have_their_types(void **state)
{
    static const struct row rows[] = {
        {"Order",   "companyId", "ID!"          },
        {"Order",   "number",    "ID!"          },
        {"Order",   "status",    "OrderStatus!" },
        {"Order",   "total",     "Decimal"      },
        {"Order",   "placedAt",  "DateTime!"    },
        {"Order",   "tags",      "[String]!"    },
        {"Order",   "states",    "[OrderStatus]"},
        {"Order",   "raw",       "JSON"         },
        {"Order",   "doc",       "JSON"         },
        {"Order",   "seenFrom",  "IpAddress"    },
        {"Order",   "spot",      "Spot"         },
        {"Order",   "lineCount", "Int"          },
        {"Order",   "short",     "String"       },
        {"Order",   "dropped",   NULL           },
        {"Event",   "id",        "ID!"          },
        {"Event",   "at",        "Date!"        },
        {"Company", "contact",   "String!"      },
        {"Person",  "email",     "String!"      },
    };

    (void)state;
    check_fields(shop, rows, COUNT_OF(rows));
}

static void what_the_role_may_not_read_is_not_there(void **state)
{
    static const struct row rows[] = {
        {"Person", "secretNick",                        NULL        },
        {"Query",  "secrets",                           NULL        },
        {"Query",  "people",                            "[Person!]!"},
        {"Odd",    "targetList",                        "ID!"       },
        {"Odd",    "resorigtbl1Resorigcol1Targetentry", NULL        },
        {"Query",  "events2026",                        NULL        },
    };

    (void)state;
    check_fields(shop, rows, COUNT_OF(rows));
    assert_null(schema_type(shop, STR("Secret")));
    assert_null(schema_type(shop, STR("Events2026")));
}

static void not_null_is_followed_through_views(void **state)
{
    static const struct row rows[] = {
        {"BigOrder",     "status",    "OrderStatus!"}, /* a view over a view */
        {"BigOrder",     "total",     "Decimal"     },
        {"Manager",      "id",        "ID!"         },
        {"Manager",      "email",     "String!"     },
        {"Manager",      "bossId",    "ID"          }, /* the right side of a left join */
        {"Manager",      "bossEmail", "String"      },
        {"Full",         "id",        "ID"          },
        {"CompanyTotal", "companyId", "ID!"         },
        {"CompanyTotal", "orders",    "BigInt"      },
        {"Cube",         "companyId", "ID"          }, /* grouping sets add nulls */
        {"Union",        "id",        "UUID"        },
        {"Sub",          "id",        "ID"          },
        {"OrderLine",    "loud",      "String"      },
        {"CompanyCount", "companyId", "ID!"         },
    };

    (void)state;
    check_fields(shop, rows, COUNT_OF(rows));
}

static void keys_are_followed_only_where_rows_stay_single(void **state)
{
    static const struct row rows[] = {
        {"Query", "company",                   "Company"     },
        {"Query", "companyBySlug",             "Company"     },
        {"Query", "companyByName",             "Company"     },
        {"Query", "order",                     "Order"       },
        {"Query", "bigOrder",                  "BigOrder"    },
        {"Query", "orderLine",                 "OrderLine"   },
        {"Query", "event",                     "Event"       },
        {"Query", "personByCompanyIdAndEmail", "Person"      },
        {"Query", "companyCount",              "CompanyCount"},
        {"Query", "manager",                   NULL          },
        {"Query", "full",                      NULL          },
        {"Query", "pair",                      NULL          },
        {"Query", "companyTotal",              NULL          },
        {"Query", "exploded",                  NULL          },
        {"Query", "union",                     NULL          },
        {"Query", "sub",                       NULL          },
        {"Query", "note",                      NULL          }, /* has heirs */
        {"Query", "notes",                     "[Note!]!"    },
        {"Note",  "id",                        "Int!"        },
    };
    const struct field *f = document_field(shop, "Query", "bigOrder");

    (void)state;
    check_fields(shop, rows, COUNT_OF(rows));
    assert_int_equal(f->narguments, 2);
    assert_true(str_is(f->arguments[1].name, "no"));
    assert_string_equal(document_type_text(f->arguments[1].type, arena), "ID!");
    assert_int_equal(f->arguments[1].role, INPUT_KEY);
    assert_true(str_is(f->arguments[1].column->name, "no"));
    assert_int_equal(f->resolver, RESOLVE_BY_KEY);
    assert_true(f->key->primary);
    assert_false(relation_key(f->relation) == NULL);
    /* A unique column that may be null finds rows, but does not tell them apart. */
    assert_false(document_field(shop, "Query", "companyBySlug")->key->identifies);
    assert_true(document_field(shop, "Query", "companyByName")->key->identifies);
}

static void foreign_keys_become_relationships(void **state)
{
    static const struct row rows[] = {
        {"Order",     "buyer",              "Person!"      },
        {"Order",     "approver",           "Person"       },
        {"Order",     "company",            "Company!"     },
        {"Order",     "orderLines",         "[OrderLine!]!"},
        {"Order",     "events",             "[Event!]!"    },
        {"OrderLine", "order",              "Order!"       },
        {"Event",     "order",              "Order"        },
        {"Person",    "manager",            "Person"       },
        {"Person",    "people",             "[Person!]!"   },
        {"Person",    "ordersByBuyerId",    "[Order!]!"    }, /* two ways to orders */
        {"Person",    "ordersByApproverId", "[Order!]!"    },
        {"Person",    "orders",             NULL           },
        {"Person",    "badge",              "Badge"        }, /* the foreign key is a key */
        {"Badge",     "person",             "Person!"      },
        {"BigOrder",  "buyer",              "Person!"      },
        {"Manager",   "bossCompany",        "Company"      },
        {"Pair",      "buyer",              "Person!"      },
        {"Pair",      "order",              NULL           }, /* columns of two rows */
        {"Company",   "companyCount",       "CompanyCount" },
        {"Company",   "cubes",              "[Cube!]!"     },
    };
    const struct field *f = document_field(shop, "OrderLine", "order");

    (void)state;
    check_fields(shop, rows, COUNT_OF(rows));
    assert_int_equal(f->resolver, RESOLVE_TO_ONE);
    assert_int_equal(f->relationship->n, 2);
    assert_true(str_is(f->relationship->from_columns[1]->name, "number"));
    assert_true(str_is(f->relationship->to_columns[1]->name, "number"));
    assert_ptr_equal(f->relationship->to, f->relation);
    assert_true(str_is(f->relation->name, "v_order"));
}

static void join_tables_become_relationships(void **state)
{
    static const struct row rows[] = {
        {"Order",  "orderTags",                   "[OrderTag!]!"},
        {"Order",  "tags",                        "[String]!"   }, /* a column has it */
        {"Order",  "tagsByOrderTag",              "[Tag!]!"     },
        {"Tag",    "orders",                      "[Order!]!"   },
        {"Tag",    "orderTags",                   "[OrderTag!]!"},
        {"Person", "peopleByFollowingFolloweeId", "[Person!]!"  }, /* whom one follows */
        {"Person", "peopleByFollowingFollowerId", "[Person!]!"  },
        {"Person", "peopleByFollowing",           NULL          },
        {"Person", "people",                      "[Person!]!"  }, /* whose manager one is */
        {"Person", "tagsByTagVote",               "[Tag!]!"     },
        {"Person", "tagsByTagBan",                "[Tag!]!"     },
        {"Tag",    "peopleByTagBan",              "[Person!]!"  },
        {"Person", "tagViews",                    "[TagView!]!" },
        {"Person", "tagsByTagView",               NULL          }, /* many views of one pair */
        {"Person", "tagOwners",                   "[TagOwner!]!"},
        {"Person", "tagsByTagOwner",              NULL          }, /* one person each */
        {"Person", "tagsByTagSecret",             NULL          }, /* not exposed */
        {"Person", "tags",                        NULL          },
    };
    const struct relationship *w = document_field(shop, "Tag", "orders")->relationship;

    (void)state;
    check_fields(shop, rows, COUNT_OF(rows));
    assert_int_equal(document_field(shop, "Tag", "orders")->resolver, RESOLVE_TO_MANY);
    assert_int_equal(w->n, 1);
    assert_int_equal(w->via->nfar, 2);
    assert_true(str_is(w->via->relation->name, "v_order_tag"));
    assert_true(str_is(w->from_columns[0]->name, "id"));
    assert_true(str_is(w->via->near_columns[0]->name, "tag_id"));
    assert_true(str_is(w->via->far_columns[1]->name, "number"));
    assert_true(str_is(w->to_columns[1]->name, "number"));
}

static void a_row_that_security_may_hide_is_nullable(void **state)
{
    static const struct row rows[] = {
        {"Project",       "owner",         "User"         },
        {"Project",       "tenant",        "Tenant"       },
        {"Project",       "tasks",         "[Task!]!"     },
        {"Task",          "assignee",      "User"         },
        {"Comment",       "task",          "Task"         },
        {"TenantSummary", "tenant",        "Tenant"       },
        {"Tenant",        "tenantSetting", "TenantSetting"},
    };

    (void)state;
    check_fields(demo, rows, COUNT_OF(rows));
    assert_true(schema_type(demo, STR("Project"))->relation->rls);
    assert_true(schema_type(demo, STR("Project"))->relation->security_invoker);
    assert_false(schema_type(demo, STR("TenantSummary"))->relation->rls);
    /* Its owner reads past the policies, unless the view has security_invoker. */
    assert_false(schema_type(shop, STR("Company"))->relation->rls);
    assert_true(schema_type(shop, STR("Invoker"))->relation->rls);
    assert_true(
        str_is(schema_type(demo, STR("Project"))->relation->tenant_column->name, "tenant_id"));
}

static void columns_have_codecs(void **state)
{
    /* type, field, codec, expression */
    static const struct {
        const char *type, *field;
        enum codec_kind codec;
        const char *expression;
    } rows[] = {
        {"Project", "id",           CODEC_UUID,        ""      },
        {"Project", "budget",       CODEC_TEXT,        "::text"},
        {"Project", "storageBytes", CODEC_INT8_STRING, ""      },
        {"Project", "settings",     CODEC_JSONB,       ""      },
        {"Project", "labels",       CODEC_ARRAY,       ""      },
        {"Task",    "leadTime",     CODEC_INTERVAL,    ""      },
        {"User",    "role",         CODEC_ENUM,        ""      },
    };
    const struct column *labels = document_field(demo, "Project", "labels")->column;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        const struct column *c = document_field(demo, rows[i].type, rows[i].field)->column;

        assert_int_equal(c->codec->kind, rows[i].codec);
        assert_true(str_is(c->expression, rows[i].expression));
    }
    assert_int_equal(labels->codec->element->kind, CODEC_TEXT);
    assert_true(str_is(labels->type_sql, "text[]"));
    assert_int_equal(document_field(shop, "Person", "id")->column->codec->kind, CODEC_ID_INT8);
    assert_int_equal(document_field(shop, "Order", "number")->column->codec->kind, CODEC_ID_INT4);
    assert_true(
        str_is(document_field(shop, "Order", "status")->column->type_sql, "shop.order_status"));
    assert_int_equal(document_field(shop, "Order", "spot")->column->composite->nparts, 2);
    assert_true(str_is(document_field(shop, "Order", "seenFrom")->column->expression, "::name"));
    assert_true(document_field(demo, "Project", "status")->column->leakproof_equality);
    assert_false(document_field(demo, "User", "role")->column->leakproof_equality);
    assert_false(document_field(demo, "Project", "budget")->column->leakproof_equality);
}

static void enum_labels_become_names(void **state)
{
    static const char *const names[] = {"NEW", "IN_PROGRESS", "IN_PROGRESS_2", "TRUE", "_2ND"};
    static const char *const labels[] = {"NEW", "in progress", "in-progress", "true", "2nd"};
    const struct type *t = schema_type(shop, STR("OrderStatus"));
    size_t i;

    (void)state;
    assert_int_equal(t->nvalues, COUNT_OF(names));
    assert_true(str_is(t->enum_sql, "shop.order_status"));
    for (i = 0; i < t->nvalues; i++) {
        assert_true(str_is(t->values[i].name, names[i]));
        assert_true(str_is(t->values[i].label, labels[i]));
        assert_ptr_equal(schema_enum_value(t, str_of(names[i])), &t->values[i]);
    }
}

static void comments_become_descriptions(void **state)
{
    const struct field *slug = document_field(shop, "Company", "slug");

    (void)state;
    assert_true(str_is(slug->description, "Short name."));
    assert_true(str_is(slug->deprecated, "use name"));
    assert_true(str_is(schema_type(demo, STR("TenantSummary"))->description,
                       "Totals of the tenant, as of a few minutes ago."));
}

static void inputs_follow(void **state)
{
    /* input type, field, type or NULL */
    static const struct row rows[] = {
        {"ProjectWhereInput",   "status",       "StringFilter"        },
        {"ProjectWhereInput",   "ownerId",      "IDFilter"            },
        {"ProjectWhereInput",   "labels",       "StringListFilter"    },
        {"ProjectWhereInput",   "settings",     "JSONFilter"          },
        {"ProjectWhereInput",   "owner",        "UserWhereInput"      },
        {"ProjectWhereInput",   "tasks",        "TaskListWhereInput"  },
        {"ProjectWhereInput",   "AND",          "[ProjectWhereInput!]"},
        {"ProjectWhereInput",   "NOT",          "ProjectWhereInput"   },
        {"TaskListWhereInput",  "every",        "TaskWhereInput"      },
        {"UserWhereInput",      "role",         "UserRoleFilter"      },
        {"UserRoleFilter",      "in",           "[UserRole!]"         },
        {"UserRoleFilter",      "gt",           NULL                  },
        {"IDFilter",            "eq",           "ID"                  },
        {"IDFilter",            "contains",     NULL                  },
        {"StringFilter",        "icontains",    "String"              },
        {"StringFilter",        "isnull",       "Boolean"             },
        {"IntFilter",           "gte",          "Int"                 },
        {"IntFilter",           "like",         NULL                  },
        {"StringListFilter",    "overlaps",     "[String]"            },
        {"StringListFilter",    "in",           "[[String]!]"         },
        {"StringListFilter",    "len_gt",       "Int"                 },
        {"JSONFilter",          "contains",     "JSON"                },
        {"JSONFilter",          "has_any_keys", "[String!]"           },
        {"ProjectOrderByInput", "createdAt",    "OrderDirection"      },
        {"ProjectOrderByInput", "owner",        "UserOrderByInput"    },
        {"ProjectOrderByInput", "labels",       NULL                  },
        {"ProjectOrderByInput", "settings",     NULL                  },
        {"ProjectOrderByInput", "tasks",        NULL                  },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        const struct type *t = schema_type(demo, str_of(rows[i].type));
        const struct input_value *v = schema_input(t, str_of(rows[i].field));
        const char *got = v ? document_type_text(v->type, arena) : "nothing";

        if (strcmp(got, rows[i].is ? rows[i].is : "nothing") != 0)
            fail_msg("%s.%s is %s", rows[i].type, rows[i].field, got);
    }
    /* json has no equality. */
    assert_true(
        str_is(schema_input(schema_type(shop, STR("OrderWhereInput")), STR("raw"))->type.type->name,
               "NullFilter"));
    assert_null(schema_input(schema_type(shop, STR("OrderOrderByInput")), STR("raw")));
}

static void inputs_say_what_they_mean(void **state)
{
    const struct type *where = schema_type(demo, STR("ProjectWhereInput"));
    const struct field *list = document_field(demo, "Query", "projects");

    (void)state;
    assert_int_equal(schema_input(where, STR("status"))->role, INPUT_WHERE_COLUMN);
    assert_true(str_is(schema_input(where, STR("status"))->column->name, "status"));
    assert_int_equal(schema_input(where, STR("tasks"))->role, INPUT_WHERE_RELATION);
    assert_true(schema_input(where, STR("tasks"))->relationship->to_many);
    assert_int_equal(schema_input(where, STR("OR"))->role, INPUT_WHERE_OR);
    assert_true(str_is(schema_input(schema_type(demo, STR("StringFilter")), STR("like"))->op->name,
                       "like"));
    assert_int_equal(field_argument(list, STR("where"))->role, INPUT_WHERE);
    assert_int_equal(field_argument(list, STR("orderBy"))->role, INPUT_ORDER_BY);
    assert_int_equal(field_argument(list, STR("limit"))->role, INPUT_LIMIT);
    assert_int_equal(field_argument(list, STR("offset"))->role, INPUT_OFFSET);
    assert_string_equal(document_type_text(field_argument(list, STR("orderBy"))->type, arena),
                        "[ProjectOrderByInput!]");
}

static void introspection_is_part_of_every_schema(void **state)
{
    static const struct row rows[] = {
        {"Query",       "__schema",   "__Schema!"              },
        {"Query",       "__type",     "__Type"                 },
        {"Query",       "__typename", "String!"                },
        {"Project",     "__typename", "String!"                },
        {"Project",     "__schema",   NULL                     },
        {"__Schema",    "types",      "[__Type!]!"             },
        {"__Type",      "fields",     "[__Field!]"             },
        {"__Type",      "isOneOf",    "Boolean"                },
        {"__Field",     "args",       "[__InputValue!]!"       },
        {"__Directive", "locations",  "[__DirectiveLocation!]!"},
    };
    const struct field *fields = document_field(demo, "__Type", "fields");

    (void)state;
    check_fields(demo, rows, COUNT_OF(rows));
    assert_int_equal(fields->introspect, INTROSPECT_TYPE_FIELDS);
    assert_string_equal(document_type_text(fields->arguments[0].type, arena), "Boolean!");
    assert_false(fields->arguments[0].default_value->boolean);
    assert_int_equal(schema_type(demo, STR("__TypeKind"))->nvalues, 8);
    assert_int_equal(
        schema_enum_value(schema_type(demo, STR("__TypeKind")), STR("NON_NULL"))->value,
        SCHEMA_KIND_NON_NULL);
    assert_int_equal(demo->ndirectives, 5);
    assert_true(schema_directive(demo, STR("skip"))->locations & ON_INLINE_FRAGMENT);
    assert_null(schema_directive(demo, STR("nothing")));
}

/* --- documents that are wrong ------------------------------------------------------------------
 */

#define TYPES                                                                                \
    "\"types\":[{\"oid\":\"23\",\"schema\":\"pg_catalog\",\"name\":\"int4\",\"kind\":\"b\"," \
    "\"sql\":\"integer\",\"comparable\":true,\"leakproof\":true}]"
#define TABLE(oid, kind, name, columns)                                                         \
    "{\"oid\":" oid ",\"exposed\":true,\"kind\":\"" kind "\",\"schema\":\"s\",\"name\":\"" name \
    "\",\"owner\":10,\"columns\":[" columns "]}"
#define KEYED(oid, name, columns, key)                                                        \
    "{\"oid\":" oid ",\"exposed\":true,\"kind\":\"r\",\"schema\":\"s\",\"name\":\"" name      \
    "\",\"owner\":10,\"columns\":[" columns "],\"keys\":[{\"primary\":true,\"columns\":[" key \
    "]}]}"
#define COLUMN(num, name) \
    "{\"num\":" num ",\"name\":\"" name "\",\"type\":23,\"notNull\":true,\"select\":true}"
#define DOCUMENT(relations) "{\"role\":\"11\",\"relations\":[" relations "]," TYPES "}"

static void wrong_documents_are_told_and_refused(void **state)
{
    /* document, errors (0: several), what the first one says */
    /* clang-format off */
    static const struct {
        const char *json;
        size_t n;
        const char *says;
    } rows[] = {
        {"", 1, ""},
        {"[]", 1, "role"},
        {"{}", 1, "role"},
        {"{\"role\":1}", 1, "no relation"},
        {"{\"role\":1,\"relations\":{}}", 1, "\"relations\""},
        {DOCUMENT("1"), 1, "\"oid\""},
        {DOCUMENT(TABLE("1", "x", "t", COLUMN("1", "a"))), 1, "\"kind\""},
        {DOCUMENT(TABLE("1", "r", "t", COLUMN("0", "a"))), 1, "\"num\""},
        {DOCUMENT(TABLE("1", "r", "t", COLUMN("2", "a") "," COLUMN("2", "b"))), 1, "\"num\""},
        {DOCUMENT(TABLE("1", "r", "t", COLUMN("1", "a")) "," TABLE("1", "r", "u", COLUMN("1", "a"))),
         1, "twice"},
        {DOCUMENT(TABLE("1", "r", "t",
                        "{\"num\":1,\"name\":\"a\",\"type\":99,\"select\":true}")),
         1, "has no type"},
        /* All conflicts at once, with both sides. */
        {DOCUMENT(TABLE("1", "r", "tasks", COLUMN("1", "a_b") "," COLUMN("2", "aB")) "," TABLE(
             "2", "v", "v_task", COLUMN("1", "a"))),
         0, "\"s.tasks\""},
        {DOCUMENT(TABLE("1", "r", "query", COLUMN("1", "a"))), 1, "the query root"},
        {DOCUMENT(TABLE("1", "r", "strings", COLUMN("1", "a"))), 1, "\"String\""},
    };
    /* clang-format on */
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct errors errs;
        struct schema *s = document_schema(str_of(rows[i].json), arena, &errs);

        if (s != NULL || errs.n < 1 || (rows[i].n == 1 && errs.n != 1) ||
            strstr(arena_dup(arena, errs.first->message).data, rows[i].says) == NULL)
            fail_msg("%s: %zu errors, the first \"%.*s\"", rows[i].json, errs.n,
                     errs.n ? (int)errs.first->message.len : 0,
                     errs.n ? errs.first->message.data : "");
    }
}

static void relations_have_precedence_over_what_goes_with_others(void **state)
{
    struct errors errs;
    struct schema *s = document_schema(
        STR(DOCUMENT(TABLE("1", "r", "forms", COLUMN("1", "a") "," COLUMN("2", "null")) "," TABLE(
            "2", "r", "form_fields", COLUMN("1", "b")))),
        arena, &errs);

    (void)state;
    assert_non_null(s);
    assert_string_equal(document_type_text(document_field(s, "FormField", "b")->type, arena),
                        "Int!");
    assert_string_equal(
        document_type_text(
            field_argument(document_field(s, "Query", "forms"), STR("distinctOn"))->type, arena),
        "[FormFieldType!]");
    assert_int_equal(schema_enum_value(schema_type(s, STR("FormFieldType")), STR("null_"))->value,
                     1);
    assert_int_equal(schema_type(s, STR("FormFieldField"))->nvalues, 1);
    schema_unref(s);
    s = document_schema(
        STR(DOCUMENT(TABLE("1", "r", "forms", COLUMN("1", "a")) "," TABLE(
            "2", "r", "form_fields", COLUMN("1", "a")) "," TABLE("3", "r", "form_field_types",
                                                                 COLUMN("1", "a")))),
        arena, &errs);
    assert_null(s);
    assert_non_null(strstr(arena_dup(arena, errs.first->message).data,
                           "by table \"s.form_field_types\" and by what goes with type \"Form\""));
}

static void fields_of_one_name_are_told_with_what_they_are_of(void **state)
{
    struct errors errs;
    struct schema *s =
        document_schema(STR(DOCUMENT(TABLE("1", "r", "tasks", COLUMN("1", "a")) "," TABLE(
                            "2", "v", "v_tasks_group_bies", COLUMN("1", "a")))),
                        arena, &errs);

    (void)state;
    /* The list tasksGroupBies is another field, and without a key there is no tasksGroupBy(id:). */
    assert_non_null(s);
    schema_unref(s);
    s = document_schema(STR(DOCUMENT(TABLE("1", "r", "tasks", COLUMN("1", "a")) "," KEYED(
                            "2", "tasks_aggregates", COLUMN("1", "id"), "1"))),
                        arena, &errs);
    assert_null(s);
    assert_string_equal(arena_dup(arena, errs.first->message).data,
                        "type \"Query\" would have two fields named \"tasksAggregate\": one of "
                        "\"s.tasks\" and one of \"s.tasks_aggregates\"");
    assert_true(errs.first->hint.len > 0);
}

static void aggregates_follow(void **state)
{
    static const struct row rows[] = {
        {"Query",            "projectsAggregate", "ProjectAggregate!"},
        {"Query",            "projectsGroupBy",   "[ProjectGroup!]!" },
        {"User",             "tasksAggregate",    "TaskAggregate!"   },
        {"Task",             "projectAggregate",  NULL               },
        {"ProjectAggregate", "count",             "Int!"             },
        {"ProjectAggregate", "countDistinct",     "Int!"             },
        {"ProjectAggregate", "sum",               "ProjectSum!"      },
        {"ProjectAggregate", "stddev",            "ProjectStddev!"   },
        {"ProjectAggregate", "status",            NULL               },
        {"ProjectSum",       "budget",            "Decimal"          },
        {"ProjectSum",       "taskCount",         "BigInt"           },
        {"ProjectSum",       "storageBytes",      "Decimal"          },
        {"ProjectSum",       "name",              NULL               },
        {"ProjectAvg",       "taskCount",         "Decimal"          },
        {"ProjectMin",       "name",              "String"           },
        {"ProjectMax",       "labels",            "[String]"         },
        {"ProjectMax",       "settings",          NULL               },
        {"ProjectMin",       "id",                NULL               },
        {"UserMin",          "role",              "UserRole"         },
        {"ProjectGroup",     "status",            "String!"          },
        {"ProjectGroup",     "budget",            "Decimal"          },
        {"ProjectGroup",     "count",             "Int!"             },
        {"ProjectGroup",     "max",               "ProjectMax!"      },
    };
    /* input type, field, type or NULL */
    static const struct row inputs[] = {
        {"ProjectHavingInput",       "count",     "IntFilter"             },
        {"ProjectHavingInput",       "sum",       "ProjectSumHavingInput" },
        {"ProjectHavingInput",       "stddev",    "ProjectAvgHavingInput" },
        {"ProjectHavingInput",       "max",       "ProjectMinHavingInput" },
        {"ProjectHavingInput",       "OR",        "[ProjectHavingInput!]" },
        {"ProjectSumHavingInput",    "taskCount", "BigIntFilter"          },
        {"ProjectAvgHavingInput",    "taskCount", "DecimalFilter"         },
        {"ProjectMinHavingInput",    "name",      "StringFilter"          },
        {"ProjectGroupOrderByInput", "status",    "OrderDirection"        },
        {"ProjectGroupOrderByInput", "labels",    NULL                    },
        {"ProjectGroupOrderByInput", "count",     "OrderDirection"        },
        {"ProjectGroupOrderByInput", "avg",       "ProjectSumOrderByInput"},
        {"ProjectGroupOrderByInput", "max",       "ProjectMinOrderByInput"},
    };
    size_t i;

    (void)state;
    check_fields(demo, rows, COUNT_OF(rows));
    for (i = 0; i < COUNT_OF(inputs); i++) {
        const struct type *t = schema_type(demo, str_of(inputs[i].type));
        const struct input_value *v = schema_input(t, str_of(inputs[i].field));
        const char *got = v ? document_type_text(v->type, arena) : "nothing";

        if (strcmp(got, inputs[i].is ? inputs[i].is : "nothing") != 0)
            fail_msg("%s.%s is %s", inputs[i].type, inputs[i].field, got);
    }
    /* The fields of an aggregate are those of the group, behind its keys. */
    assert_ptr_equal(schema_type(demo, STR("ProjectAggregate"))->fields,
                     document_field(demo, "ProjectGroup", "count"));
    assert_null(schema_type(demo, STR("ProjectMaxHavingInput")));
}

static void conflicts_name_both_sides_and_what_to_do(void **state)
{
    struct errors errs;
    struct schema *s = document_schema(
        STR(DOCUMENT(TABLE("1", "r", "tasks", COLUMN("1", "a_b") "," COLUMN("2", "aB")) "," TABLE(
            "2", "v", "v_task", COLUMN("1", "a")))),
        arena, &errs);
    bool types = false, columns = false;
    const struct error *e;

    (void)state;
    assert_null(s);
    for (e = errs.first; e != NULL; e = e->next) {
        const char *text = e->message.data;

        assert_int_equal(e->code, SCHEMA_INVALID);
        types = types || (strstr(text, "s.tasks") && strstr(text, "s.v_task") &&
                          strstr(e->hint.data, "schema.expose.exclude"));
        columns = columns || (strstr(text, "\"a_b\"") && strstr(text, "\"aB\""));
    }
    assert_true(types);
    assert_true(columns);
}

/* Cut anywhere, a document gives an error and nothing else. */
static void a_cut_document_is_refused(void **state)
{
    struct buf b = document_read("fixture.json");
    size_t i;

    (void)state;
    for (i = 0; i + 3 < b.len; i += b.len / 50) {
        struct arena *a = arena_new(0);
        struct errors errs;

        assert_null(document_schema(str_make(b.data, i), a, &errs));
        assert_true(errors_any(&errs));
        arena_free(a);
    }
    buf_fini(&b);
}

static void names_that_clash_are_told_apart_by_columns(void **state)
{
    static const char json[] = DOCUMENT(
        "{\"oid\":1,\"exposed\":true,\"kind\":\"r\",\"schema\":\"s\",\"name\":\"tasks\",\"owner\":"
        "10,"
        "\"columns\":[" COLUMN(
            "1", "id") "],\"keys\":[{\"primary\":true,\"columns\":[1]}]},"
                       "{\"oid\":2,\"exposed\":true,\"kind\":\"r\",\"schema\":\"s\",\"name\":"
                       "\"steps\",\"owner\":10,"
                       "\"columns\":[" COLUMN("1", "id") "," COLUMN("2", "task_id") "," COLUMN(
                           "3", "task") "],\"foreignKeys\":[{\"name\":\"f\",\"columns\":[2],\"to\":"
                                        "1,\"toColumns\":[1],"
                                        "\"toPrimary\":true,\"valid\":true},{\"name\":\"g\","
                                        "\"columns\":[3],\"to\":1,"
                                        "\"toColumns\":[1],\"toPrimary\":true}]}");
    /* `task` is a column, so the foreign keys get long names, as do the ways back. */
    static const struct row rows[] = {
        {"Step",  "task",          "ID!"     },
        {"Step",  "taskByTaskId",  "Task!"   },
        {"Step",  "taskByTask",    "Task"    },
        {"Task",  "stepsByTaskId", "[Step!]!"},
        {"Task",  "stepsByTask",   "[Step!]!"},
        {"Query", "step",          NULL      },
    };
    struct errors errs;
    struct schema *s = document_schema(str_of(json), arena, &errs);

    (void)state;
    assert_non_null(s);
    check_fields(s, rows, COUNT_OF(rows));
    schema_unref(s);
}

static void a_foreign_table_promises_nothing(void **state)
{
    static const struct row rows[] = {
        {"Local",  "a", "Int!"},
        {"Remote", "a", "Int" }
    };
    struct errors errs;
    struct schema *s =
        document_schema(STR(DOCUMENT(TABLE("1", "r", "local", COLUMN("1", "a")) "," TABLE(
                            "2", "f", "remote", COLUMN("1", "a")))),
                        arena, &errs);

    (void)state;
    assert_non_null(s);
    check_fields(s, rows, COUNT_OF(rows));
    schema_unref(s);
}

static enum codec_kind aggregate_codec(const struct schema *s, const char *field, enum aggregate f)
{
    return column_aggregate(document_field(s, "Project", field)->column, f)->codec->kind;
}

static void numbers_may_be_asked_for(void **state)
{
    struct schema_options opt = schema_options_default();
    struct buf b = document_read("demo.json");
    struct errors errs;
    struct schema *s;

    (void)state;
    errors_init(&errs, arena);
    opt.bigint_numbers = true;
    opt.decimal_numbers = true;
    opt.tenant_column = STR("owner_id");
    opt.max_limit = 7;
    opt.default_limit = 5;
    s = schema_from_catalog(buf_str(&b), &opt, &errs);
    assert_non_null(s);
    assert_int_equal(document_field(s, "Project", "storageBytes")->column->codec->kind,
                     CODEC_INT8_NUMBER);
    assert_int_equal(document_field(s, "Project", "budget")->column->codec->kind,
                     CODEC_TEXT_NUMBER);
    assert_int_equal(aggregate_codec(s, "taskCount", AGGREGATE_SUM), CODEC_INT8_NUMBER);
    assert_int_equal(aggregate_codec(s, "taskCount", AGGREGATE_AVG), CODEC_TEXT_NUMBER);
    assert_int_equal(aggregate_codec(s, "budget", AGGREGATE_SUM), CODEC_TEXT_NUMBER);
    assert_true(str_is(schema_type(s, STR("Project"))->relation->tenant_column->name, "owner_id"));
    assert_null(schema_type(s, STR("User"))->relation->tenant_column);
    assert_int_equal(s->default_limit, 5);
    assert_int_equal(s->max_limit, 7);
    schema_unref(s);
    buf_fini(&b);
}

static int read_documents(void **state)
{
    struct errors errs;

    (void)state;
    arena = arena_new(0);
    shop = document_schema_of_file("fixture.json", arena, &errs);
    demo = document_schema_of_file("demo.json", arena, &errs);
    return shop == NULL || demo == NULL;
}

static int drop_documents(void **state)
{
    (void)state;
    schema_unref(shop);
    schema_unref(demo);
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_have_their_types),
        cmocka_unit_test(what_the_role_may_not_read_is_not_there),
        cmocka_unit_test(not_null_is_followed_through_views),
        cmocka_unit_test(keys_are_followed_only_where_rows_stay_single),
        cmocka_unit_test(foreign_keys_become_relationships),
        cmocka_unit_test(join_tables_become_relationships),
        cmocka_unit_test(a_row_that_security_may_hide_is_nullable),
        cmocka_unit_test(columns_have_codecs),
        cmocka_unit_test(enum_labels_become_names),
        cmocka_unit_test(comments_become_descriptions),
        cmocka_unit_test(inputs_follow),
        cmocka_unit_test(inputs_say_what_they_mean),
        cmocka_unit_test(introspection_is_part_of_every_schema),
        cmocka_unit_test(wrong_documents_are_told_and_refused),
        cmocka_unit_test(relations_have_precedence_over_what_goes_with_others),
        cmocka_unit_test(fields_of_one_name_are_told_with_what_they_are_of),
        cmocka_unit_test(aggregates_follow),
        cmocka_unit_test(conflicts_name_both_sides_and_what_to_do),
        cmocka_unit_test(a_cut_document_is_refused),
        cmocka_unit_test(names_that_clash_are_told_apart_by_columns),
        cmocka_unit_test(a_foreign_table_promises_nothing),
        cmocka_unit_test(numbers_may_be_asked_for),
    };

    return cmocka_run_group_tests_name("catalog", tests, read_documents, drop_documents);
}
