/* viewrule_test.c - which column of which relation a view's column is, from query trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/viewrule.h"

#define RELATION(label, oid)                                                               \
    "{" label                                                                              \
    " :alias <> :eref {ALIAS :aliasname x :colnames (\"a\" \"b\")} :rtekind 0 :relid " oid \
    " :relkind r :tablesample <> :lateral false :inFromCl true}"
#define VAR(no, att) "{VAR :varno " no " :varattno " att " :vartype 23 :varlevelsup 0 :location 7}"
#define TARGET(expr, no, name, table, column)                  \
    "{TARGETENTRY :expr " expr " :resno " no " :resname " name \
    " :ressortgroupref 0 :resorigtbl " table " :resorigcol " column " :resjunk false}"
#define QUERY(range, from, quals, targets, rest)                                                   \
    "({QUERY :commandType 1 :hasAggs false :hasTargetSRFs false :cteList <> :rtable (" range       \
    ") :jointree {FROMEXPR :fromlist (" from ") :quals " quals "} :targetList (" targets ") " rest \
    " :havingQual <> :limitOffset <> :limitCount <> :stmt_location 0})"
#define REST    ":groupClause <> :groupingSets <> :distinctClause <> :setOperations <>"
#define REF(no) "{RANGETBLREF :rtindex " no "}"
#define JOIN(type, l, r)                                                 \
    "{JOINEXPR :jointype " type " :isNatural false :larg " l " :rarg " r \
    " :usingClause <> :quals "                                           \
    "{CONST :consttype 16 :constvalue 1 [ 1 0 0 0 0 0 0 0 ]} :rtindex 9}"

static struct arena *arena;

static bool read_text(const char *text, struct viewrule *r)
{
    return viewrule_read(str_of(text), arena, r);
}

static void a_plain_view_maps_its_columns(void **state)
{
    struct viewrule r;

    (void)state;
    assert_true(read_text(
        QUERY(RELATION("RTE", "100"), REF("1"), "<>",
              TARGET(VAR("1", "2"), "1", "b", "100", "2")
                  TARGET("{FUNCEXPR :funcid 5 :args (" VAR("1", "1") ")}", "2", "f", "0", "0"),
              REST),
        &r));
    assert_int_equal(r.ncolumns, 2);
    assert_int_equal(r.columns[0].relation, 100);
    assert_int_equal(r.columns[0].column, 2);
    assert_false(r.columns[0].nullable);
    assert_int_equal(r.columns[1].relation, 0);
    assert_int_equal(r.single, 100);
    assert_true(r.whole);
}

static void conditions_and_groups_take_away(void **state)
{
    /* text, single, whole */
    /* clang-format off */
    static const struct {
        const char *text;
        uint32_t single;
        bool whole;
    } rows[] = {
        {QUERY(RELATION("RTE", "100"), REF("1"), VAR("1", "1"),
               TARGET(VAR("1", "1"), "1", "a", "100", "1"), REST),
         100, false},
        {QUERY(RELATION("RTE", "100"), REF("1"), "<>", TARGET(VAR("1", "1"), "1", "a", "100", "1"),
               ":groupClause ({SORTGROUPCLAUSE :tleSortGroupRef 1}) :groupingSets <> "
               ":distinctClause <> :setOperations <>"),
         0, false},
        {QUERY(RELATION("RTE", "100"), REF("1"), "<>", TARGET(VAR("1", "1"), "1", "a", "100", "1"),
               ":groupClause <> :groupingSets <> :distinctClause ({X :y 1}) :setOperations <>"),
         100, false},
        {QUERY(RELATION("RTE", "100") RELATION("RTE", "200"), REF("1") REF("2"), "<>",
               TARGET(VAR("1", "1"), "1", "a", "100", "1"), REST),
         0, false},
    };
    /* clang-format on */
    struct viewrule r;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        assert_true(read_text(rows[i].text, &r));
        assert_int_equal(r.single, rows[i].single);
        assert_int_equal(r.whole, rows[i].whole);
        assert_int_equal(r.columns[0].relation, 100);
    }
}

static void outer_joins_make_nullable(void **state)
{
    /* text, is the left side, the right side nullable? */
    /* clang-format off */
    static const struct {
        const char *text;
        bool left, right;
    } rows[] = {
#define BOTH(type)                                                                \
    QUERY(RELATION("RANGETBLENTRY", "100") RELATION("RANGETBLENTRY", "200"),      \
          JOIN(type, REF("1"), REF("2")), "<>",                                   \
          TARGET(VAR("1", "1"), "1", "a", "100", "1")                             \
              TARGET(VAR("2", "1"), "2", "b", "200", "1"),                        \
          REST)
        {BOTH("0"), false, false},
        {BOTH("1"), false, true},
        {BOTH("2"), true, true},
        {BOTH("3"), true, false},
    };
    /* clang-format on */
    struct viewrule r;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        assert_true(read_text(rows[i].text, &r));
        assert_int_equal(r.columns[0].nullable, rows[i].left);
        assert_int_equal(r.columns[1].nullable, rows[i].right);
        assert_true(r.columns[0].instance != r.columns[1].instance);
        assert_int_equal(r.single, 0);
    }
}

