/*
 * yamlfile.c - a YAML tree to dotted keys.
 *
 * Thread:   any.
 * Memory:   the arena.
 * Not here: YAML itself (base/yamltree.c).
 */
#include "config/yamlfile.h"

static const struct yamltree_limits limits = {
    .max_bytes = 1024 * 1024, .max_depth = 32, .max_values = 10000};

struct flattener {
    struct arena *arena;
    struct errors *errs;
    const struct sourcetext *source;
    struct {
        struct yamlfile_entry *items;
        size_t n, cap;
    } entries;
};

/* Dots and brackets separate; what else is a name is nobody's business here. */
static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return s.len > 0;
}

static struct str join(struct flattener *f, struct str path, struct str name)
{
    if (path.len == 0)
        return name;
    return arena_printf(f->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(name));
}

/* Not deeper than the limit of the tree. */
static bool flatten(struct flattener *f, const struct yamltree *v, struct str path)
{
    size_t i;

    for (i = 0; i < v->n; i++) {
        const struct yamltree_member *m = v->kind == YAMLTREE_MAP ? &v->members[i] : NULL;
        const struct yamltree *item = m ? m->value : v->items[i];
        struct yamlfile_entry e = {.kind = item->kind,
                                   .text = item->text,
                                   .null = item->null,
                                   .at = m ? m->at : item->at,
                                   .end = item->at};

        if (m != NULL && !is_name(m->name)) {
            sourcetext_error(f->source, m->at, f->errs,
                             "a key may hold letters, digits, \"_\" and \"-\" only");
            return false;
        }
        e.key = m ? join(f, path, m->name) : arena_printf(f->arena, "%.*s[%zu]", STR_ARG(path), i);
        VEC_PUSH(f->arena, &f->entries, e);
        if (!flatten(f, item, e.key))
            return false;
    }
    return true;
}

bool yamlfile_parse(struct str text, struct str name, struct arena *a, struct yamlfile *out,
                    struct errors *errs)
{
    struct flattener f = {.arena = a, .errs = errs, .source = &out->source};
    const struct yamltree *root;
    bool ok;

    *out = (struct yamlfile){
        .source = {name, text, CONFIG_INVALID}
    };
    if (!yamltree_parse(&out->source, 0, text.len, &limits, a, &root, errs))
        return false;
    if (root->kind != YAMLTREE_MAP && !root->null) {
        sourcetext_error(&out->source, root->at, errs, "the file must be a map of keys to values");
        return false;
    }
    ok = flatten(&f, root, STR(""));
    out->entries = f.entries.items;
    out->n = f.entries.n;
    return ok;
}
