/*
 * annotations_test.c - what comments say, and where they are wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "schema/annotations.h"

static void describe_said(const char *name, struct said s, struct buf *out)
{
    if (is_said(s))
        buf_printf(out, "%s=%.*s@%u:%u;", name, STR_ARG(s.text), s.at.at.line, s.at.at.column);
}

static void describe_list(const char *name, struct said_list l, struct buf *out)
{
    if (!l.said)
        return;
    buf_printf(out, "%s=", name);
    for (size_t i = 0; i < l.n; i++)
        buf_printf(out, "%s%.*s", i ? "," : "", STR_ARG(l.items[i].text));
    buf_append_char(out, ';');
}

static void describe_flag(const char *name, enum said_flag f, struct buf *out)
{
    if (f != UNSAID)
        buf_printf(out, "%s=%d;", name, f == SAID_YES);
}

static void describe_type(const struct said_type *t, struct buf *out)
{
    for (unsigned i = 0; i < t->nlists; i++)
        buf_append_char(out, '[');
    buf_append_str(out, t->name.text);
    for (unsigned i = t->nlists + 1u; i-- > 0;) {
        if (t->non_null >> i & 1u)
            buf_append_char(out, '!');
        if (i > 0)
            buf_append_char(out, ']');
    }
}

static void describe_fields(const struct declared_fields *fields, struct buf *out)
{
    buf_append_char(out, '{');
    for (size_t i = 0; fields != NULL && i < fields->n; i++) {
        const struct declared_field *f = &fields->items[i];

        buf_printf(out, "%s%.*s(%.*s):", i ? " " : "", STR_ARG(f->name), STR_ARG(f->key));
        describe_type(&f->type, out);
        if (f->fields != NULL)
            describe_fields(f->fields, out);
    }
    buf_append_char(out, '}');
}

static void describe_relations(struct relation_annotations l, struct buf *out)
{
    for (size_t i = 0; i < l.n; i++) {
        buf_append_lit(out, "relation(");
        describe_said("name", l.items[i].name, out);
        describe_said("to", l.items[i].to, out);
        describe_list("columns", l.items[i].columns, out);
        describe_list("references", l.items[i].references, out);
        describe_flag("list", l.items[i].list, out);
        buf_append_char(out, ')');
    }
}

static void describe_relation_type(const struct type_annotation *t, struct buf *out)
{
    describe_said("name", t->name, out);
    describe_said("description", t->description, out);
    describe_list("key", t->key, out);
    describe_flag("trinity", t->trinity, out);
    describe_said("shape", t->shape, out);
    describe_list("expose_fields", t->expose_fields, out);
    describe_list("hide", t->hide, out);
    describe_said("tenant_column", t->tenant_column, out);
    if (t->fields != NULL)
        describe_fields(t->fields, out);
    describe_relations(t->relations, out);
}

static void describe_field(const struct field_annotation *f, struct buf *out)
{
    describe_said("name", f->name, out);
    if (is_said(f->type.name)) {
        buf_append_lit(out, "type=");
        describe_type(&f->type, out);
        buf_append_char(out, ';');
    }
    describe_flag("required", f->required, out);
    describe_flag("enum", f->is_enum, out);
    describe_flag("hide", f->hide, out);
    describe_said("description", f->description, out);
    describe_said("deprecated", f->deprecated, out);
    if (f->fields != NULL)
        describe_fields(f->fields, out);
    describe_relations(f->relations, out);
}

static void describe_function(const struct function_annotation *f, struct buf *out)
{
    buf_printf(out, "%s;", f->use == USE_AS_QUERY ? "query" : "mutation");
    describe_said("name", f->name, out);
    describe_said("input_type", f->input_type, out);
    describe_said("success_type", f->success_type, out);
    describe_said("error_type", f->error_type, out);
    for (size_t i = 0; i < f->context_params.n; i++)
        buf_printf(out, "%.*s<-%.*s;", STR_ARG(f->context_params.items[i].parameter.text),
                   STR_ARG(f->context_params.items[i].claim));
    describe_list("invalidates", f->invalidates, out);
}

enum object {
    ON_RELATION,
    ON_COLUMN,
    ON_FUNCTION,
};

/* "-" for a comment without annotations. */
static void describe(enum object on, struct str comment, struct arena *a, struct errors *errs,
                     struct buf *out)
{
    const struct type_annotation *t;
    const struct field_annotation *c;
    const struct function_annotation *f;

    switch (on) {
    case ON_RELATION:
        t = annotations_type(comment, STR("view \"v\""), a, errs);
        t ? describe_relation_type(t, out) : buf_append_char(out, '-');
        break;
    case ON_COLUMN:
        c = annotations_field(comment, STR("column \"c\""), a, errs);
        c ? describe_field(c, out) : buf_append_char(out, '-');
        break;
    case ON_FUNCTION:
        f = annotations_function(comment, STR("function \"f\""), a, errs);
        f ? describe_function(f, out) : buf_append_char(out, '-');
        break;
    }
}

