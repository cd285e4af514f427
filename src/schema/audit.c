/*
 * audit.c - where row security does not keep tenants apart.
 *
 * Thread:   one at a time.
 * Memory:   findings are in the schema's arena, the search in the scratch one.
 * Not here: advice (advice.c), facts (sql/catalog.sql), what is done about findings
 * (jobs/schema_watch.c).
 *
 * Every relation that requests read is looked at as the user it is read as: the role of requests,
 * or the owner of the view on the way. Row security holds a user that neither bypasses it nor has
 * the rights of the table's owner (unless it is forced). Relations that the daemon guards itself
 * (tenancy.h) are not looked at, nor what is below them: whatever their rows are, requests get
 * those of their tenant. A view on the way has to keep back by itself what its owner can see: that
 * it does is declared in its comment, and believed if it is a security barrier.
 */
#include "schema/audit_search.h"

#include "schema/tenancy.h"

static const char *const code_names[] = {
    [FINDING_ROLE_BYPASSES] = "role_bypasses", [FINDING_ROLE_OWNS] = "role_owns",
    [FINDING_NOT_ENABLED] = "not_enabled",     [FINDING_NO_POLICY] = "no_policy",
    [FINDING_VIEW_OF_OWNER] = "view_of_owner", [FINDING_MATVIEW] = "materialized_view",
    [FINDING_FOREIGN_TABLE] = "foreign_table", [FINDING_SEARCH_PATH] = "search_path",
    [FINDING_NO_INDEX] = "no_index",           [FINDING_NOT_LEAKPROOF] = "not_leakproof",
    [FINDING_FAILS_UNSET] = "fails_unset",
};

const char *finding_code_name(enum finding_code code)
{
    return code_names[code];
}

bool finding_is_advice(enum finding_code code)
{
    return code == FINDING_NO_INDEX || code == FINDING_NOT_LEAKPROOF || code == FINDING_FAILS_UNSET;
}

size_t findings_of_isolation(const struct finding *findings, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += !finding_is_advice(findings[i].code);
    return count;
}

/* --- findings --------------------------------------------------------------------------------- */

void search_add(struct search *s, enum finding_code code, struct str object, const char *problem,
                struct buf *fix)
{
    struct str key = arena_printf(s->b->scratch, "%d %.*s", (int)code, STR_ARG(object));
    struct finding f = {.code = code};

    if (map_add(&s->known, key, s)) {
        f.object = arena_dup(s->b->arena, object);
        f.problem = arena_dup(s->b->arena, str_of(problem));
        f.fix = arena_dup(s->b->arena, str_trim(buf_str(fix)));
        VEC_PUSH(s->b->scratch, &s->findings, f);
    }
    buf_fini(fix);
}

struct str search_describe(struct search *s, const struct doc_relation *r)
{
    const char *kind = r->kind == 'v'   ? "view"
                       : r->kind == 'm' ? "materialized view"
                       : r->kind == 'f' ? "foreign table"
                                        : "table";

    return arena_printf(s->b->scratch, "%s \"%.*s.%.*s\"", kind, STR_ARG(r->schema),
                        STR_ARG(r->name));
}

/* --- fixes ------------------------------------------------------------------------------------ */

void search_append_quoted(struct buf *out, struct str text, char quote)
{
    buf_append_char(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == quote)
            buf_append_char(out, quote);
        buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, quote);
}

static const struct doc_column *tenant_column(const struct search *s, const struct doc_relation *r)
{
    return s->b->opt->tenant_setting.len > 0 ? tenancy_column(s->b, r) : NULL;
}

/* With nullif, since a setting of an earlier transaction reads as ''; with a subselect, to be read
 * once. */
static void append_condition(const struct search *s, const struct doc_column *c, struct buf *out)
{
    const struct doc_type *t = catalogdoc_type(s->doc, c->type);

    search_append_quoted(out, c->name, '"');
    buf_append_lit(out, " = (select nullif(pg_catalog.current_setting(");
    search_append_quoted(out, s->b->opt->tenant_setting, '\'');
    buf_append_lit(out, ", true), '')");
    if (t != NULL)
        buf_printf(out, "::%.*s", STR_ARG(t->sql));
    buf_append_char(out, ')');
}

/* What is in a comment has to stay there, whatever names there are. */
static void append_line(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_append_char(out, text.data[i] == '\n' || text.data[i] == '\r' ? ' ' : text.data[i]);
    buf_append_char(out, '\n');
}