static void unions_claim_nothing(void **state)
{
    struct viewrule r;

    (void)state;
    assert_true(read_text(
        QUERY(
            RELATION("RTE", "100"), REF("1"), "<>", TARGET(VAR("1", "1"), "1", "a", "100", "1"),
            ":groupClause <> :groupingSets <> :distinctClause <> :setOperations {SETOPERATIONSTMT "
            ":op 1}"),
        &r));
    assert_int_equal(r.ncolumns, 0);
    assert_int_equal(r.single, 0);
}

static void group_entries_of_18_are_followed(void **state)
{
    struct viewrule r;

    (void)state;
    assert_true(read_text(
        QUERY(RELATION("RANGETBLENTRY", "100") "{RANGETBLENTRY :rtekind 9 :groupexprs (" VAR(
                  "1", "3") " " VAR("1", "2") ")}",
              REF("1"), "<>", TARGET(VAR("2", "2"), "1", "b", "100", "2"),
              ":groupClause ({S :t 1}) :groupingSets <> :distinctClause <> :setOperations <>"),
        &r));
    assert_int_equal(r.columns[0].column, 2);
    assert_int_equal(r.columns[0].instance, 1);
    assert_int_equal(r.single, 0);
}

static void names_cannot_pretend_to_be_fields(void **state)
{
    struct viewrule r;

    (void)state;
    assert_true(read_text(
        QUERY(RELATION("RTE", "100"), REF("1"), "<>",
              TARGET(VAR("1", "1"), "1", ":resorigtbl", "100", "1")
                  TARGET("{CONST :constvalue 4 [ 1 0 0 0 ]}", "2",
                         ":resorigtbl\\ 999\\ :resorigcol\\ 9\\}\\ \\{TARGETENTRY", "0", "0"),
              REST),
        &r));
    assert_int_equal(r.ncolumns, 2);
    assert_int_equal(r.columns[0].relation, 100);
    assert_int_equal(r.columns[1].relation, 0);
}

/* Whatever is cut off or broken, nothing is read past the end and nothing wrong is claimed. */
static void broken_text_is_refused(void **state)
{
    static const char whole[] =
        QUERY(RELATION("RTE", "100") RELATION("RTE", "200"), JOIN("1", REF("1"), REF("2")), "<>",
              TARGET(VAR("1", "1"), "1", "a", "100", "1"), REST);
    static const char *const broken[] = {
        "",
        "(",
        ")",
        "<>",
        "()",
        "({QUERY})",
        "({OTHER :rtable <>})",
        "({QUERY :rtable ({RTE :rtekind x}) :jointree {FROMEXPR :fromlist <>}})",
        QUERY(RELATION("RTE", "100"), REF("2"), "<>", TARGET(VAR("1", "1"), "1", "a", "1", "1"),
              REST),
        QUERY(RELATION("RTE", "100"), REF("1"), "<>", TARGET(VAR("1", "1"), "7", "a", "1", "1"),
              REST),
        QUERY(RELATION("RTE", "99999999999"), REF("1"), "<>", "", REST),
        QUERY(RELATION("RTE", "100"), "{SOMETHINGNEW :rtindex 1}", "<>", "", REST),
        "({QUERY :rtable (\\",
    };
    struct viewrule r;
    size_t i;

    (void)state;
    assert_true(read_text(whole, &r));
    for (i = 0; i < COUNT_OF(broken); i++)
        if (read_text(broken[i], &r))
            fail_msg("accepted %s", broken[i]);
    for (i = 0; i + 1 < sizeof(whole) - 1; i++) {
        char *copy = xmalloc(i + 1);

        /* On the heap and unterminated, so that a sanitizer sees a read past the end. */
        memcpy(copy, whole, i);
        assert_false(viewrule_read(str_make(copy, i), arena, &r));
        xfree(copy);
    }
}

static void joins_nested_too_deep_are_refused(void **state)
{
    struct str item = STR(REF("1"));
    struct viewrule r;
    unsigned i;

    (void)state;
    for (i = 0; i < 600; i++)
        item = arena_printf(arena, "{JOINEXPR :jointype 0 :larg %.*s :rarg " REF("1") "}",
                            STR_ARG(item));
    assert_false(viewrule_read(
        arena_printf(
            arena,
            "({QUERY :hasTargetSRFs false :hasAggs false :rtable (" RELATION(
                "RTE", "5") ") :jointree {FROMEXPR :fromlist (%.*s) :quals <>} :targetList <>})",
            STR_ARG(item)),
        arena, &r));
}

static int open_arena(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_view_maps_its_columns),
        cmocka_unit_test(conditions_and_groups_take_away),
        cmocka_unit_test(outer_joins_make_nullable),
        cmocka_unit_test(unions_claim_nothing),
        cmocka_unit_test(group_entries_of_18_are_followed),
        cmocka_unit_test(names_cannot_pretend_to_be_fields),
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(joins_nested_too_deep_are_refused),
    };

    return cmocka_run_group_tests_name("viewrule", tests, open_arena, close_arena);
}
