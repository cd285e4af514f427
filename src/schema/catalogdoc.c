/*
 * catalogdoc.c - the catalog document as structures.
 *
 * Thread:   one at a time.
 * Memory:   in the arena given; text points into the document's tree.
 * Not here: what views inherit (lineage.c).
 */
#include "schema/catalogdoc.h"

enum {
    MAX_COLUMN = 1664,
};

/* Reads members of one object; what is missing or of the wrong kind is remembered. */
struct members {
    const struct jval *object;
    const char *wrong; /* the first such member */
};

static const struct jval *member(struct members *m, const char *name, bool required,
                                 enum jval_kind kind)
{
    const struct jval *v = jval_get(m->object, str_of(name));

    if (v != NULL && v->kind == kind)
        return v;
    if ((v != NULL || required) && m->wrong == NULL)
        m->wrong = name;
    return NULL;
}

static struct str text_member(struct members *m, const char *name, bool required)
{
    const struct jval *v = member(m, name, required, JVAL_STRING);

    return v ? v->text : str_make(NULL, 0);
}

static bool flag_member(struct members *m, const char *name)
{
    const struct jval *v = member(m, name, false, JVAL_BOOL);

    return v != NULL && v->boolean;
}

/* A number, or a string of one: PostgreSQL writes oids as strings. */
static bool number_of(const struct jval *v, int64_t min, int64_t max, int64_t *out)
{
    return v != NULL && (v->kind == JVAL_NUMBER || v->kind == JVAL_STRING) &&
           str_to_i64(v->text, out) && *out >= min && *out <= max;
}

static uint32_t oid_member(struct members *m, const char *name, bool required)
{
    const struct jval *v = jval_get(m->object, str_of(name));
    int64_t n;

    if (number_of(v, 1, UINT32_MAX, &n))
        return (uint32_t)n;
    if ((v != NULL || required) && m->wrong == NULL)
        m->wrong = name;
    return 0;
}

static int32_t column_number(struct members *m, const struct jval *v, const char *name)
{
    int64_t n;

    if (number_of(v, 1, MAX_COLUMN, &n))
        return (int32_t)n;
    if (m->wrong == NULL)
        m->wrong = name;
    return 0;
}

static const int32_t *columns_member(struct members *m, const char *name, size_t *n,
                                     struct arena *a)
{
    const struct jval *v = member(m, name, true, JVAL_ARRAY);
    int32_t *out;
    size_t i;

    *n = v ? v->n : 0;
    out = ARENA_ARRAY(a, *n, int32_t);
    for (i = 0; i < *n; i++)
        out[i] = column_number(m, v->items[i], name);
    if (*n == 0 && m->wrong == NULL)
        m->wrong = name;
    return out;
}

static const uint32_t *oids_member(struct members *m, const char *name, size_t *n, struct arena *a)
{
    const struct jval *v = member(m, name, false, JVAL_ARRAY);
    uint32_t *out;
    size_t i;

    *n = v ? v->n : 0;
    out = ARENA_ARRAY(a, *n, uint32_t);
    for (i = 0; i < *n; i++) {
        int64_t oid = 0;

        if (!number_of(v->items[i], 1, UINT32_MAX, &oid) && m->wrong == NULL)
            m->wrong = name;
        out[i] = (uint32_t)oid;
    }
    return out;
}

/* One byte of a "char" column. */
static char letter_member(struct members *m, const char *name)
{
    struct str s = text_member(m, name, true);

    if (s.len == 1)
        return s.data[0];
    if (m->wrong == NULL)
        m->wrong = name;
    return '\0';
}

/* NUL: there is none. */
static char optional_letter_member(struct members *m, const char *name)
{
    return jval_get(m->object, str_of(name)) != NULL ? letter_member(m, name) : '\0';
}

static bool all_read(const struct members *m, const char *what, struct str name,
                     struct errors *errs)
{
    if (m->wrong == NULL)
        return true;
    errors_add(errs, SCHEMA_INVALID, "malformed catalog document: \"%s\" of %s \"%.*s\"", m->wrong,
               what, STR_ARG(name));
    return false;
}

