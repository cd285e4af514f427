/*
 * revoked.c - tokens that are refused though they have not expired.
 *
 * Thread:   see revoked.h.
 * Memory:   one arena.
 */
#include "auth/revoked.h"

#include "base/map.h"

struct revoked {
    uint32_t references; /* atomic */
    struct arena *arena; /* owned */
    struct map tokens;
    struct map subjects; /* → int64_t */
};

struct revoked *revoked_new(void)
{
    struct arena *a = arena_new(0);
    struct revoked *r = ARENA_NEW(a, struct revoked);

    r->references = 1;
    r->arena = a;
    map_init(&r->tokens, a);
    map_init(&r->subjects, a);
    return r;
}

void revoked_add_token(struct revoked *r, struct str jti)
{
    (void)map_add(&r->tokens, arena_dup(r->arena, jti), r);
}

void revoked_add_subject(struct revoked *r, struct str subject, int64_t until_s)
{
    int64_t *value = ARENA_NEW(r->arena, int64_t);

    *value = until_s;
    map_put(&r->subjects, arena_dup(r->arena, subject), value);
}

const struct revoked *revoked_ref(const struct revoked *r)
{
    uint32_t *references = (uint32_t *)(uintptr_t)&r->references;

    __atomic_fetch_add(references, 1, __ATOMIC_RELAXED);
    return r;
}

void revoked_unref(const struct revoked *r)
{
    struct revoked *mine = (struct revoked *)(uintptr_t)r;

    if (mine != NULL && __atomic_sub_fetch(&mine->references, 1, __ATOMIC_ACQ_REL) == 0)
        arena_free(mine->arena);
}

bool revoked_has(const struct revoked *r, const struct jval *claims)
{
    const struct jval *jti = jval_get(claims, STR("jti"));
    const struct jval *sub = jval_get(claims, STR("sub"));
    const struct jval *iat = jval_get(claims, STR("iat"));
    struct str whole, fraction;
    const int64_t *until;
    int64_t issued;

    if (jti != NULL && jti->kind == JVAL_STRING && map_get(&r->tokens, jti->text) != NULL)
        return true;
    if (sub == NULL || sub->kind != JVAL_STRING)
        return false;
    until = map_get(&r->subjects, sub->text);
    if (until == NULL)
        return false;
    if (iat == NULL || iat->kind != JVAL_NUMBER)
        return true;
    str_cut(iat->text, '.', &whole, &fraction);
    return !str_to_i64(whole, &issued) || issued <= *until;
}
