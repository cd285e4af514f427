/*
 * tokencache.c - identities of tokens verified a moment ago.
 *
 * Thread:   any; one leaf mutex, held for a comparison and a copy.
 * Memory:   a fixed table of sets; within a full set the least recently used
 *           entry makes room.
 *
 * The hash is keyed by the process and a hit compares the whole token.
 */
#include "auth/tokencache.h"

#include <pthread.h>

#define WAYS 4

/* One block: the token, then subject, tenant and each value, with their NULs. */
struct entry {
    char *block; /* owned; NULL: free */
    uint64_t hash;
    size_t token_len;
    size_t text_len;
    size_t role;
    size_t nroles, nscopes; /* the last texts */
    int64_t until_s;
    uint64_t used;
};

struct tokencache {
    pthread_mutex_t mutex;
    uint64_t clock;
    uint64_t generation;
    size_t nsets; /* power of two */
    struct entry *entries;
};

struct tokencache *tokencache_new(size_t entries)
{
    struct tokencache *c = xcalloc(1, sizeof(*c));

    CHECK(pthread_mutex_init(&c->mutex, NULL) == 0);
    c->nsets = 1;
    while (c->nsets * WAYS < entries)
        c->nsets *= 2;
    c->entries = xcalloc(c->nsets * WAYS, sizeof(*c->entries));
    return c;
}

void tokencache_free(struct tokencache *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->nsets * WAYS; i++)
        xfree(c->entries[i].block);
    xfree(c->entries);
    pthread_mutex_destroy(&c->mutex);
    xfree(c);
}

static struct entry *set_of(struct tokencache *c, uint64_t hash)
{
    return &c->entries[(hash & (c->nsets - 1)) * WAYS];
}

static struct entry *find_locked(struct tokencache *c, struct str token, uint64_t hash)
{
    struct entry *set = set_of(c, hash);

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].block != NULL && set[i].hash == hash &&
            str_eq(str_make(set[i].block, set[i].token_len), token))
            return &set[i];
    return NULL;
}

/* The text of a live entry, copied, and the entry; NULL on a miss. */
static const char *copy_text(struct tokencache *c, struct str token, int64_t now_s, struct arena *a,
                             struct entry *head)
{
    uint64_t hash = str_hash(token);
    const char *text = NULL;
    struct entry *e;

    pthread_mutex_lock(&c->mutex);
    e = find_locked(c, token, hash);
    if (e != NULL && now_s < e->until_s) {
        e->used = ++c->clock;
        text = arena_copy(a, e->block + e->token_len, e->text_len);
        *head = *e;
    }
    pthread_mutex_unlock(&c->mutex);
    return text;
}

static struct str next_text(const char **at)
{
    struct str s = str_of(*at);

    *at += s.len + 1;
    return s;
}

static const struct str *next_texts(const char **at, size_t n, struct arena *a)
{
    struct str *out = n > 0 ? ARENA_ARRAY(a, n, struct str) : NULL;

    for (size_t i = 0; i < n; i++)
        out[i] = next_text(at);
    return out;
}

bool tokencache_get(struct tokencache *c, struct str token, int64_t now_s,
                    const struct identity_setting *empty, size_t nsettings, struct arena *a,
                    struct identity *out)
{
    struct entry head;
    const char *text = copy_text(c, token, now_s, a, &head);
    struct identity_setting *settings;

    if (text == NULL)
        return false;
    settings = arena_copy(a, empty, nsettings * sizeof(*empty));
    out->authenticated = true;
    out->role = head.role;
    out->subject = next_text(&text);
    out->tenant = next_text(&text);
    for (size_t i = 0; i < nsettings; i++)
        settings[i].value = next_text(&text).data;
    out->settings = settings;
    out->nsettings = nsettings;
    out->grants.roles = next_texts(&text, head.nroles, a);
    out->grants.nroles = head.nroles;
    out->grants.scopes = next_texts(&text, head.nscopes, a);
    out->grants.nscopes = head.nscopes;
    return true;
}

static char *append_text(char *to, struct str s)
{
    if (s.len)
        memcpy(to, s.data, s.len);
    to[s.len] = '\0';
    return to + s.len + 1;
}

static size_t texts_size(const struct str *texts, size_t n)
{
    size_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += texts[i].len + 1;
    return size;
}

static char *append_texts(char *to, const struct str *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to = append_text(to, texts[i]);
    return to;
}

static struct entry make_entry(struct str token, int64_t until_s, const struct identity *who)
{
    const struct grants *g = &who->grants;
    struct entry e = {.hash = str_hash(token),
                      .token_len = token.len,
                      .role = who->role,
                      .nroles = g->nroles,
                      .nscopes = g->nscopes,
                      .until_s = until_s};
    char *at;

    e.text_len = who->subject.len + 1 + who->tenant.len + 1;
    for (size_t i = 0; i < who->nsettings; i++)
        e.text_len += strlen(who->settings[i].value) + 1;
    e.text_len += texts_size(g->roles, g->nroles) + texts_size(g->scopes, g->nscopes);
    e.block = xmalloc(token.len + e.text_len);
    memcpy(e.block, token.data, token.len);
    at = append_text(e.block + token.len, who->subject);
    at = append_text(at, who->tenant);
    for (size_t i = 0; i < who->nsettings; i++)
        at = append_text(at, str_of(who->settings[i].value));
    at = append_texts(at, g->roles, g->nroles);
    append_texts(at, g->scopes, g->nscopes);
    return e;
}

uint64_t tokencache_generation(struct tokencache *c)
{
    uint64_t generation;

    pthread_mutex_lock(&c->mutex);
    generation = c->generation;
    pthread_mutex_unlock(&c->mutex);
    return generation;
}

void tokencache_flush(struct tokencache *c)
{
    pthread_mutex_lock(&c->mutex);
    c->generation++;
    for (size_t i = 0; i < c->nsets * WAYS; i++)
        c->entries[i].until_s = 0; /* Its room is used again. */
    pthread_mutex_unlock(&c->mutex);
}

void tokencache_put(struct tokencache *c, struct str token, int64_t until_s,
                    const struct identity *who, uint64_t generation)
{
    struct entry e = make_entry(token, until_s, who);
    struct entry *to;
    char *old;

    pthread_mutex_lock(&c->mutex);
    if (generation != c->generation) {
        pthread_mutex_unlock(&c->mutex);
        xfree(e.block);
        return;
    }
    to = find_locked(c, token, e.hash);
    if (to == NULL) {
        to = set_of(c, e.hash);
        for (struct entry *i = to; i < set_of(c, e.hash) + WAYS; i++)
            if (to->block != NULL && (i->block == NULL || i->used < to->used))
                to = i;
    }
    old = to->block;
    e.used = ++c->clock;
    *to = e;
    pthread_mutex_unlock(&c->mutex);
    xfree(old);
}