/* The columns of a relation, the attributes of a composite type. */
static bool read_columns(const struct jval *v, struct arena *a, const char *what, struct str name,
                         struct doc_column **out, struct errors *errs)
{
    struct doc_column *columns = ARENA_ARRAY(a, v ? v->n : 0, struct doc_column);
    size_t i;

    *out = columns;
    for (i = 0; v && i < v->n; i++) {
        struct members cm = {v->items[i], NULL};
        struct doc_column *c = &columns[i];

        c->num = column_number(&cm, jval_get(v->items[i], STR("num")), "num");
        c->name = text_member(&cm, "name", true);
        c->comment = text_member(&cm, "comment", false);
        c->type = oid_member(&cm, "type", true);
        c->not_null = flag_member(&cm, "notNull");
        c->select = flag_member(&cm, "select");
        c->insert = flag_member(&cm, "insert");
        c->update = flag_member(&cm, "update");
        c->has_default = flag_member(&cm, "default");
        c->fixed = flag_member(&cm, "fixed");
        c->identity = optional_letter_member(&cm, "identity");
        if (i > 0 && c->num <= columns[i - 1].num && cm.wrong == NULL)
            cm.wrong = "num";
        if (!all_read(&cm, what, name, errs))
            return false;
    }
    return true;
}

static bool read_keys(struct members *m, struct arena *a, struct doc_relation *out,
                      struct errors *errs)
{
    const struct jval *v = member(m, "keys", false, JVAL_ARRAY);
    size_t i;

    for (i = 0; v && i < v->n; i++) {
        struct members km = {v->items[i], NULL};
        struct doc_key k = {.primary = flag_member(&km, "primary"),
                            .deferrable = flag_member(&km, "deferrable")};

        k.columns = columns_member(&km, "columns", &k.n, a);
        if (!all_read(&km, "a key of relation", out->name, errs))
            return false;
        VEC_PUSH(a, &out->keys, k);
    }
    return true;
}

static bool read_foreign_keys(struct members *m, struct arena *a, struct doc_relation *out,
                              struct errors *errs)
{
    const struct jval *v = member(m, "foreignKeys", false, JVAL_ARRAY);
    size_t i, n;

    for (i = 0; v && i < v->n; i++) {
        struct members fm = {v->items[i], NULL};
        struct doc_foreign_key f = {.name = text_member(&fm, "name", true)};

        f.columns = columns_member(&fm, "columns", &f.n, a);
        f.to = oid_member(&fm, "to", true);
        f.to_columns = columns_member(&fm, "toColumns", &n, a);
        f.to_primary = flag_member(&fm, "toPrimary");
        f.valid = flag_member(&fm, "valid");
        f.indexed = flag_member(&fm, "indexed");
        if (n != f.n && fm.wrong == NULL)
            fm.wrong = "toColumns";
        if (!all_read(&fm, "a foreign key of relation", out->name, errs))
            return false;
        VEC_PUSH(a, &out->foreign_keys, f);
    }
    return true;
}

static bool read_brittle(struct members *m, struct arena *a, struct doc_relation *out,
                         struct errors *errs)
{
    const struct jval *v = member(m, "brittle", false, JVAL_ARRAY);
    struct doc_policy *policies = ARENA_ARRAY(a, v ? v->n : 0, struct doc_policy);

    out->brittle = policies;
    out->nbrittle = v ? v->n : 0;
    for (size_t i = 0; i < out->nbrittle; i++) {
        struct members pm = {v->items[i], NULL};

        policies[i].name = text_member(&pm, "name", true);
        policies[i].fix = text_member(&pm, "fix", true);
        if (!all_read(&pm, "a policy of relation", out->name, errs))
            return false;
    }
    return true;
}