/* clang-format off */
static const struct {
    enum object on;
    const char *comment, *expected;
} accepted[] = {
    {ON_RELATION, "Users of the system.", "-"},
    {ON_RELATION, "mail @fraiseql:type us", "-"},
    {ON_RELATION, "", "-"},
    {ON_RELATION, "@fraiseql:type", ""},
    {ON_RELATION, "@fraiseql:type\n", ""},
    /* FraiseQL's own form, as in its documentation. */
    {ON_RELATION,
     "@fraiseql:type\n"
     "trinity: true              # bool, default false\n"
     "use_projection: false      # bool\n"
     "description: text\n"
     "expose_fields: [id, name]\n"
     "filters: {name: eq}",
     "description=text@4:14;trinity=1;expose_fields=id,name;"},
    {ON_RELATION, "People.\n  @fraiseql:type {name: Person}\n", "name=Person@2:25;"},
    {ON_RELATION, "@fraiseql:type\nkey: id\nhide: []\ntenant_column: org_id\n",
     "key=id;hide=;tenant_column=org_id@4:16;"},
    {ON_RELATION, "@fraiseql:type\nname: Caf\xc3\xa9\n@fraiseql:type", NULL},
    {ON_RELATION, "@fraiseql:type\nfields:\n  first_name: String!\n  tags: '[Tag!]'\n  address: {street: String, geo: {lat: Float!}}\n"
                  "  lines: [{sku: String!}]\n  scores: [Int]\n",
     "{firstName(first_name):String! tags(tags):[Tag!] address(address):{street(street):String geo(geo):{lat(lat):Float!}}"
     " lines(lines):[]{sku(sku):String!} scores(scores):[Int]}"},
    {ON_RELATION, "@fraiseql:type\nshape: app.address\n", "shape=app.address@2:8;"},
    {ON_RELATION, "@fraiseql:type\nrelations:\n- {name: owner, to: User, columns: owner_id, references: [id], list: false}\n"
                  "- to: v_tag\n  columns: [a, b]\n",
     "relation(name=owner@3:10;to=User@3:21;columns=owner_id;references=id;list=0;)relation(to=v_tag@4:7;columns=a,b;)"},
    {ON_RELATION, "@fraiseql:type\nrelations: {owner: {to: User, columns: [owner_id]}}",
     "relation(name=owner@2:13;to=User@2:25;columns=owner_id;)"},
    {ON_RELATION, "@fraiseql:relation\nname: owner\nto: User\ncolumns: [owner_id]\n@fraiseql:relation {to: Tag, columns: [tag]}",
     "relation(name=owner@2:7;to=User@3:5;columns=owner_id;)relation(to=Tag@5:25;columns=tag;)"},
    {ON_RELATION, "@fraiseql:input\nname: Contact", "name=Contact@2:7;"},

    {ON_COLUMN, "@fraiseql:field name=email,type=String!,required=true,enum=false,description=The address, in full, a=b",
     "name=email@1:1;type=String!;required=1;enum=0;description=The address, in full, a=b@1:1;"},
    {ON_COLUMN, "@fraiseql:field name = x", NULL},
    {ON_COLUMN, "@fraiseql:field\nname: email\ntype: '[String!]!'\nhide: true\n", "name=email@2:7;type=[String!]!;hide=1;"},
    {ON_COLUMN, "Who.\n@fraiseql:relation {to: User, name: owner}\n@fraiseql:field name=x", "name=x@3:1;relation(name=owner@2:37;to=User@2:25;)"},
    {ON_COLUMN, "@fraiseql:field\nfields: {street: String}\ndeprecated: too old", "deprecated=too old@3:13;{street(street):String}"},

    {ON_FUNCTION,
     "Makes one.\n@fraiseql:mutation\nname: createContact\nsuccess_type: Contact\nerror_type: ContactError\ndescription: text\n"
     "input_type: app.type_contact_input\ncontext_params: [auth_tenant_id, auth_user_id, input_pk_organization]\ninvalidates: [v_contact]",
     "mutation;name=createContact@3:7;input_type=app.type_contact_input@7:13;success_type=Contact@4:15;error_type=ContactError@5:13;"
     "auth_tenant_id<-tenant_id;auth_user_id<-user_id;input_pk_organization<-pk_organization;invalidates=v_contact;"},
    {ON_FUNCTION, "@fraiseql:query {name: me, context_params: {user_id: caller}}", "query;name=me@1:24;caller<-user_id;"},
};

