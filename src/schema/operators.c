/*
 * operators.c - the table of filter operators.
 *
 * Thread:   any; constant.
 * Not here: input types made of it (inputs.c), predicates (planner/plan_filter.c).
 */
#include "schema/operators.h"

/* name, classes, operand, SQL, SQL when false, SQL when null, cast, operand's GraphQL type,
 * description. A name may stand in several rows of classes that no column has together. The order
 * is that of the fields in the input types. */
static const struct filter_operator operators[] = {
  /* clang-format off */
    { STR_INIT("eq"), FILTER_EQUAL, OPERAND_VALUE, "%c = %p", NULL, "%c is null", NULL, NULL,
      "Equal; null: is null." },
    { STR_INIT("neq"), FILTER_EQUAL, OPERAND_VALUE, "%c <> %p", NULL, "%c is not null", NULL, NULL,
      "Not equal; null: is not null. Values that are null are not included." },
    { STR_INIT("in"), FILTER_EQUAL, OPERAND_LIST, "%c = any (%p)", NULL, NULL, NULL, NULL,
      "Equal to one of these. An empty list matches nothing." },
    { STR_INIT("nin"), FILTER_EQUAL, OPERAND_LIST, "%c <> all (%p)", NULL, NULL, NULL, NULL,
      "Equal to none of these. An empty list matches everything." },
    { STR_INIT("isnull"), FILTER_ANY, OPERAND_BOOLEAN, "%c is null", "%c is not null", NULL, NULL, NULL,
      "True: is null. False: is not null." },
    { STR_INIT("gt"), FILTER_ORDERED, OPERAND_VALUE, "%c > %p", NULL, NULL, NULL, NULL, "Greater." },
    { STR_INIT("gte"), FILTER_ORDERED, OPERAND_VALUE, "%c >= %p", NULL, NULL, NULL, NULL,
      "Greater or equal." },
    { STR_INIT("lt"), FILTER_ORDERED, OPERAND_VALUE, "%c < %p", NULL, NULL, NULL, NULL, "Less." },
    { STR_INIT("lte"), FILTER_ORDERED, OPERAND_VALUE, "%c <= %p", NULL, NULL, NULL, NULL,
      "Less or equal." },
    { STR_INIT("contains"), FILTER_STRING, OPERAND_CONTAINS, "%c like %p", NULL, NULL, "text", NULL,
      "Has this text somewhere." },
    { STR_INIT("icontains"), FILTER_STRING, OPERAND_CONTAINS, "%c ilike %p", NULL, NULL, "text", NULL,
      "Has this text somewhere, in any case." },
    { STR_INIT("startswith"), FILTER_STRING, OPERAND_STARTS, "%c like %p", NULL, NULL, "text", NULL,
      "Begins with this text." },
    { STR_INIT("istartswith"), FILTER_STRING, OPERAND_STARTS, "%c ilike %p", NULL, NULL, "text", NULL,
      "Begins with this text, in any case." },
    { STR_INIT("endswith"), FILTER_STRING, OPERAND_ENDS, "%c like %p", NULL, NULL, "text", NULL,
      "Ends with this text." },
    { STR_INIT("iendswith"), FILTER_STRING, OPERAND_ENDS, "%c ilike %p", NULL, NULL, "text", NULL,
      "Ends with this text, in any case." },
    { STR_INIT("like"), FILTER_STRING, OPERAND_TEXT, "%c like %p", NULL, NULL, "text", NULL,
      "Matches this pattern: % is any text, _ any character." },
    { STR_INIT("ilike"), FILTER_STRING, OPERAND_TEXT, "%c ilike %p", NULL, NULL, "text", NULL,
      "Matches this pattern, in any case." },
    { STR_INIT("nlike"), FILTER_STRING, OPERAND_TEXT, "%c not like %p", NULL, NULL, "text", NULL,
      "Does not match this pattern." },
    { STR_INIT("nilike"), FILTER_STRING, OPERAND_TEXT, "%c not ilike %p", NULL, NULL, "text", NULL,
      "Does not match this pattern, in any case." },
    { STR_INIT("regex"), FILTER_STRING, OPERAND_TEXT, "%c ~ %p", NULL, NULL, "text", NULL,
      "Matches this POSIX regular expression." },
    { STR_INIT("iregex"), FILTER_STRING, OPERAND_TEXT, "%c ~* %p", NULL, NULL, "text", NULL,
      "Matches this regular expression, in any case." },
    { STR_INIT("nregex"), FILTER_STRING, OPERAND_TEXT, "%c !~ %p", NULL, NULL, "text", NULL,
      "Does not match this regular expression." },
    { STR_INIT("niregex"), FILTER_STRING, OPERAND_TEXT, "%c !~* %p", NULL, NULL, "text", NULL,
      "Does not match this regular expression, in any case." },
    { STR_INIT("contains"), FILTER_ARRAY, OPERAND_VALUE, "%c @> %p", NULL, NULL, NULL, NULL,
      "Has all of these values." },
    { STR_INIT("contained_by"), FILTER_ARRAY, OPERAND_VALUE, "%c <@ %p", NULL, NULL, NULL, NULL,
      "Has no other values than these." },
    { STR_INIT("overlaps"), FILTER_ARRAY, OPERAND_VALUE, "%c && %p", NULL, NULL, NULL, NULL,
      "Has at least one of these values." },
    { STR_INIT("len_eq"), FILTER_ARRAY, OPERAND_VALUE, "cardinality(%c) = %p", NULL, NULL, "integer",
      "Int", "Has this many values." },
    { STR_INIT("len_neq"), FILTER_ARRAY, OPERAND_VALUE, "cardinality(%c) <> %p", NULL, NULL, "integer",
      "Int", "Does not have this many values." },
    { STR_INIT("len_gt"), FILTER_ARRAY, OPERAND_VALUE, "cardinality(%c) > %p", NULL, NULL, "integer",
      "Int", "Has more values." },
    { STR_INIT("len_gte"), FILTER_ARRAY, OPERAND_VALUE, "cardinality(%c) >= %p", NULL, NULL, "integer",
      "Int", "Has at least this many values." },
    { STR_INIT("len_lt"), FILTER_ARRAY, OPERAND_VALUE, "cardinality(%c) < %p", NULL, NULL, "integer",
      "Int", "Has fewer values." },
    { STR_INIT("len_lte"), FILTER_ARRAY, OPERAND_VALUE, "cardinality(%c) <= %p", NULL, NULL, "integer",
      "Int", "Has at most this many values." },
    { STR_INIT("contains"), FILTER_JSON, OPERAND_VALUE, "%c @> %p", NULL, NULL, NULL, NULL,
      "Has this value in it." },
    { STR_INIT("contained_by"), FILTER_JSON, OPERAND_VALUE, "%c <@ %p", NULL, NULL, NULL, NULL,
      "Is in this value." },
    { STR_INIT("has_key"), FILTER_JSON, OPERAND_TEXT, "%c ? %p", NULL, NULL, "text", NULL,
      "Is an object with this key, or an array with this string." },
    { STR_INIT("has_any_keys"), FILTER_JSON, OPERAND_LIST, "%c ?| %p", NULL, NULL, "text[]", "String",
      "Has one of these keys." },
    { STR_INIT("has_all_keys"), FILTER_JSON, OPERAND_LIST, "%c ?& %p", NULL, NULL, "text[]", "String",
      "Has all of these keys." },
    { STR_INIT("path_exists"), FILTER_JSON, OPERAND_TEXT, "%c @? %p", NULL, NULL, "jsonpath", NULL,
      "This SQL/JSON path finds something." },
    { STR_INIT("path_match"), FILTER_JSON, OPERAND_TEXT, "%c @@ %p", NULL, NULL, "jsonpath", NULL,
      "This SQL/JSON path predicate is true." },
  /* clang-format on */
};

size_t operator_count(void)
{
    return COUNT_OF(operators);
}

const struct filter_operator *operator_at(size_t i)
{
    CHECK(i < COUNT_OF(operators));
    return &operators[i];
}

const struct filter_operator *operator_find(struct str name, unsigned classes)
{
    size_t i;

    for (i = 0; i < COUNT_OF(operators); i++)
        if ((operators[i].classes & classes) && str_eq(operators[i].name, name))
            return &operators[i];
    return NULL;
}