static bool read_relation(const struct jval *v, struct arena *a, struct doc_relation *out,
                          struct errors *errs)
{
    struct members m = {v, NULL};
    const struct jval *columns = member(&m, "columns", false, JVAL_ARRAY);

    out->oid = oid_member(&m, "oid", true);
    out->exposed = flag_member(&m, "exposed");
    out->kind = letter_member(&m, "kind");
    out->schema = text_member(&m, "schema", true);
    out->name = text_member(&m, "name", true);
    out->comment = text_member(&m, "comment", false);
    out->sql = text_member(&m, "sql", false);
    out->definition = text_member(&m, "definition", false);
    out->owner = oid_member(&m, "owner", true);
    out->readable = flag_member(&m, "readable");
    out->insert = flag_member(&m, "insert");
    out->update = flag_member(&m, "update");
    out->delete = flag_member(&m, "delete");
    out->upsert = flag_member(&m, "upsert");
    out->rls = flag_member(&m, "rls");
    out->force_rls = flag_member(&m, "forceRls");
    out->invoker = flag_member(&m, "invoker");
    out->barrier = flag_member(&m, "barrier");
    out->heirs = flag_member(&m, "heirs");
    out->rule = text_member(&m, "rule", false);
    out->uses = oids_member(&m, "uses", &out->nuses, a);
    if (jval_get(v, STR("leading")) != NULL)
        out->leading = columns_member(&m, "leading", &out->nleading, a);
    if (jval_get(v, STR("second")) != NULL)
        out->second = columns_member(&m, "second", &out->nsecond, a);
    out->large = flag_member(&m, "large");
    if (memchr("rpfvm", out->kind, 5) == NULL && m.wrong == NULL)
        m.wrong = "kind";
    out->ncolumns = columns ? columns->n : 0;
    return read_columns(columns, a, "a column of relation", out->name, &out->columns, errs) &&
           read_keys(&m, a, out, errs) && read_foreign_keys(&m, a, out, errs) &&
           read_brittle(&m, a, out, errs) && all_read(&m, "relation", out->name, errs);
}

static bool read_arguments(struct members *m, struct arena *a, struct doc_function *out,
                           struct errors *errs)
{
    const struct jval *v = member(m, "arguments", false, JVAL_ARRAY);
    struct doc_argument *arguments;
    size_t i;

    out->narguments = v ? v->n : 0;
    out->arguments = arguments = ARENA_ARRAY(a, out->narguments, struct doc_argument);
    for (i = 0; i < out->narguments; i++) {
        struct members am = {v->items[i], NULL};

        arguments[i].name = text_member(&am, "name", false);
        arguments[i].mode = letter_member(&am, "mode");
        arguments[i].type = oid_member(&am, "type", true);
        if (!all_read(&am, "an argument of function", out->name, errs))
            return false;
    }
    return true;
}

static bool read_function(const struct jval *v, struct arena *a, struct doc_function *out,
                          struct errors *errs)
{
    struct members m = {v, NULL};
    const struct jval *defaults = jval_get(v, STR("defaults"));
    int64_t n = 0;

    out->oid = oid_member(&m, "oid", true);
    out->schema = text_member(&m, "schema", true);
    out->name = text_member(&m, "name", true);
    out->comment = text_member(&m, "comment", false);
    out->volatility = letter_member(&m, "volatility");
    out->procedure = flag_member(&m, "procedure");
    out->overloaded = flag_member(&m, "overloaded");
    out->returns = oid_member(&m, "returns", true);
    out->row = oid_member(&m, "row", false);
    out->set = flag_member(&m, "set");
    out->sql = text_member(&m, "sql", false);
    out->definer = flag_member(&m, "definer");
    out->search_path = flag_member(&m, "searchPath");
    if (!read_arguments(&m, a, out, errs))
        return false;
    if (defaults != NULL && !number_of(defaults, 0, (int64_t)out->narguments, &n) &&
        m.wrong == NULL)
        m.wrong = "defaults";
    out->ndefaults = (size_t)n;
    return all_read(&m, "function", out->name, errs);
}

