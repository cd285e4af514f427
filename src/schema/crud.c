/*
 * crud.c - mutations that insert, update, delete and upsert rows of exposed relations.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: privileges (sql/catalog.sql), the statements (planner/plan_change.c).
 *
 * Rows are changed through the relation that is exposed. A view of one table passes changes on to
 * it: what is to be known of its columns is the table's, and with security_invoker so are the
 * privileges. A relation needs a key, by which changed rows are read again.
 */
#include "schema/build.h"
#include "schema/naming.h"

#define MAX_VIEW_DEPTH 200 /* of views over views */

/* The types a relation's mutations are made with; NULL where it has none. */
struct crud_types {
    struct type *insert;
    struct type *update;
    struct type *on_conflict;
    struct type *payload;
};

/* --- what the role may change ----------------------------------------------------------------- */

/* Does the view pass changes on to the relation it is of, without a trigger? */
static bool passes_on(const struct doc_relation *r)
{
    return r->kind == 'v' && r->upsert;
}

/* May the role give a column a value, in an insert or an update? */
static bool may_write(const struct doc_relation *r, const struct doc_column *c, bool insert)
{
    bool own_rights = true; /* the role's count, and not those of a view's owner */
    unsigned depth;

    for (depth = 0; c != NULL && depth < MAX_VIEW_DEPTH; depth++) {
        bool all = insert ? r->insert : r->update;
        bool some = insert ? c->insert : c->update;

        if (c->fixed || c->identity == 'a' || (own_rights && !all && !some))
            return false;
        if (!passes_on(r) || c->source == NULL)
            return true;
        own_rights = own_rights && r->invoker;
        r = c->source;
        c = catalogdoc_column(r, c->source_num);
    }
    return false;
}

static bool may_delete(const struct doc_relation *r)
{
    unsigned depth;

    for (depth = 0; r != NULL && depth < MAX_VIEW_DEPTH; depth++) {
        if (!r->delete)
            return false;
        if (!passes_on(r) || !r->invoker)
            return true;
        r = r->single;
    }
    return false;
}

static bool type_has_default(const struct builder *b, uint32_t oid)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, oid);
    unsigned depth;

    for (depth = 0; t != NULL && depth < MAX_VIEW_DEPTH; depth++) {
        if (t->has_default)
            return true;
        t = t->base != 0 ? catalogdoc_type(&b->doc, t->base) : NULL;
    }
    return false;
}

/* Does something else give it a value when an insert does not? A trigger of a view may. */
static bool has_default(const struct builder *b, const struct doc_relation *r,
                        const struct doc_column *c)
{
    unsigned depth;

    for (depth = 0; c != NULL && depth < MAX_VIEW_DEPTH; depth++) {
        if (c->has_default || c->identity != '\0' || type_has_default(b, c->type))
            return true;
        if (r->kind != 'v')
            return false;
        if (!passes_on(r) || c->source == NULL)
            return true;
        r = c->source;
        c = catalogdoc_column(r, c->source_num);
    }
    return true;
}

static void set_columns(struct builder *b, const struct doc_relation *d, struct relation *r)
{
    size_t i;

    for (i = 0; i < d->ncolumns; i++) {
        struct column *c = d->made_columns[i];
        bool given;

        if (c == NULL)
            continue;
        given = has_default(b, d, &d->columns[i]);
        c->insertable = may_write(d, &d->columns[i], true);
        c->updatable = may_write(d, &d->columns[i], false);
        c->is_tenant = c == r->tenant_column && !given && b->opt->tenant_setting.len > 0;
        c->needed = c->not_null && !given && !c->is_tenant;
    }
}

static bool has_plain_key(const struct relation *r)
{
    const struct key *k = relation_key(r);
    size_t i;

    for (i = 0; k != NULL && i < k->n; i++)
        if (k->columns[i]->is_array)
            return false;
    return k != NULL;
}

static bool has_arbiter(const struct relation *r)
{
    size_t i;

    for (i = 0; i < r->nkeys; i++)
        if (r->keys[i].arbiter)
            return true;
    return false;
}

