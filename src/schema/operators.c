/*
 * operators.c - the table of filter operators.
 *
 * Thread:   any; constant.
 * Not here: input types made of it (inputs.c), predicates (planner/plan_filter.c).
 */
#include "schema/operators.h"

/*
 * Address blocks, by RFC 6890 and IANA's registries of special-purpose addresses. A network is in a
 * block when all of it is.
 */
#define WITHIN(blocks)     "%c <<= any ('{" blocks "}'::inet[])"
#define NOT_WITHIN(blocks) "not (%c <<= any ('{" blocks "}'::inet[]))"
#define PRIVATE            "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
#define LOOPBACK           "127.0.0.0/8,::1/128"
#define MULTICAST          "224.0.0.0/4,ff00::/8"
#define BROADCAST          "255.255.255.255/32"
#define LINK_LOCAL         "169.254.0.0/16,fe80::/10"
#define DOCUMENTATION      "192.0.2.0/24,198.51.100.0/24,203.0.113.0/24,2001:db8::/32,3fff::/20"
#define CARRIER_GRADE      "100.64.0.0/10"
#define SITE_LOCAL         "fec0::/10"
#define UNIQUE_LOCAL       "fc00::/7"
#define GLOBAL_UNICAST     "2000::/3"
/* Of IPv4 what no registry calls not globally reachable, of IPv6 what is given out, less the same.
 */
#define PUBLIC                                                                             \
    "(pg_catalog.family(%c) = 4 and not (%c && any ('{0.0.0.0/8,10.0.0.0/8,100.64.0.0/10," \
    "127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,192.88.99.0/24,"   \
    "192.168.0.0/16,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,224.0.0.0/3}'::inet[]))"  \
    " or %c <<= any ('{2000::/3,64:ff9b::/96}'::inet[])"                                   \
    " and not (%c && any ('{2001::/23,2001:db8::/32,2002::/16,3fff::/20}'::inet[])))"
#define RESERVED "(%c <<= '240.0.0.0/4'::inet and not (%c && '255.255.255.255'::inet))"

#define ADDRESSES (FILTER_ADDRESS | FILTER_NETWORK)

static const struct operand_pair address_range = {
    STR_INIT("IpAddressRange"),
    STR_INIT("Addresses from one to another, both included."),
    {{STR_INIT("from"), "IpAddress", "inet"}, {STR_INIT("to"), "IpAddress", "inet"}},
};

static const struct operand_pair distance = {
    STR_INIT("VectorDistance"),
    STR_INIT("What is not farther than this from a vector."),
    {{STR_INIT("to"), NULL, NULL}, {STR_INIT("distance_within"), "Float", "float8"}},
};

#define ROW(name_, classes_, operand_, sql_, ...)                                             \
    {                                                                                         \
        .name = STR_INIT(name_), .classes = (classes_), .operand = (operand_), .sql = (sql_), \
        .description = __VA_ARGS__                                                            \
    }

/* name, classes, operand, SQL, description, what else it needs. A name may stand in several rows of
 * classes that no column has together. The order is that of the fields in the input types. */