static bool read_functions(const struct jval *v, struct arena *a, struct doc *out,
                           struct errors *errs)
{
    size_t i;

    out->nfunctions = v ? v->n : 0;
    out->functions = ARENA_ARRAY(a, out->nfunctions, struct doc_function);
    for (i = 0; i < out->nfunctions; i++)
        if (!read_function(v->items[i], a, &out->functions[i], errs))
            return false;
    return true;
}

static bool read_type(const struct jval *v, struct arena *a, struct doc_type *out,
                      struct errors *errs)
{
    struct members m = {v, NULL};
    const struct jval *attributes = member(&m, "attributes", false, JVAL_ARRAY);
    size_t i;

    out->oid = oid_member(&m, "oid", true);
    out->schema = text_member(&m, "schema", true);
    out->name = text_member(&m, "name", true);
    out->kind = letter_member(&m, "kind");
    out->sql = text_member(&m, "sql", true);
    out->comment = text_member(&m, "comment", false);
    out->element = oid_member(&m, "element", false);
    out->base = oid_member(&m, "base", false);
    out->relation = oid_member(&m, "relation", false);
    out->not_null = flag_member(&m, "notNull");
    out->has_default = flag_member(&m, "default");
    out->comparable = flag_member(&m, "comparable");
    out->leakproof = flag_member(&m, "leakproof");
    out->operators = text_member(&m, "operators", false);
    out->labels = member(&m, "labels", false, JVAL_ARRAY);
    for (i = 0; out->labels && i < out->labels->n; i++)
        if (out->labels->items[i]->kind != JVAL_STRING && m.wrong == NULL)
            m.wrong = "labels";
    out->nattributes = attributes ? attributes->n : 0;
    return read_columns(attributes, a, "an attribute of type", out->name, &out->attributes, errs) &&
           all_read(&m, "type", out->name, errs);
}

/* An array of pairs of oids. */
static const uint32_t (*pairs_member(struct members *m, const char *name, size_t *n,
                                     struct arena *a))[2]
{
    const struct jval *v = member(m, name, false, JVAL_ARRAY);
    uint32_t(*pairs)[2];
    size_t i;

    *n = v ? v->n : 0;
    pairs = arena_array(a, *n, sizeof(*pairs));
    for (i = 0; i < *n; i++) {
        const struct jval *pair = v->items[i];
        int64_t first = 0, second = 0;

        if ((pair->kind != JVAL_ARRAY || pair->n != 2 ||
             !number_of(pair->items[0], 1, UINT32_MAX, &first) ||
             !number_of(pair->items[1], 1, UINT32_MAX, &second)) &&
            m->wrong == NULL)
            m->wrong = name;
        pairs[i][0] = (uint32_t)first;
        pairs[i][1] = (uint32_t)second;
    }
    return (const uint32_t(*)[2])pairs;
}

static int compare_relations(const void *a, const void *b)
{
    const struct doc_relation *const *x = a, *const *y = b;

    return ((*x)->oid > (*y)->oid) - ((*x)->oid < (*y)->oid);
}

static int compare_types(const void *a, const void *b)
{
    const struct doc_type *const *x = a, *const *y = b;

    return ((*x)->oid > (*y)->oid) - ((*x)->oid < (*y)->oid);
}

/* Sort for look-up; false if one stands twice. */
static bool index_by_oid(struct doc *d)
{
    size_t i;

    d->relations_by_oid = ARENA_ARRAY(d->arena, d->nrelations, struct doc_relation *);
    for (i = 0; i < d->nrelations; i++)
        d->relations_by_oid[i] = &d->relations[i];
    d->types_by_oid = ARENA_ARRAY(d->arena, d->ntypes, struct doc_type *);
    for (i = 0; i < d->ntypes; i++)
        d->types_by_oid[i] = &d->types[i];
    qsort(d->relations_by_oid, d->nrelations, sizeof(*d->relations_by_oid), compare_relations);
    qsort(d->types_by_oid, d->ntypes, sizeof(*d->types_by_oid), compare_types);
    for (i = 1; i < d->nrelations; i++)
        if (d->relations_by_oid[i - 1]->oid == d->relations_by_oid[i]->oid)
            return false;
    for (i = 1; i < d->ntypes; i++)
        if (d->types_by_oid[i - 1]->oid == d->types_by_oid[i]->oid)
            return false;
    return true;
}