static unsigned allowed_changes(const struct doc_relation *d, const struct relation *r)
{
    bool insert = false, update = false, lacking = false;
    unsigned changes;
    size_t i;

    for (i = 0; i < r->nall_columns; i++) {
        bool hidden = i >= r->ncolumns;

        insert = insert || (!hidden && r->columns[i].insertable);
        update = update || (!hidden && r->columns[i].updatable);
        lacking = lacking || (r->columns[i].needed && (hidden || !r->columns[i].insertable));
    }
    insert = insert && !lacking;
    changes = (insert ? CHANGE_INSERT : 0u) | (update ? CHANGE_UPDATE : 0u);
    if (may_delete(d))
        changes |= CHANGE_DELETE;
    if (insert && update && d->upsert && has_arbiter(r))
        changes |= CHANGE_UPSERT;
    return changes;
}

/*
 * Why a relation is left alone that the role could change; empty: nothing speaks against it.
 * Where row security does not hold the role, one tenant could change rows of another.
 */
static struct str danger(const struct builder *b, const struct relation *r)
{
    if (r->tenant_value.len > 0 || (b->opt->tenancy && r->tenant_column != NULL && !r->rls))
        return STR("row security does not keep tenants apart in it");
    return STR("");
}

static void set_changes(struct builder *b)
{
    struct unchangeable *left = ARENA_ARRAY(b->arena, b->nrelations, struct unchangeable);
    size_t i, n = 0;

    for (i = 0; i < b->nrelations; i++) {
        struct relation *r = &b->relations[i];
        struct str reason;

        if (!has_plain_key(r) || r->kind == RELATION_MATVIEW)
            continue;
        set_columns(b, b->sources[i], r);
        r->changes = allowed_changes(b->sources[i], r);
        reason = r->changes != 0 ? danger(b, r) : STR("");
        if (reason.len == 0)
            continue;
        r->changes = 0;
        left[n].name = arena_printf(b->arena, "%.*s.%.*s", STR_ARG(r->schema), STR_ARG(r->name));
        left[n++].reason = reason;
    }
    b->schema->unchangeable = left;
    b->schema->nunchangeable = n;
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool all_insertable(const struct column *const *columns, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!columns[i]->insertable)
            return false;
    return true;
}

/* Can rows be inserted together with those they belong to, whichever side refers to the other? */
static bool can_nest(const struct relationship *w)
{
    if (!(w->from->changes & w->to->changes & CHANGE_INSERT))
        return false;
    switch (w->foreign_key) {
    case KEY_NONE:
        break;
    case KEY_HERE:
        return all_insertable(w->from_columns, w->n);
    case KEY_THERE:
        return all_insertable(w->to_columns, w->n);
    }
    return false;
}

/* Can a row inserted with it give the column its value? */
static bool is_given_by_relation(const struct relation *r, const struct column *c)
{
    size_t i, j;

    for (i = 0; i < r->nrelationships; i++) {
        const struct relationship *w = &r->relationships[i];

        for (j = 0; w->foreign_key == KEY_HERE && j < w->n; j++)
            if (w->from_columns[j] == c && can_nest(w))
                return true;
    }
    return false;
}

static void add_value(struct builder *b, const struct column *c, bool required, struct inputs *out)
{
    struct input_value v = {.name = c->field_name, .role = INPUT_VALUE, .column = c};

    v.description = c->comment;
    if (!required)
        v.deprecated = c->deprecated;
    v.type = values_input(b, c);
    if (required)
        v.type.non_null |= 1u;
    VEC_PUSH(b->scratch, out, v);
}

static void add_nested(struct builder *b, const struct crud_types *types,
                       const struct relationship *w, struct inputs *out)
{
    struct input_value v = {.name = w->field_name, .role = INPUT_VALUE_RELATION};
    const struct type *t = types[builder_index(b, w->to)].insert;

    v.relationship = w;
    v.description =
        w->to_many ? STR("Rows to insert with this one.") : STR("A row to insert with this one.");
    v.type = w->to_many ? type_ref_list(t) : type_ref_named(t);
    VEC_PUSH(b->scratch, out, v);
}

static void fill_insert(struct builder *b, const struct crud_types *types, const struct relation *r,
                        struct type *t)
{
    struct inputs inputs = {0};
    size_t i;

    for (i = 0; i < r->ncolumns; i++)
        if (r->columns[i].insertable)
            add_value(b, &r->columns[i],
                      r->columns[i].needed && !is_given_by_relation(r, &r->columns[i]), &inputs);
    for (i = 0; i < r->nrelationships; i++)
        if (can_nest(&r->relationships[i]))
            add_nested(b, types, &r->relationships[i], &inputs);
    builder_set_inputs(b, t, &inputs);
    builder_release_inputs(b, &inputs);
}