/* Each line of `errors` is a place and the beginning of a message. */
static const struct {
    enum object on;
    const char *comment, *errors;
} refused[] = {
    {ON_RELATION, "@fraiseql:type\nnmae: X\nhiden: [a]", "2:1: unknown key \"nmae\"\n3:1: unknown key \"hiden\"\n"},
    {ON_RELATION, "@fraiseql:type\nname: [X", "3:1: not valid YAML\n"},
    {ON_RELATION, "Text\n@fraiseql:type\n- a\n", "3:1: @fraiseql:type must be a map\n"},
    {ON_RELATION, "@fraiseql:type\nname: 2x\nkey: [[a]]\ntrinity: maybe\nshape:\n",
     "2:7: \"2x\" is not a legal GraphQL name\n3:7: an item of the list must be\n4:10: must be true or false\n5:7: the value must be a text\n"},
    {ON_RELATION, "@fraiseql:type\nname: __x", "2:7: \"__x\" is not a legal\n"},
    {ON_RELATION, "@fraiseql:type\ncache: {ttl: 8d}", "2:14: must be a time such as 300s\n"},
    {ON_RELATION, "@fraiseql:type\ncache: soon", "2:8: must be a time\n"},
    {ON_RELATION, "@fraiseql:type\ncache: {time: 1}", "2:9: unknown key \"time\"\n"},
    {ON_RELATION, "@fraiseql:type\n@fraiseql:type", "2:1: @fraiseql:type stands twice\n"},
    {ON_RELATION, "@fraiseql:mutation\nname: x", "1:1: @fraiseql:mutation is not\n"},
    {ON_RELATION, "@fraiseql:typo", "1:1: @fraiseql:typo is not\n"},
    {ON_RELATION, "@fraiseql:type\nfields: {a: '[Int', b: 'Int!!', c: '', d: [], '-': Int}",
     "2:13: \"[Int\" is not a type\n2:24: \"Int!!\" is not a type\n2:36: a type must be a text\n2:43: must be a type, a map\n2:47: \"-\" gives no name\n"},
    {ON_RELATION, "@fraiseql:type\nfields: [a]", "2:9: must be a map of names\n"},
    {ON_RELATION, "@fraiseql:type\nrelations: [{name: x}]", "2:13: a relation needs \"to\"\n2:13: a relation needs \"columns\"\n"},
    {ON_RELATION, "@fraiseql:type\nrelations: {'2x': {to: T, columns: [a], references: [b, c], foo: 1}}",
     "2:61: unknown key \"foo\"\n2:13: as many \"references\"\n2:13: \"2x\" is not a legal\n"},
    {ON_COLUMN, "@fraiseql:field name=2x,foo=1", "1:1: \"2x,foo=1\" is not a legal\n"},
    {ON_COLUMN, "@fraiseql:field foo=1,name=x", "1:1: unknown key \"foo\"\n"},
    {ON_COLUMN, "@fraiseql:field type=String!,required=false", "1:1: the type is not null\n"},
    {ON_COLUMN, "@fraiseql:field required=perhaps", "1:1: must be true or false\n"},
    {ON_COLUMN, "@fraiseql:type", "1:1: @fraiseql:type is not\n"},
    {ON_FUNCTION, "@fraiseql:mutation\ncontext_params: x", "2:17: must be a list of parameters\n"},
    {ON_FUNCTION, "@fraiseql:query\n@fraiseql:mutation", "2:1: @fraiseql:mutation stands twice\n"},
    {ON_FUNCTION, "@fraiseql:field name=x", "1:1: @fraiseql:field is not\n"},
};
/* clang-format on */

static void test_reads_what_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        struct arena *a = arena_new(0);
        struct buf out = {0};
        struct errors errs;

        errors_init(&errs, a);
        describe(accepted[i].on, str_of(accepted[i].comment), a, &errs, &out);
        if (accepted[i].expected == NULL)
            assert_true(errors_any(&errs));
        else if (errors_any(&errs))
            fail_msg("case %zu: %.*s: %.*s", i, STR_ARG(errs.first->file),
                     STR_ARG(errs.first->message));
        else
            assert_string_equal(buf_cstr(&out), accepted[i].expected);
        buf_fini(&out);
        arena_free(a);
    }
}

static void test_tells_everything_that_is_wrong_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct arena *a = arena_new(0);
        struct str rest = str_of(refused[i].errors), line;
        struct buf out = {0};
        struct errors errs;

        errors_init(&errs, a);
        describe(refused[i].on, str_of(refused[i].comment), a, &errs, &out);
        for (const struct error *e = errs.first; e != NULL; e = e->next) {
            struct str text = arena_printf(a, "%u:%u: %.*s", e->locations[0].line,
                                           e->locations[0].column, STR_ARG(e->message));

            str_cut(rest, '\n', &line, &rest);
            assert_int_equal(e->code, SCHEMA_INVALID);
            assert_true(str_starts(e->file, STR("comment on ")));
            if (line.len == 0 || !str_starts(text, line))
                fail_msg("case %zu: %.*s", i, STR_ARG(text));
        }
        if (rest.len > 0)
            fail_msg("case %zu: not told: %.*s", i, STR_ARG(rest));
        buf_fini(&out);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_is_said),
        cmocka_unit_test(test_tells_everything_that_is_wrong_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