bool catalogdoc_read(const struct jval *json, struct arena *a, struct doc *out, struct errors *errs)
{
    struct members m = {json, NULL};
    const struct jval *relations, *functions, *types, *version;
    size_t i;

    *out = (struct doc){.arena = a};
    if (json->kind == JVAL_OBJECT && jval_get(json, STR("role")) == NULL) {
        errors_add(errs, SCHEMA_INVALID, "the role that requests run as does not exist")->hint =
            STR("check database.role and auth.role_claim.allowed");
        return false;
    }
    if (flag_member(&m, "unreachable")) {
        errors_add(errs, SCHEMA_INVALID,
                   "the login role cannot become the role that requests run as")
            ->hint = STR("grant the role to the login role");
        return false;
    }
    out->role = oid_member(&m, "role", true);
    out->bypass = oids_member(&m, "bypass", &out->nbypass, a);
    relations = member(&m, "relations", false, JVAL_ARRAY);
    functions = member(&m, "functions", false, JVAL_ARRAY);
    types = member(&m, "types", false, JVAL_ARRAY);
    out->members = pairs_member(&m, "members", &out->nmembers, a);
    out->policies = pairs_member(&m, "policies", &out->npolicies, a);
    out->role_sql = text_member(&m, "roleSql", false);
    version = jval_get(json, STR("version"));
    if (version != NULL && !number_of(version, 1, 1000, &out->version) && m.wrong == NULL)
        m.wrong = "version";
    if (!all_read(&m, "document", STR("catalog"), errs))
        return false;
    out->nrelations = relations ? relations->n : 0;
    out->relations = ARENA_ARRAY(a, out->nrelations, struct doc_relation);
    for (i = 0; i < out->nrelations; i++)
        if (!read_relation(relations->items[i], a, &out->relations[i], errs))
            return false;
    if (!read_functions(functions, a, out, errs))
        return false;
    out->ntypes = types ? types->n : 0;
    out->types = ARENA_ARRAY(a, out->ntypes, struct doc_type);
    for (i = 0; i < out->ntypes; i++)
        if (!read_type(types->items[i], a, &out->types[i], errs))
            return false;
    if (!index_by_oid(out)) {
        errors_add(errs, SCHEMA_INVALID, "malformed catalog document: an oid stands twice");
        return false;
    }
    return true;
}

const char *catalogdoc_kind(const struct doc_relation *r)
{
    switch (r->kind) {
    case 'v':
        return "view";
    case 'm':
        return "materialized view";
    case 'f':
        return "foreign table";
    default:
        return "table";
    }
}

struct doc_relation *catalogdoc_relation(const struct doc *d, uint32_t oid)
{
    size_t low = 0, high = d->nrelations;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (d->relations_by_oid[middle]->oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < d->nrelations && d->relations_by_oid[low]->oid == oid ? d->relations_by_oid[low]
                                                                       : NULL;
}

struct doc_type *catalogdoc_type(const struct doc *d, uint32_t oid)
{
    size_t low = 0, high = d->ntypes;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (d->types_by_oid[middle]->oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < d->ntypes && d->types_by_oid[low]->oid == oid ? d->types_by_oid[low] : NULL;
}

struct doc_column *catalogdoc_column(const struct doc_relation *r, int32_t num)
{
    size_t low = 0, high = r->ncolumns;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (r->columns[middle].num < num)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->ncolumns && r->columns[low].num == num ? &r->columns[low] : NULL;
}