static void fill_update(struct builder *b, const struct relation *r, struct type *t)
{
    struct inputs inputs = {0};
    size_t i;

    for (i = 0; i < r->ncolumns; i++)
        if (r->columns[i].updatable)
            add_value(b, &r->columns[i], false, &inputs);
    builder_set_inputs(b, t, &inputs);
    builder_release_inputs(b, &inputs);
}

/* --- types ------------------------------------------------------------------------------------ */

static struct type *derived_type(struct builder *b, const struct relation *r, enum type_kind kind,
                                 const char *suffix, const char *description)
{
    struct type *t = builder_add_type(
        b, kind, arena_printf(b->arena, "%.*s%s", STR_ARG(r->type_name), suffix),
        arena_printf(b->scratch, "the changes of type \"%.*s\"", STR_ARG(r->type_name)));

    t->relation = kind == TYPE_INPUT_OBJECT ? r : NULL;
    t->description = str_of(description);
    return t;
}

/* id, tenantId_email */
static struct str key_name(struct builder *b, const struct key *k)
{
    struct str name = k->columns[0]->field_name;
    size_t i;

    for (i = 1; i < k->n; i++)
        name =
            arena_printf(b->arena, "%.*s_%.*s", STR_ARG(name), STR_ARG(k->columns[i]->field_name));
    return name;
}

static void add_enum_value(struct builder *b, struct enum_value *values, size_t *n, struct str name,
                           size_t value)
{
    size_t i;

    if (str_is(name, "true") || str_is(name, "false") || str_is(name, "null"))
        name = arena_printf(b->arena, "%.*s_", STR_ARG(name));
    for (i = 0; i < *n; i++)
        if (str_eq(values[i].name, name))
            return;
    values[*n] = (struct enum_value){.name = name, .label = name, .value = (int)value};
    (*n)++;
}

static const struct type *key_type(struct builder *b, const struct relation *r)
{
    struct enum_value *values = ARENA_ARRAY(b->scratch, r->nkeys, struct enum_value);
    struct type *t =
        derived_type(b, r, TYPE_ENUM, "Key", "Fields that no two rows have the same values of.");
    size_t i, n = 0;

    for (i = 0; i < r->nkeys; i++)
        if (r->keys[i].arbiter)
            add_enum_value(b, values, &n, key_name(b, &r->keys[i]), i);
    builder_set_values(b, t, values, n);
    return t;
}

static const struct type *update_column_type(struct builder *b, const struct relation *r)
{
    struct enum_value *values = ARENA_ARRAY(b->scratch, r->ncolumns, struct enum_value);
    struct type *t = derived_type(b, r, TYPE_ENUM, "UpdateField", "Fields that can be updated.");
    size_t i, n = 0;

    for (i = 0; i < r->ncolumns; i++)
        if (r->columns[i].updatable)
            add_enum_value(b, values, &n, r->columns[i].field_name, i);
    builder_set_values(b, t, values, n);
    return t;
}

static void fill_on_conflict(struct builder *b, const struct relation *r, struct type *t)
{
    struct inputs inputs = {0};

    VEC_PUSH(b->scratch, &inputs,
             (struct input_value){
                 .name = STR("key"),
                 .description = STR("Which fields decide whether a row is there already; the first "
                                    "key if absent."),
                 .type = type_ref_named(key_type(b, r)),
                 .role = INPUT_CONFLICT_KEY});
    VEC_PUSH(b->scratch, &inputs,
             (struct input_value){
                 .name = STR("update"),
                 .description = STR("What to set in a row that is there; all that the input gives "
                                    "if absent; [] leaves it as it is."),
                 .type = type_ref_list(update_column_type(b, r)),
                 .role = INPUT_CONFLICT_UPDATE});
    builder_set_inputs(b, t, &inputs);
}

static void fill_payload(struct builder *b, const struct relation *r, struct type *t)
{
    struct fields fields = {0};

    VEC_PUSH(b->scratch, &fields,
             (struct field){.name = STR("affectedCount"),
                            .description = STR("How many rows were changed."),
                            .type = type_ref_required(builder_scalar(b, "Int")),
                            .resolver = RESOLVE_AFFECTED});
    VEC_PUSH(b->scratch, &fields,
             (struct field){.name = STR("returning"),
                            .description = STR("The rows: as they are after the change, or were "
                                               "before they were deleted."),
                            .type = type_ref_required_list(r->type),
                            .resolver = RESOLVE_RETURNING,
                            .relation = r});
    builder_set_fields(b, t, &fields);
}