static void append_policy(const struct search *s, const struct doc_relation *r, struct buf *out)
{
    const struct doc_column *c = tenant_column(s, r);

    if (c == NULL) {
        buf_append_lit(out, "-- It has no tenant's column. If all tenants share its rows:\n-- ");
        append_line(out, arena_printf(s->b->scratch,
                                      "create policy shared_rows on %.*s for select to %.*s "
                                      "using (true);",
                                      STR_ARG(r->sql), STR_ARG(s->doc->role_sql)));
        return;
    }
    buf_printf(out, "create policy tenant_isolation on %.*s to %.*s using (", STR_ARG(r->sql),
               STR_ARG(s->doc->role_sql));
    append_condition(s, c, out);
    buf_append_lit(out, ");\n");
}

static void append_declaration(const struct doc_relation *r, const struct doc_column *c,
                               struct buf *out)
{
    struct buf comment = {0};

    if (r->comment.len > 0)
        buf_printf(&comment, "%.*s\n", STR_ARG(r->comment));
    buf_printf(&comment, "@fraiseql:type\ntenant_column: %.*s", STR_ARG(c->name));
    buf_printf(out, "comment on view %.*s is ", STR_ARG(r->sql));
    search_append_quoted(out, buf_str(&comment), '\'');
    buf_append_lit(out, ";\n");
    buf_fini(&comment);
}

/* A view that is not exposed is not guarded: it gets the condition built in. */
static void append_barrier(const struct search *s, const struct doc_relation *r,
                           const struct doc_column *c, struct buf *out)
{
    buf_printf(out, "create or replace view %.*s with (security_barrier = true) as\n",
               STR_ARG(r->sql));
    buf_printf(out, "select * from (%.*s) s where s.", STR_ARG(r->definition));
    append_condition(s, c, out);
    buf_append_lit(out, ";\n");
    append_declaration(r, c, out);
}

/* What policies cannot guard the daemon does, if it is told of the tenant's column, and may read
 * it. */
static void append_guard(const struct search *s, const struct doc_relation *r, struct buf *out)
{
    const struct doc_column *c = tenant_column(s, r);

    if (c == NULL || (r->kind != 'v' && !r->exposed)) {
        buf_printf(out, "revoke select on %.*s from %.*s;\n", STR_ARG(r->sql),
                   STR_ARG(s->doc->role_sql));
        return;
    }
    if (!r->exposed) {
        append_barrier(s, r, c, out);
        return;
    }
    if (!c->select) {
        buf_append_lit(out, "grant select (");
        search_append_quoted(out, c->name, '"');
        buf_printf(out, ") on %.*s to %.*s;\n", STR_ARG(r->sql), STR_ARG(s->doc->role_sql));
    }
    if (r->kind == 'v')
        append_declaration(r, c, out);
}

/* --- relations -------------------------------------------------------------------------------- */

static bool has_policy(const struct doc *d, uint32_t relation, uint32_t user)
{
    for (size_t i = 0; i < d->npolicies; i++)
        if (d->policies[i][0] == relation && d->policies[i][1] == user)
            return true;
    return false;
}

/* Can row security hold the user back, were it enabled? */
static bool holds(const struct doc *d, const struct doc_relation *r, uint32_t user)
{
    return !lineage_bypasses(d, user) &&
           (r->force_rls || !lineage_has_rights_of(d, user, r->owner));
}

/* Does the view say that it has the tenant's condition, and in a way that holds? */
static bool keeps_tenants_apart(const struct search *s, const struct doc_relation *r)
{
    return r->barrier && tenancy_declared(r) && tenancy_column(s->b, r) != NULL;
}

/* A view that reads something as its owner that the owner is not kept from. */
static void found_view(struct search *s, const struct doc_relation *view, bool guardable)
{
    bool invoker = guardable && (s->doc->version == 0 || s->doc->version >= 15);
    struct buf fix = {0};

    if (invoker) {
        buf_printf(&fix, "alter view %.*s set (security_invoker = true);\n", STR_ARG(view->sql));
        for (size_t i = 0; i < view->nuses; i++) {
            const struct doc_relation *used = catalogdoc_relation(s->doc, view->uses[i]);

            if (used != NULL && !used->readable)
                buf_printf(&fix, "grant select on %.*s to %.*s;\n", STR_ARG(used->sql),
                           STR_ARG(s->doc->role_sql));
        }
    } else {
        append_guard(s, view, &fix);
    }
    search_add(s, FINDING_VIEW_OF_OWNER, search_describe(s, view),
               guardable
                   ? "reads past row security, with the rights of its owner"
                   : "shows rows that row security cannot guard, with the rights of its owner",
               &fix);
}

