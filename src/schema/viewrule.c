/*
 * viewrule.c - which column of which relation a view's column is.
 *
 * Thread:   any.
 * Memory:   in the arena given; slices into the text while reading.
 * Not here: following views over views (catalog.c).
 *
 * The text (src/backend/nodes/outfuncs.c and read.c): a node is {LABEL :field value ...}, a list
 * (value ...), and tokens end at spaces and brackets unless a backslash stands before. A value may
 * begin with a colon (a column may be named so), which is why a field's first token is always taken
 * as its value.
 */
#include "schema/viewrule.h"

enum {
    MAX_COLUMNS = 1664,   /* PostgreSQL's limit for a target list */
    MAX_RANGE = 65000,    /* entries of a range table, PostgreSQL's limit is INNER_VAR */
    MAX_JOIN_DEPTH = 500, /* of joins in joins; what is deeper counts as nullable */
};

enum rte_kind {
    RTE_RELATION = 0,
    RTE_GROUP = 9, /* since 18: expressions of GROUP BY */
};

enum join_type {
    JOIN_INNER = 0,
    JOIN_LEFT = 1,
    JOIN_FULL = 2,
    JOIN_RIGHT = 3,
};

struct range_entry {
    int64_t kind;
    uint32_t relation; /* RTE_RELATION */
    struct str groups; /* RTE_GROUP: the list of its expressions */
    bool sampled;      /* TABLESAMPLE */
    bool nullable;     /* on the side of an outer join that may be missing */
    bool joined;       /* named in FROM */
};

struct query {
    struct arena *arena;
    struct range_entry *range; /* by index - 1 */
    size_t nrange;
    size_t nfrom; /* entries named in FROM */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

static bool is_bracket(char c)
{
    return c == '(' || c == ')' || c == '{' || c == '}';
}

/* As pg_strtok: false at the end of the text. */
static bool next_token(struct str text, size_t *pos, struct str *token)
{
    size_t i = *pos;
    size_t start;

    while (i < text.len && is_space(text.data[i]))
        i++;
    start = i;
    if (i < text.len && is_bracket(text.data[i])) {
        i++;
    } else {
        while (i < text.len && !is_space(text.data[i]) && !is_bracket(text.data[i]))
            i += text.data[i] == '\\' && i + 1 < text.len ? 2 : 1;
    }
    *pos = i;
    *token = str_make(text.data + start, i - start);
    return i > start;
}

/* One value: a token, or everything between a bracket and its match. False at the end, at a closing
 * bracket (left unread), or if brackets do not match. */
static bool next_value(struct str text, size_t *pos, struct str *value)
{
    size_t start, end, depth = 1, peek = *pos;
    struct str token;

    if (!next_token(text, &peek, &token) || token.data[0] == ')' || token.data[0] == '}')
        return false;
    start = (size_t)(token.data - text.data);
    end = peek;
    /* Most of the text is skipped, so this does not go token by token. */
    while (is_bracket(token.data[0]) && depth > 0) {
        if (end >= text.len)
            return false;
        switch (text.data[end]) {
        case '\\':
            end++;
            break;
        case '(':
        case '{':
            depth++;
            break;
        case ')':
        case '}':
            depth--;
            break;
        }
        end++;
    }
    if (end > text.len)
        return false;
    *pos = end;
    *value = str_make(text.data + start, end - start);
    return true;
}

/* The values of a node's fields by name; those it does not have stay empty. False if it is no node
 * with this label. */
static bool read_node(struct str node, const char *label, const char *const *names,
                      struct str *values, size_t n)
{
    size_t pos = 0, peek, i;
    struct str token, value, rest;