static void make_types(struct builder *b, const struct relation *r, struct crud_types *out)
{
    if (r->changes == 0)
        return;
    if (r->changes & CHANGE_INSERT) {
        out->insert =
            derived_type(b, r, TYPE_INPUT_OBJECT, "InsertInput",
                         "A row to insert. What is absent gets its default, what is null is null.");
        out->insert->is_row = true;
    }
    if (r->changes & CHANGE_UPDATE) {
        out->update = derived_type(b, r, TYPE_INPUT_OBJECT, "UpdateInput",
                                   "What to set in a row. What is absent stays as it is.");
        out->update->is_row = true;
    }
    if (r->changes & CHANGE_UPSERT)
        out->on_conflict = derived_type(b, r, TYPE_INPUT_OBJECT, "OnConflictInput",
                                        "What to do where a row is there already.");
    out->payload = derived_type(b, r, TYPE_OBJECT, "MutationPayload", "What was changed.");
    fill_payload(b, r, out->payload);
}

/* --- mutations -------------------------------------------------------------------------------- */

static const struct verb {
    enum change change;
    const char *name;
    const char *one;
    const char *many;
} verbs[] = {
    {CHANGE_INSERT, "insert", "Insert a row.",                                        "Insert rows: all of them or none."},
    {CHANGE_UPDATE, "update", "Change the row with this key; null if there is none.",
     "Change the rows that fulfil the conditions."                                                                       },
    {CHANGE_UPSERT, "upsert", "Insert a row, or change the one that is there.",
     "Insert rows, or change those that are there."                                                                      },
    {CHANGE_DELETE, "delete", "Delete the row with this key; null if there is none.",
     "Delete the rows that fulfil the conditions."                                                                       },
};

/*
 * Arguments of a relation's mutations. Some are the beginning of others', which
 * saves a third of them: those of an insert of an upsert's, those of a delete of an
 * update's.
 */
struct arguments {
    struct input_value *one;   /* input, onConflict */
    struct input_value *many;  /* input, atMost, onConflict */
    struct input_value *key;   /* the key's columns, input */
    struct input_value *where; /* where, atMost, input */
};

static void set_argument(struct input_value *v, const char *name, enum input_role role,
                         struct type_ref type, const char *description)
{
    *v = (struct input_value){.name = str_of(name), .role = role, .type = type};
    if (description != NULL)
        v->description = str_of(description);
}

static void set_key_arguments(const struct relation *r, struct input_value *out)
{
    const struct key *k = relation_key(r);
    size_t i;

    for (i = 0; i < k->n; i++)
        out[i] = (struct input_value){.name = k->columns[i]->field_name,
                                      .role = INPUT_KEY,
                                      .column = k->columns[i],
                                      .type = type_ref_required(k->columns[i]->type)};
}

static void make_arguments(struct builder *b, const struct relation *r, const struct crud_types *t,
                           struct arguments *out)
{
    static const char at_most[] = "Change nothing if it would be more rows than this.";
    struct type_ref count = type_ref_named(builder_scalar(b, "Int"));
    size_t nkey = relation_key(r)->n;

    if (t->insert != NULL) {
        out->one = ARENA_ARRAY(b->arena, t->on_conflict != NULL ? 2 : 1, struct input_value);
        out->many = ARENA_ARRAY(b->arena, t->on_conflict != NULL ? 3 : 2, struct input_value);
        set_argument(&out->one[0], "input", INPUT_ROWS, type_ref_required(t->insert), NULL);
        set_argument(&out->many[0], "input", INPUT_ROWS, type_ref_required_list(t->insert), NULL);
        set_argument(&out->many[1], "atMost", INPUT_AT_MOST, count, at_most);
    }
    if (t->on_conflict != NULL) {
        set_argument(&out->one[1], "onConflict", INPUT_ON_CONFLICT, type_ref_named(t->on_conflict),
                     NULL);
        out->many[2] = out->one[1];
    }
    if (!(r->changes & (CHANGE_UPDATE | CHANGE_DELETE)))
        return;
    out->key = ARENA_ARRAY(b->arena, nkey + (t->update != NULL), struct input_value);
    out->where = ARENA_ARRAY(b->arena, t->update != NULL ? 3 : 2, struct input_value);
    set_key_arguments(r, out->key);
    set_argument(&out->where[0], "where", INPUT_WHERE,
                 type_ref_required(b->built[builder_index(b, r)].where),
                 "Which rows. At least one condition, and none that is null or absent.");
    set_argument(&out->where[1], "atMost", INPUT_AT_MOST, count, at_most);
    if (t->update == NULL)
        return;
    set_argument(&out->key[nkey], "input", INPUT_ROWS, type_ref_required(t->update), NULL);
    out->where[2] = out->key[nkey];
}

