/*
 * schema.c - the GraphQL type system: look-ups, references, publication.
 *
 * Thread:   any; the slot's mutex guards its pointer only.
 * Memory:   a schema's arena dies with its last reference.
 * Not here: building one (catalog.c, build.c).
 */
#include <pthread.h>

#include "base/buf.h"
#include "schema/schema.h"

struct schema_slot {
    pthread_mutex_t lock;
    size_t nroles;
    const struct schema *current[]; /* by role; retained; guarded by lock */
};

const struct type *schema_type(const struct schema *s, struct str name)
{
    return names_get(&s->types_by_name, name);
}

const struct field *schema_field(const struct schema *s, const struct type *t, struct str name)
{
    const struct field *f = NULL;

    if (t->kind == TYPE_OBJECT || t->kind == TYPE_INTERFACE)
        f = names_get(&t->members, name);
    if (f != NULL || name.len < 2 || name.data[0] != '_' || !type_is_composite(t))
        return f;
    if (str_eq(name, s->typename_field.name))
        return &s->typename_field;
    if (t != s->query)
        return NULL;
    if (str_eq(name, s->schema_field.name))
        return &s->schema_field;
    return str_eq(name, s->type_field.name) ? &s->type_field : NULL;
}

const struct input_value *schema_input(const struct type *input_object, struct str name)
{
    if (input_object->kind != TYPE_INPUT_OBJECT)
        return NULL;
    return names_get(&input_object->members, name);
}

const struct input_value *field_argument(const struct field *f, struct str name)
{
    size_t i;

    for (i = 0; i < f->narguments; i++)
        if (str_eq(f->arguments[i].name, name))
            return &f->arguments[i];
    return NULL;
}

const struct enum_value *schema_enum_value(const struct type *t, struct str name)
{
    return t->kind == TYPE_ENUM ? names_get(&t->members, name) : NULL;
}

const struct directive *schema_directive(const struct schema *s, struct str name)
{
    size_t i;

    for (i = 0; i < s->ndirectives; i++)
        if (str_eq(s->directives[i].name, name))
            return &s->directives[i];
    return NULL;
}

bool schema_is_possible(const struct type *abstract_or_same, const struct type *t)
{
    size_t i;

    if (abstract_or_same == t)
        return true;
    /* An object has few interfaces, an interface may have thousands of objects. */
    for (i = 0; abstract_or_same->kind == TYPE_INTERFACE && i < t->ninterfaces; i++)
        if (t->interfaces[i] == abstract_or_same)
            return true;
    if (abstract_or_same->kind == TYPE_INTERFACE)
        return false;
    for (i = 0; i < abstract_or_same->npossible; i++)
        if (abstract_or_same->possible[i] == t)
            return true;
    return false;
}

void type_ref_print(struct type_ref r, struct buf *out)
{
    unsigned i;

    for (i = 0; i < r.nlists; i++)
        buf_append_char(out, '[');
    buf_append_str(out, r.type->name);
    for (i = r.nlists + 1u; i-- > 0;) {
        if (r.non_null >> i & 1u)
            buf_append_char(out, '!');
        if (i > 0)
            buf_append_char(out, ']');
    }
}

const struct schema *schema_ref(const struct schema *s)
{
    /* Relaxed: whoever takes a reference holds one already, or the slot's lock. */
    atomic_fetch_add_explicit(s->references, 1, memory_order_relaxed);
    return s;
}

void schema_unref(const struct schema *s)
{
    if (s == NULL)
        return;
    /* Release what this thread read; the last one acquires what all did before it frees. */
    if (atomic_fetch_sub_explicit(s->references, 1, memory_order_acq_rel) == 1)
        arena_free(s->arena);
}

struct schema_slot *schema_slot_new(size_t nroles)
{
    struct schema_slot *slot = xcalloc(1, sizeof(*slot) + nroles * sizeof(slot->current[0]));

    slot->nroles = nroles;
    CHECK(pthread_mutex_init(&slot->lock, NULL) == 0);
    return slot;
}

void schema_slot_free(struct schema_slot *slot)
{
    if (slot == NULL)
        return;
    for (size_t i = 0; i < slot->nroles; i++)
        schema_unref(slot->current[i]);
    CHECK(pthread_mutex_destroy(&slot->lock) == 0);
    xfree(slot);
}

const struct schema *schema_current(struct schema_slot *slot, size_t role)
{
    const struct schema *s;

    CHECK(role < slot->nroles);
    CHECK(pthread_mutex_lock(&slot->lock) == 0);
    s = slot->current[role] ? schema_ref(slot->current[role]) : NULL;
    CHECK(pthread_mutex_unlock(&slot->lock) == 0);
    return s;
}

void schema_publish(struct schema_slot *slot, const struct schema **schemas)
{
    CHECK(pthread_mutex_lock(&slot->lock) == 0);
    for (size_t i = 0; i < slot->nroles; i++) {
        const struct schema *old = slot->current[i];

        slot->current[i] = schemas[i];
        schemas[i] = old;
    }
    CHECK(pthread_mutex_unlock(&slot->lock) == 0);
    for (size_t i = 0; i < slot->nroles; i++)
        schema_unref(schemas[i]);
}