    for (i = 0; i < n; i++)
        values[i] = str_make(NULL, 0);
    if (!next_token(node, &pos, &token) || !str_is(token, "{") || !next_token(node, &pos, &token) ||
        !str_is(token, label))
        return false;
    while (next_token(node, &pos, &token) && !str_is(token, "}")) {
        if (token.data[0] != ':' || !next_value(node, &pos, &value))
            return false;
        /* Values of several tokens, such as "4 [ 1 0 0 0 ]", are never wanted. */
        for (;;) {
            peek = pos;
            if (!next_token(node, &peek, &rest) || rest.data[0] == ':' || rest.data[0] == '}')
                break;
            if (!next_value(node, &pos, &rest))
                return false;
        }
        for (i = 0; i < n; i++)
            if (str_is(str_sub(token, 1, token.len), names[i]))
                values[i] = value;
    }
    return true;
}

static bool is_set(struct str value)
{
    return value.len > 0 && !str_is(value, "<>");
}

static bool is_false(struct str value)
{
    return str_is(value, "false");
}

static bool read_number(struct str value, int64_t *out)
{
    return value.len > 0 && str_to_i64(value, out);
}

/* The inside of a list; empty for "<>" and anything else. */
static struct str list_body(struct str value)
{
    if (value.len < 2 || value.data[0] != '(')
        return str_make(NULL, 0);
    return str_sub(value, 1, value.len - 2);
}

static bool read_range(struct query *q, struct str list)
{
    static const char *const names[] = {"rtekind", "relid", "groupexprs", "tablesample"};
    struct {
        struct range_entry *items;
        size_t n, cap;
    } range = {0};
    struct str body = list_body(list), item, v[COUNT_OF(names)];
    size_t pos = 0;
    int64_t relation;

    while (next_value(body, &pos, &item)) {
        struct range_entry e = {.kind = -1};

        /* An entry of a label that is not known: nothing refers to it that we follow. */
        if (read_node(item, "RTE", names, v, COUNT_OF(names)) ||
            read_node(item, "RANGETBLENTRY", names, v, COUNT_OF(names))) {
            if (!read_number(v[0], &e.kind))
                return false;
            if (e.kind == RTE_RELATION) {
                if (!read_number(v[1], &relation) || relation <= 0 || relation > UINT32_MAX)
                    return false;
                e.relation = (uint32_t)relation;
            }
            e.groups = list_body(v[2]);
            e.sampled = is_set(v[3]);
        }
        if (range.n == MAX_RANGE)
            return false;
        VEC_PUSH(q->arena, &range, e);
    }
    q->range = range.items;
    q->nrange = range.n;
    return true;
}

static struct range_entry *range_entry(const struct query *q, int64_t index)
{
    return index >= 1 && (uint64_t)index <= q->nrange ? &q->range[index - 1] : NULL;
}

/* An item of FROM: a reference, or a join of two items. */
static bool read_from_item(struct query *q, struct str item, bool nullable, unsigned depth)
{
    static const char *const reference_names[] = {"rtindex"};
    static const char *const join_names[] = {"jointype", "larg", "rarg"};
    struct str v[COUNT_OF(join_names)];
    struct range_entry *e;
    int64_t n;

    if (read_node(item, "RANGETBLREF", reference_names, v, COUNT_OF(reference_names))) {
        if (!read_number(v[0], &n) || (e = range_entry(q, n)) == NULL)
            return false;
        e->joined = true;
        e->nullable = nullable;
        q->nfrom++;
        return true;
    }
    if (depth >= MAX_JOIN_DEPTH ||
        !read_node(item, "JOINEXPR", join_names, v, COUNT_OF(join_names)))
        return false;
    if (!read_number(v[0], &n))
        return false;
    return read_from_item(q, v[1], nullable || (n != JOIN_INNER && n != JOIN_LEFT), depth + 1) &&
           read_from_item(q, v[2], nullable || (n != JOIN_INNER && n != JOIN_RIGHT), depth + 1);
}

static bool read_from(struct query *q, struct str jointree, bool *has_where)
{
    static const char *const names[] = {"fromlist", "quals"};
    struct str v[COUNT_OF(names)], body, item;
    size_t pos = 0;

    if (!read_node(jointree, "FROMEXPR", names, v, COUNT_OF(names)))
        return false;
    body = list_body(v[0]);
    while (next_value(body, &pos, &item))
        if (!read_from_item(q, item, false, 0))
            return false;
    *has_where = is_set(v[1]);
    return true;
}

/* Is this expression a column of a relation in FROM? */
static bool read_variable(const struct query *q, struct str expr, bool may_group,
                          struct viewrule_column *out)
{
    static const char *const names[] = {"varno", "varattno", "varlevelsup"};
    struct str v[COUNT_OF(names)], item;
    const struct range_entry *e;
    int64_t number, column, levels;
    size_t pos = 0;