static void set_arguments(const struct arguments *args, const struct relation *r,
                          enum change change, bool one, struct field *f)
{
    size_t nkey = relation_key(r)->n;

    switch (change) {
    case CHANGE_INSERT:
    case CHANGE_UPSERT:
        f->arguments = one ? args->one : args->many;
        f->narguments = (one ? 1 : 2) + (change == CHANGE_UPSERT);
        break;
    case CHANGE_UPDATE:
    case CHANGE_DELETE:
        f->arguments = one ? args->key : args->where;
        f->narguments = (one ? nkey : 2) + (change == CHANGE_UPDATE);
        break;
    }
}

static struct str plural_of(struct builder *b, const struct relation *r)
{
    struct str plural = naming_upper_first(
        naming_plural(naming_lower_first(r->type_name, b->scratch), b->scratch), b->scratch);

    /* A word without a plural of its own: news. */
    if (str_eq(plural, r->type_name))
        return arena_printf(b->scratch, "%.*sList", STR_ARG(r->type_name));
    return plural;
}

static void add_mutation(struct builder *b, const struct relation *r, const struct crud_types *t,
                         const struct arguments *args, const struct verb *verb, bool one,
                         struct fields *root)
{
    struct field f = {.resolver = RESOLVE_CHANGE, .relation = r, .change = verb->change};

    f.name =
        arena_printf(b->arena, "%s%.*s", verb->name, STR_ARG(one ? r->type_name : plural_of(b, r)));
    f.description = str_of(one ? verb->one : verb->many);
    f.deprecated = r->deprecated;
    f.type = one ? type_ref_named(r->type) : type_ref_required(t->payload);
    f.key = one ? relation_key(r) : NULL;
    set_arguments(args, r, verb->change, one, &f);
    VEC_PUSH(b->scratch, root, f);
}

static void add_mutations(struct builder *b, const struct relation *r, const struct crud_types *t,
                          const struct map *taken, struct fields *root)
{
    struct arguments args = {0};
    size_t i, kept, first = root->n;

    make_arguments(b, r, t, &args);
    for (i = 0; i < COUNT_OF(verbs); i++) {
        if (!(r->changes & verbs[i].change))
            continue;
        add_mutation(b, r, t, &args, &verbs[i], true, root);
        add_mutation(b, r, t, &args, &verbs[i], false, root);
    }
    /* A function of the name is there for a purpose. Two relations are told of with the root. */
    for (i = kept = first; i < root->n; i++)
        if (map_get(taken, root->items[i].name) == NULL)
            root->items[kept++] = root->items[i];
    root->n = kept;
}

void crud_build(struct builder *b, struct fields *root)
{
    struct crud_types *types;
    struct map taken;
    size_t i;

    if (!b->opt->crud)
        return;
    set_changes(b);
    types = ARENA_ARRAY(b->scratch, b->nrelations, struct crud_types);
    for (i = 0; i < b->nrelations; i++)
        make_types(b, &b->relations[i], &types[i]);
    for (i = 0; i < b->nrelations; i++) {
        if (types[i].insert != NULL)
            fill_insert(b, types, &b->relations[i], types[i].insert);
        if (types[i].update != NULL)
            fill_update(b, &b->relations[i], types[i].update);
        if (types[i].on_conflict != NULL)
            fill_on_conflict(b, &b->relations[i], types[i].on_conflict);
    }
    map_init(&taken, b->scratch);
    for (i = 0; i < root->n; i++)
        map_add(&taken, root->items[i].name, b);
    for (i = 0; i < b->nrelations; i++)
        if (b->relations[i].changes != 0)
            add_mutations(b, &b->relations[i], &types[i], &taken, root);
}