static void look_at_table(struct search *s, const struct visit *v)
{
    const struct doc_relation *r = v->relation;
    struct buf fix = {0};

    if (!holds(s->doc, r, v->user)) {
        if (v->view != NULL) {
            found_view(s, v->view, true);
        } else if (!lineage_bypasses(s->doc, v->user)) {
            buf_printf(&fix, "alter table %.*s force row level security;\n", STR_ARG(r->sql));
            search_add(
                s, FINDING_ROLE_OWNS, search_describe(s, r),
                "the role of requests has the rights of its owner, whom row security does not hold",
                &fix);
        }
    }
    fix = (struct buf){0};
    if (!r->rls) {
        buf_printf(&fix, "alter table %.*s enable row level security;\n", STR_ARG(r->sql));
        append_policy(s, r, &fix);
        search_add(s, FINDING_NOT_ENABLED, search_describe(s, r), "row security is not enabled",
                   &fix);
    } else if (v->view == NULL && !lineage_bypasses(s->doc, v->user) &&
               !has_policy(s->doc, r->oid, v->user)) {
        append_policy(s, r, &fix);
        search_add(s, FINDING_NO_POLICY, search_describe(s, r),
                   "no policy lets the role of requests see any row", &fix);
    }
}

static void look_at_unguardable(struct search *s, const struct visit *v)
{
    const struct doc_relation *r = v->relation;
    bool matview = r->kind == 'm';
    struct buf fix = {0};

    if (v->view != NULL) {
        found_view(s, v->view, false);
        return;
    }
    append_guard(s, r, &fix);
    search_add(s, matview ? FINDING_MATVIEW : FINDING_FOREIGN_TABLE, search_describe(s, r),
               matview ? "row security is not for materialized views"
                       : "row security is not for foreign tables",
               &fix);
}

static void visit(struct search *s, const struct doc_relation *r, uint32_t user,
                  const struct doc_relation *view)
{
    struct str key =
        arena_printf(s->b->scratch, "visit %u %u %u", r->oid, user, view ? view->oid : 0);

    if (map_add(&s->known, key, s))
        VEC_PUSH(s->b->scratch, &s->visits, (struct visit){r, user, view});
}

static void look_at_view(struct search *s, const struct visit *v)
{
    const struct doc_relation *r = v->relation;

    if (!r->invoker && keeps_tenants_apart(s, r))
        return;
    for (size_t i = 0; i < r->nuses; i++) {
        const struct doc_relation *used = catalogdoc_relation(s->doc, r->uses[i]);

        if (used != NULL)
            visit(s, used, r->invoker ? v->user : r->owner, r->invoker ? v->view : r);
    }
}

static void look_at_relations(struct search *s)
{
    for (size_t i = 0; i < s->doc->nrelations; i++)
        if (s->doc->relations[i].exposed && !tenancy_guards(s->b, &s->doc->relations[i]))
            visit(s, &s->doc->relations[i], s->doc->role, NULL);
    for (size_t i = 0; i < s->visits.n; i++) {
        struct visit v = s->visits.items[i];

        if (v.relation->kind == 'v')
            look_at_view(s, &v);
        else if (v.relation->kind == 'm' || v.relation->kind == 'f')
            look_at_unguardable(s, &v);
        else
            look_at_table(s, &v);
    }
}

/* --- role and functions ----------------------------------------------------------------------- */

static void look_at_role(struct search *s)
{
    struct buf fix = {0};

    if (!lineage_bypasses(s->doc, s->doc->role))
        return;
    buf_printf(&fix, "alter role %.*s nosuperuser nobypassrls;\n", STR_ARG(s->doc->role_sql));
    search_add(s, FINDING_ROLE_BYPASSES,
               arena_printf(s->b->scratch, "role %.*s", STR_ARG(s->doc->role_sql)),
               "the role of requests bypasses row security: it is superuser or has bypassrls",
               &fix);
}

/* Whoever may create objects in a schema of the caller's search_path has his own run as the owner.
 */
static void look_at_functions(struct search *s)
{
    for (size_t i = 0; i < s->doc->nfunctions; i++) {
        const struct doc_function *f = &s->doc->functions[i];
        struct buf fix = {0};

        if (!f->definer || f->search_path || !f->served)
            continue;
        buf_printf(&fix, "alter function %.*s set search_path = ", STR_ARG(f->sql));
        search_append_quoted(&fix, f->schema, '"');
        buf_append_lit(&fix, ", pg_temp;\n");
        search_add(s, FINDING_SEARCH_PATH,
                   arena_printf(s->b->scratch, "function %.*s", STR_ARG(f->sql)),
                   "security definer without a search_path of its own", &fix);
    }
}

void audit_run(struct builder *b)
{
    struct search s = {.b = b, .doc = &b->doc};
    struct finding *findings;

    map_init(&s.known, b->scratch);
    look_at_role(&s);
    look_at_relations(&s);
    look_at_functions(&s);
    advice_find(&s);
    findings = ARENA_ARRAY(b->arena, s.findings.n, struct finding);
    for (size_t i = 0; i < s.findings.n; i++)
        findings[i] = s.findings.items[i];
    b->schema->findings = findings;
    b->schema->nfindings = s.findings.n;
}