    if (!read_node(expr, "VAR", names, v, COUNT_OF(names)) || !read_number(v[0], &number) ||
        !read_number(v[1], &column) || !read_number(v[2], &levels) || levels != 0)
        return false;
    e = range_entry(q, number);
    if (e == NULL || column < 1 || column > MAX_COLUMNS)
        return false;
    if (e->kind == RTE_GROUP && may_group) {
        while (column > 0 && next_value(e->groups, &pos, &item))
            column--;
        return column == 0 && read_variable(q, item, false, out);
    }
    if (e->kind != RTE_RELATION || !e->joined)
        return false;
    *out = (struct viewrule_column){.relation = e->relation,
                                    .column = (int32_t)column,
                                    .instance = (int32_t)number,
                                    .nullable = e->nullable};
    return true;
}

static bool read_targets(const struct query *q, struct str list, bool grouping_sets,
                         struct viewrule *out)
{
    static const char *const names[] = {"expr", "resno", "resorigtbl", "resorigcol", "resjunk"};
    struct str body = list_body(list), item, v[COUNT_OF(names)];
    struct viewrule_column *columns;
    int64_t number, relation, column;
    size_t pos = 0, n = 0;

    while (next_value(body, &pos, &item))
        n++;
    columns = ARENA_ARRAY(q->arena, n, struct viewrule_column);
    out->columns = columns;
    pos = 0;
    while (next_value(body, &pos, &item)) {
        struct viewrule_column *c;

        if (!read_node(item, "TARGETENTRY", names, v, COUNT_OF(names)) ||
            !read_number(v[1], &number) || number < 1 || (uint64_t)number > n)
            return false;
        if (!is_false(v[4]))
            continue;
        c = &columns[number - 1];
        out->ncolumns = size_max(out->ncolumns, (size_t)number);
        if (!read_variable(q, v[0], true, c)) {
            /* A column of a subquery or CTE: PostgreSQL says where it comes from, but not by which
             * row, nor whether it went through an outer join there. */
            if (!read_number(v[2], &relation) || relation <= 0 || relation > UINT32_MAX ||
                !read_number(v[3], &column) || column < 1 || column > MAX_COLUMNS)
                continue;
            *c = (struct viewrule_column){.relation = (uint32_t)relation,
                                          .column = (int32_t)column,
                                          .instance = (int32_t)-number,
                                          .nullable = true};
        }
        c->nullable = c->nullable || grouping_sets;
    }
    return true;
}

bool viewrule_read(struct str action, struct arena *a, struct viewrule *out)
{
    enum {
        RTABLE,
        JOINTREE,
        TARGETS,
        GROUP,
        GROUPING_SETS,
        SET_OPERATIONS,
        TARGET_SRFS,
        AGGREGATES,
        HAVING,
        LIMIT_COUNT,
        LIMIT_OFFSET,
        DISTINCT,
        NFIELDS
    };
    static const char *const names[NFIELDS] = {
        "rtable",        "jointree", "targetList", "groupClause", "groupingSets", "setOperations",
        "hasTargetSRFs", "hasAggs",  "havingQual", "limitCount",  "limitOffset",  "distinctClause"};
    struct str v[NFIELDS], query, body = list_body(action);
    struct query q = {.arena = a};
    bool has_where = false, sampled = false;
    size_t pos = 0, i;

    *out = (struct viewrule){0};
    /* The stored text may end in a space; the list is all there is. */
    if (!next_value(action, &pos, &body))
        return false;
    body = list_body(body);
    pos = 0;
    if (!next_value(body, &pos, &query) || !read_node(query, "QUERY", names, v, NFIELDS))
        return false;
    /* Columns of a UNION and its kin come from several places. */
    if (is_set(v[SET_OPERATIONS]))
        return true;
    if (!read_range(&q, v[RTABLE]) || !read_from(&q, v[JOINTREE], &has_where) ||
        !read_targets(&q, v[TARGETS], is_set(v[GROUPING_SETS]), out)) {
        *out = (struct viewrule){0};
        return false;
    }
    if (q.nfrom != 1 || is_set(v[GROUP]) || is_set(v[GROUPING_SETS]) || !is_false(v[TARGET_SRFS]) ||
        !is_false(v[AGGREGATES]))
        return true;
    for (i = 0; i < q.nrange; i++)
        if (q.range[i].joined && q.range[i].kind == RTE_RELATION) {
            out->single = q.range[i].relation;
            sampled = q.range[i].sampled;
        }
    out->whole = out->single != 0 && !sampled && !has_where && !is_set(v[HAVING]) &&
                 !is_set(v[LIMIT_COUNT]) && !is_set(v[LIMIT_OFFSET]) && !is_set(v[DISTINCT]);
    return true;
}