static const struct filter_operator operators[] = {
    /* clang-format off */
    ROW("eq", FILTER_EQUAL, OPERAND_VALUE, "%c %{=} %p", "Equal; null: is null.", .sql_null = "%c is null"),
    ROW("neq", FILTER_EQUAL, OPERAND_VALUE, "%c %{<>} %p", "Not equal; null: is not null.",
        .sql_null = "%c is not null", .sql_null_safe = "%c %{<>} %p or %c is null"),
    ROW("in", FILTER_EQUAL, OPERAND_LIST, "%c %{=} any (%p)",
        "Equal to one of these. An empty list matches nothing."),
    ROW("nin", FILTER_EQUAL, OPERAND_LIST, "%c %{<>} all (%p)",
        "Equal to none of these. An empty list matches everything.",
        .sql_null_safe = "%c %{<>} all (%p) or %c is null"),
    ROW("isnull", FILTER_ANY, OPERAND_BOOLEAN, "%c is null", "True: is null. False: is not null.",
        .sql_false = "%c is not null"),
    ROW("gt", FILTER_ORDERED, OPERAND_VALUE, "%c %{>} %p", "Greater."),
    ROW("gte", FILTER_ORDERED, OPERAND_VALUE, "%c %{>=} %p", "Greater or equal."),
    ROW("lt", FILTER_ORDERED, OPERAND_VALUE, "%c %{<} %p", "Less."),
    ROW("lte", FILTER_ORDERED, OPERAND_VALUE, "%c %{<=} %p", "Less or equal."),
    ROW("contains", FILTER_STRING, OPERAND_CONTAINS, "%c %{~~} %p", "Has this text somewhere.",
        .cast = "text"),
    ROW("icontains", FILTER_STRING, OPERAND_CONTAINS, "%c %{~~*} %p",
        "Has this text somewhere, in any case.", .cast = "text"),
    ROW("startswith", FILTER_STRING, OPERAND_STARTS, "%c %{~~} %p", "Begins with this text.",
        .cast = "text"),
    ROW("istartswith", FILTER_STRING, OPERAND_STARTS, "%c %{~~*} %p",
        "Begins with this text, in any case.", .cast = "text"),
    ROW("endswith", FILTER_STRING, OPERAND_ENDS, "%c %{~~} %p", "Ends with this text.", .cast = "text"),
    ROW("iendswith", FILTER_STRING, OPERAND_ENDS, "%c %{~~*} %p", "Ends with this text, in any case.",
        .cast = "text"),
    ROW("like", FILTER_STRING, OPERAND_TEXT, "%c %{~~} %p",
        "Matches this pattern: % is any text, _ any character.", .cast = "text"),
    ROW("ilike", FILTER_STRING, OPERAND_TEXT, "%c %{~~*} %p", "Matches this pattern, in any case.",
        .cast = "text"),
    ROW("nlike", FILTER_STRING, OPERAND_TEXT, "%c %{!~~} %p", "Does not match this pattern.",
        .cast = "text"),
    ROW("nilike", FILTER_STRING, OPERAND_TEXT, "%c %{!~~*} %p",
        "Does not match this pattern, in any case.", .cast = "text"),
    ROW("regex", FILTER_STRING, OPERAND_TEXT, "%c %{~} %p", "Matches this POSIX regular expression.",
        .cast = "text"),
    ROW("iregex", FILTER_STRING, OPERAND_TEXT, "%c %{~*} %p",
        "Matches this regular expression, in any case.", .cast = "text"),
    ROW("nregex", FILTER_STRING, OPERAND_TEXT, "%c %{!~} %p", "Does not match this regular expression.",
        .cast = "text"),
    ROW("niregex", FILTER_STRING, OPERAND_TEXT, "%c %{!~*} %p",
        "Does not match this regular expression, in any case.", .cast = "text"),
    ROW("matches", FILTER_FULL_TEXT, OPERAND_TEXT, "pg_catalog.to_tsvector(%c) @@ %p",
        "Matches this tsquery, such as \"cat & !dog\".", .cast = "tsquery"),
    ROW("plain_query", FILTER_FULL_TEXT, OPERAND_TEXT, "pg_catalog.to_tsvector(%c) @@ pg_catalog.plainto_tsquery(%p)",
        "Has all of these words, in any order.", .cast = "text"),
    ROW("phrase_query", FILTER_FULL_TEXT, OPERAND_TEXT, "pg_catalog.to_tsvector(%c) @@ pg_catalog.phraseto_tsquery(%p)",
        "Has these words one after the other.", .cast = "text"),
    ROW("websearch_query", FILTER_FULL_TEXT, OPERAND_TEXT, "pg_catalog.to_tsvector(%c) @@ pg_catalog.websearch_to_tsquery(%p)",
        "Matches this as a search engine would: \"\", or, -.", .cast = "text"),
    ROW("contains", FILTER_ARRAY, OPERAND_VALUE, "%c @> %p", "Has all of these values."),
    ROW("contained_by", FILTER_ARRAY, OPERAND_VALUE, "%c <@ %p", "Has no other values than these."),
    ROW("overlaps", FILTER_ARRAY, OPERAND_VALUE, "%c && %p", "Has at least one of these values."),
    ROW("any_eq", FILTER_ARRAY, OPERAND_ELEMENT, "%c @> array[%p]", "At least one of its values is this."),
    ROW("all_eq", FILTER_ARRAY, OPERAND_ELEMENT, "%c <@ array[%p]",
        "All of its values are this, or it has none."),
    ROW("len_eq", FILTER_ARRAY, OPERAND_VALUE, "pg_catalog.cardinality(%c) = %p", "Has this many values.",
        .cast = "integer", .scalar = "Int"),
    ROW("len_neq", FILTER_ARRAY, OPERAND_VALUE, "pg_catalog.cardinality(%c) <> %p",
        "Does not have this many values.", .cast = "integer", .scalar = "Int"),
    ROW("len_gt", FILTER_ARRAY, OPERAND_VALUE, "pg_catalog.cardinality(%c) > %p", "Has more values.",
        .cast = "integer", .scalar = "Int"),
    ROW("len_gte", FILTER_ARRAY, OPERAND_VALUE, "pg_catalog.cardinality(%c) >= %p",
        "Has at least this many values.", .cast = "integer", .scalar = "Int"),
    ROW("len_lt", FILTER_ARRAY, OPERAND_VALUE, "pg_catalog.cardinality(%c) < %p", "Has fewer values.",
        .cast = "integer", .scalar = "Int"),
    ROW("len_lte", FILTER_ARRAY, OPERAND_VALUE, "pg_catalog.cardinality(%c) <= %p",
        "Has at most this many values.", .cast = "integer", .scalar = "Int"),
    ROW("contains", FILTER_JSON, OPERAND_VALUE, "%c @> %p", "Has this value in it."),
    ROW("contained_by", FILTER_JSON, OPERAND_VALUE, "%c <@ %p", "Is in this value."),
    ROW("has_key", FILTER_JSON, OPERAND_TEXT, "%c ? %p",
        "Is an object with this key, or an array with this string.", .cast = "text"),
    ROW("has_any_keys", FILTER_JSON, OPERAND_LIST, "%c ?| %p", "Has one of these keys.", .cast = "text[]",
        .scalar = "String"),
    ROW("has_all_keys", FILTER_JSON, OPERAND_LIST, "%c ?& %p", "Has all of these keys.", .cast = "text[]",
        .scalar = "String"),
    ROW("path_exists", FILTER_JSON, OPERAND_TEXT, "%c @? %p", "This SQL/JSON path finds something.",
        .cast = "jsonpath"),
    ROW("path_match", FILTER_JSON, OPERAND_TEXT, "%c @@ %p", "This SQL/JSON path predicate is true.",
        .cast = "jsonpath"),
    ROW("inSubnet", ADDRESSES, OPERAND_VALUE, "%c <<= %p", "In this network, or the same.", .cast = "inet",
        .scalar = "CIDR"),
    ROW("inRange", FILTER_ADDRESS, OPERAND_PAIR, "pg_catalog.host(%c)::inet >= %p and pg_catalog.host(%c)::inet <= %q",
        "From one address to another.", .pair = &address_range),
    ROW("inRange", FILTER_NETWORK, OPERAND_PAIR, "pg_catalog.host(%c)::inet >= %p and pg_catalog.host(pg_catalog.broadcast(%c))::inet <= %q",
        "All of it from one address to another.", .pair = &address_range),
    ROW("isIPv4", ADDRESSES, OPERAND_BOOLEAN, "pg_catalog.family(%c) = 4", "Of IPv4.",
        .sql_false = "pg_catalog.family(%c) <> 4"),
    ROW("isIPv6", ADDRESSES, OPERAND_BOOLEAN, "pg_catalog.family(%c) = 6", "Of IPv6.",
        .sql_false = "pg_catalog.family(%c) <> 6"),
    ROW("isPublic", ADDRESSES, OPERAND_BOOLEAN, PUBLIC,
        "Reachable from everywhere (IANA's registries of special-purpose addresses).",
        .sql_false = "not " PUBLIC),
    ROW("isReserved", ADDRESSES, OPERAND_BOOLEAN, RESERVED, "Reserved for the future (RFC 1112).",
        .sql_false = "not " RESERVED),
    ROW("isPrivate", ADDRESSES, OPERAND_BOOLEAN, WITHIN(PRIVATE), "For private use (RFC 1918, RFC 4193).",
        .sql_false = NOT_WITHIN(PRIVATE)),
    ROW("isLoopback", ADDRESSES, OPERAND_BOOLEAN, WITHIN(LOOPBACK), "Loopback.",
        .sql_false = NOT_WITHIN(LOOPBACK)),
    ROW("isMulticast", ADDRESSES, OPERAND_BOOLEAN, WITHIN(MULTICAST), "Multicast.",
        .sql_false = NOT_WITHIN(MULTICAST)),
    ROW("isBroadcast", ADDRESSES, OPERAND_BOOLEAN, WITHIN(BROADCAST), "The limited broadcast address.",
        .sql_false = NOT_WITHIN(BROADCAST)),
    ROW("isLinkLocal", ADDRESSES, OPERAND_BOOLEAN, WITHIN(LINK_LOCAL), "Link-local (RFC 3927, RFC 4291).",
        .sql_false = NOT_WITHIN(LINK_LOCAL)),
    ROW("isDocumentation", ADDRESSES, OPERAND_BOOLEAN, WITHIN(DOCUMENTATION),
        "For documentation (RFC 5737, RFC 3849, RFC 9637).", .sql_false = NOT_WITHIN(DOCUMENTATION)),
    ROW("isCarrierGrade", ADDRESSES, OPERAND_BOOLEAN, WITHIN(CARRIER_GRADE),
        "Shared address space (RFC 6598).", .sql_false = NOT_WITHIN(CARRIER_GRADE)),
    ROW("isSiteLocal", ADDRESSES, OPERAND_BOOLEAN, WITHIN(SITE_LOCAL),
        "Site-local, which is no longer in use (RFC 3879).", .sql_false = NOT_WITHIN(SITE_LOCAL)),
    ROW("isUniqueLocal", ADDRESSES, OPERAND_BOOLEAN, WITHIN(UNIQUE_LOCAL), "Unique local (RFC 4193).",
        .sql_false = NOT_WITHIN(UNIQUE_LOCAL)),
    ROW("isGlobalUnicast", ADDRESSES, OPERAND_BOOLEAN, WITHIN(GLOBAL_UNICAST),
        "Global unicast of IPv6 (RFC 4291).", .sql_false = NOT_WITHIN(GLOBAL_UNICAST)),
    ROW("ancestor_of", FILTER_LTREE, OPERAND_VALUE, "%c %{@>} %p",
        "This path begins with it, or is the same."),
    ROW("descendant_of", FILTER_LTREE, OPERAND_VALUE, "%c %{<@} %p",
        "It begins with this path, or is the same."),
    ROW("matches_lquery", FILTER_LTREE, OPERAND_TEXT, "%c %{~} %p",
        "Matches this lquery, such as Top.*{1,2}.Stars.", .cast = "@lquery"),
    ROW("matches_ltxtquery", FILTER_LTREE, OPERAND_TEXT, "%c %{@} %p",
        "Has labels that match this ltxtquery, such as Stars & !Planets.", .cast = "@ltxtquery"),
    ROW("matches_any_lquery", FILTER_LTREE, OPERAND_LIST, "%c %{?} %p", "Matches one of these.",
        .cast = "@lquery[]", .scalar = "String"),
    ROW("depth_eq", FILTER_LTREE, OPERAND_VALUE, "%s.nlevel(%c) = %p", "This many labels.",
        .cast = "integer", .scalar = "Int"),
    ROW("depth_neq", FILTER_LTREE, OPERAND_VALUE, "%s.nlevel(%c) <> %p", "Not this many labels.",
        .cast = "integer", .scalar = "Int"),
    ROW("depth_gt", FILTER_LTREE, OPERAND_VALUE, "%s.nlevel(%c) > %p", "More labels.", .cast = "integer",
        .scalar = "Int"),
    ROW("depth_gte", FILTER_LTREE, OPERAND_VALUE, "%s.nlevel(%c) >= %p", "At least this many labels.",
        .cast = "integer", .scalar = "Int"),
    ROW("depth_lt", FILTER_LTREE, OPERAND_VALUE, "%s.nlevel(%c) < %p", "Fewer labels.", .cast = "integer",
        .scalar = "Int"),
    ROW("depth_lte", FILTER_LTREE, OPERAND_VALUE, "%s.nlevel(%c) <= %p", "At most this many labels.",
        .cast = "integer", .scalar = "Int"),
    ROW("contains_date", FILTER_DATE_RANGE, OPERAND_VALUE, "%c @> %p", "This day is in it.",
        .cast = "date", .scalar = "Date"),
    ROW("contains_value", FILTER_INT_RANGE, OPERAND_VALUE, "%c @> %p", "This value is in it.",
        .cast = "integer", .scalar = "Int"),
    ROW("contains_value", FILTER_BIGINT_RANGE, OPERAND_VALUE, "%c @> %p", "This value is in it.",
        .cast = "bigint", .scalar = "BigInt"),
    ROW("contains_value", FILTER_DECIMAL_RANGE, OPERAND_VALUE, "%c @> %p", "This value is in it.",
        .cast = "numeric", .scalar = "Decimal"),
    ROW("contains_value", FILTER_LOCAL_RANGE, OPERAND_VALUE, "%c @> %p", "This value is in it.",
        .cast = "timestamp", .scalar = "LocalDateTime"),
    ROW("contains_value", FILTER_MOMENT_RANGE, OPERAND_VALUE, "%c @> %p", "This value is in it.",
        .cast = "timestamptz", .scalar = "DateTime"),
    ROW("overlaps", FILTER_RANGE, OPERAND_VALUE, "%c && %p", "Has values in common with this range."),
    ROW("adjacent", FILTER_RANGE, OPERAND_VALUE, "%c -|- %p", "Touches this range without overlapping it."),
    ROW("strictly_left", FILTER_RANGE, OPERAND_VALUE, "%c << %p", "Ends before this range begins."),
    ROW("strictly_right", FILTER_RANGE, OPERAND_VALUE, "%c >> %p", "Begins after this range ends."),
    ROW("not_left", FILTER_RANGE, OPERAND_VALUE, "%c &> %p", "Does not extend to the left of this range."),
    ROW("not_right", FILTER_RANGE, OPERAND_VALUE, "%c &< %p",
        "Does not extend to the right of this range."),
    ROW("matches", FILTER_TSVECTOR, OPERAND_TEXT, "%c @@ %p",
        "Matches this tsquery, such as \"cat & !dog\".", .cast = "tsquery"),
    ROW("plain_query", FILTER_TSVECTOR, OPERAND_TEXT, "%c @@ pg_catalog.plainto_tsquery(%p)",
        "Has all of these words, in any order.", .cast = "text"),
    ROW("phrase_query", FILTER_TSVECTOR, OPERAND_TEXT, "%c @@ pg_catalog.phraseto_tsquery(%p)",
        "Has these words one after the other.", .cast = "text"),
    ROW("websearch_query", FILTER_TSVECTOR, OPERAND_TEXT, "%c @@ pg_catalog.websearch_to_tsquery(%p)",
        "Matches this as a search engine would: \"\", or, -.", .cast = "text"),
    ROW("cosine_distance", FILTER_VECTOR, OPERAND_PAIR, "%c %{<=>} %p <= %q", "Cosine distance.",
        .pair = &distance, .distance = STR_INIT("<=>")),
    ROW("l2_distance", FILTER_VECTOR, OPERAND_PAIR, "%c %{<->} %p <= %q", "Euclidean distance.",
        .pair = &distance, .distance = STR_INIT("<->")),
    ROW("inner_product", FILTER_VECTOR, OPERAND_PAIR, "%c %{<#>} %p <= %q",
        "Negative inner product, as pgvector has it: less is nearer.", .pair = &distance, .distance = STR_INIT("<#>")),
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
