/*
 * plan_node.c - rows by the id of a node, and those ids.
 *
 * Thread:   any.
 *
 * An id holds the name of a type and the values of its key. The type decides the plan, so it is
 * part of the skeleton of a variable; the values are parameters. An id whose type is not there, or
 * has no nodes, is one of a row that is not there.
 */
#include "planner/plan_node.h"

#include "planner/paramtext.h"
#include "planner/plan_select.h"

static const char not_an_id[] = "is not the id of a node";

static struct pvalue read_id(struct compiler *c, const struct selection *s)
{
    CHECK(s->field->narguments == 1 && s->field->arguments[0].role == INPUT_NODE);
    return input_argument(&c->in, s, &s->field->arguments[0]);
}

static struct str id_text(const struct pvalue *v)
{
    return v->variable >= 0 ? v->json->text : v->literal->text;
}

const struct type *plan_node_type(struct compiler *c, const struct selection *s)
{
    struct pvalue v = read_id(c, s);
    char room[OPAQUE_HEAD_MAX + 1];
    const struct type *t;
    struct str name;

    if (v.kind != PVALUE_LEAF)
        return NULL;
    name = opaque_head(id_text(&v), room);
    t = name.data != NULL ? schema_type(c->schema, name) : NULL;
    return t != NULL && t->kind == TYPE_OBJECT && schema_is_possible(c->schema->node, t) ? t : NULL;
}

bool plan_node_check(struct compiler *c, const struct selection *s)
{
    struct pvalue v = read_id(c, s);
    char room[OPAQUE_HEAD_MAX + 1];

    if (v.kind == PVALUE_LEAF && opaque_head(id_text(&v), room).data != NULL)
        return true;
    return input_fail(&c->in, &v, "\"id\" %s", not_an_id);
}

static struct opaque_form *node_form(struct compiler *c, const struct relation *r)
{
    const struct key *k = relation_visible_key(r);
    const struct codec **codecs = ARENA_ARRAY(c->in.arena, k->n, const struct codec *);
    struct opaque_form *form = ARENA_NEW(c->in.arena, struct opaque_form);

    for (size_t i = 0; i < k->n; i++)
        codecs[i] = k->columns[i]->codec;
    *form = (struct opaque_form){
        .head = r->type->name, .n = k->n, .codecs = codecs, .problem = not_an_id};
    return form;
}

/* " where t1."id" = $1::uuid" */
static bool write_key(struct compiler *c, const struct selection *s, const struct source *base,
                      struct sqlbuf *out)
{
    const struct key *k = relation_visible_key(base->relation);
    const struct opaque_form *form = node_form(c, base->relation);
    struct pvalue v = read_id(c, s);
    struct plan_param p = {.variable = -1};
    const struct jval *const *values = NULL;
    bool mixed;

    if (v.variable < 0)
        values = opaque_values(form, v.literal->text, c->in.arena);
    else if (!input_parameter(&c->in, &v, PARAM_OPAQUE, &p, &mixed))
        return false;
    p.what = s->field->arguments[0].name;
    for (size_t i = 0; i < k->n; i++) {
        if (v.variable >= 0) {
            p.opaque = form;
            p.item = (uint32_t)i;
        } else if (values == NULL || !paramtext_opaque(form, values, i, c->in.arena, &p.constant)) {
            return input_fail(&c->in, &v, "\"id\" %s", not_an_id);
        }
        if (i > 0)
            sqlbuf_text(out, " and ");
        else
            sqlbuf_text(out, " where ");
        sqlbuf_column(out, base->alias, k->columns[i]);
        sqlbuf_equals(out, k->columns[i]);
        sqlbuf_parameter(out, &p, k->columns[i]->type_sql, false);
    }
    return true;
}

bool plan_node(struct compiler *c, const struct selection *s, bool as_record, struct sqlbuf *out,
               const struct shape **object)
{
    const struct type *t = plan_node_type(c, s);
    const struct selection *of;
    struct source *base;
    struct sqlbuf where;
    struct row r;

    CHECK(t != NULL);
    of = collect_object(c->in.op, c->in.variables, s, t, c->in.arena, c->in.errs);
    if (of == NULL)
        return false;
    base = source_new(c, t->relation);
    sqlbuf_init(&where, &c->params);
    if (!write_key(c, s, base, &where) || !row_gather(c, base, of, 0, &r, object))
        return false;
    select_write_one(&r, &where, as_record, out);
    return true;
}

void plan_node_id(struct row *r, struct source *source, const struct selection *s,
                  struct shape_field *out)
{
    const struct key *k = relation_visible_key(source->relation);
    uint16_t *columns = ARENA_ARRAY(r->c->in.arena, k->n, uint16_t);
    struct shape_opaque *opaque = ARENA_NEW(r->c->in.arena, struct shape_opaque);

    CHECK(s->field->relation == source->relation);
    for (size_t i = 0; i < k->n; i++)
        columns[i] = row_column(r, source, k->columns[i]);
    *opaque = (struct shape_opaque){*node_form(r->c, source->relation), columns};
    out->kind = SHAPE_OPAQUE;
    out->opaque = opaque;
}
