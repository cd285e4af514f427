/*
 * claims.c - where things are among the claims of a token.
 *
 * Thread:   any.
 */
#include "auth/claims.h"

#include "base/arena.h"

const struct jval *claims_at(const struct jval *claims, struct str path)
{
    const struct jval *v = path.len > 0 ? jval_get(claims, path) : NULL;
    struct str step;

    if (v != NULL || path.len == 0)
        return v;
    for (v = claims; path.len > 0 && v != NULL;) {
        str_cut(path, '.', &step, &path);
        v = v->kind == JVAL_OBJECT ? jval_get(v, step) : NULL;
    }
    return v;
}

struct words {
    struct str *items;
    size_t n, cap;
};

/* One with a NUL in it is no name of anything, and would be two where texts end at one. */
static void add_word(struct arena *a, struct words *to, struct str word)
{
    if (word.len > 0 && memchr(word.data, '\0', word.len) == NULL)
        VEC_PUSH(a, to, word);
}

static void add_words(struct arena *a, struct words *to, struct str text)
{
    struct str word;

    while (text.len > 0) {
        str_cut(text, ' ', &word, &text);
        add_word(a, to, word);
    }
}

static void read_words(const struct jval *v, bool split, struct arena *a, struct words *out)
{
    if (v == NULL)
        return;
    if (v->kind == JVAL_STRING && split)
        add_words(a, out, v->text);
    else if (v->kind == JVAL_STRING)
        add_word(a, out, v->text);
    for (size_t i = 0; v->kind == JVAL_ARRAY && i < v->n; i++)
        if (v->items[i]->kind == JVAL_STRING)
            add_word(a, out, v->items[i]->text);
}

static const struct jval *scopes_of(const struct auth_issuer_options *opt,
                                    const struct jval *claims)
{
    const struct jval *v;

    if (opt->scopes_path.len > 0)
        return claims_at(claims, opt->scopes_path);
    v = jval_get(claims, STR("scope"));
    return v != NULL ? v : jval_get(claims, STR("scp"));
}

void claims_grants(const struct auth_issuer_options *opt, const struct jval *claims,
                   struct arena *a, struct grants *out)
{
    struct str path = opt->roles_path.len > 0 ? opt->roles_path : STR("roles");
    struct words roles = {0}, scopes = {0};

    read_words(claims_at(claims, path), false, a, &roles);
    read_words(scopes_of(opt, claims), true, a, &scopes);
    *out = (struct grants){roles.items, roles.n, scopes.items, scopes.n};
}
