/*
 * trusted.c - the documents that an application was built with: manifests, and files of documents.
 *
 * Thread:   any; constant once made.
 */
#include "cache/trusted.h"

#include "base/jval.h"
#include "base/map.h"
#include "base/readfile.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MAX_MANIFEST        ((size_t)64 * 1024 * 1024)
#define MAX_DOCUMENTS       1000000
#define MAX_DIRECTORY_DEPTH 16

static const struct jval_limits manifest_limits = {.max_depth = 8, .max_values = 8 * MAX_DOCUMENTS};

struct trusted {
    struct arena *arena; /* owned */
    struct map ids;      /* of manifests → struct str */
    struct map hashes;   /* in hexadecimal → struct str */
};

static bool invalid(struct errors *errs, const char *file, const char *what)
{
    errors_add(errs, CONFIG_INVALID, "\"%s\": %s", file, what)->file = str_of(file);
    return false;
}

/* Under its id, if there is one, and its hash. False: the id has another text. */
static bool add(struct trusted *t, struct str id, struct str text)
{
    struct str *value = ARENA_NEW(t->arena, struct str);
    struct digest d = digest_sha256(text);
    char *hex = arena_alloc(t->arena, 2 * DIGEST_SIZE + 1);
    const struct str *there;

    *value = arena_dup(t->arena, text);
    digest_hex(&d, hex);
    (void)map_add(&t->hashes, str_of(hex), value);
    if (id.len == 0 || map_add(&t->ids, arena_dup(t->arena, id), value))
        return true;
    there = map_get(&t->ids, id);
    return str_eq(*there, text);
}

static bool add_named(struct trusted *t, const char *file, const struct jval *id,
                      const struct jval *text, struct errors *errs)
{
    if (id == NULL || id->kind != JVAL_STRING || id->text.len == 0 || text == NULL ||
        text->kind != JVAL_STRING || text->text.len == 0)
        return invalid(errs, file, "an operation without a text for \"id\" and \"body\"");
    if (add(t, id->text, text->text))
        return true;
    errors_add(errs, CONFIG_INVALID, "\"%s\": the id \"%.*s\" has two texts", file,
               STR_ARG(str_sub(id->text, 0, 100)))
        ->file = str_of(file);
    return false;
}

/* {"format": …, "version": 1, "operations": [{"id", "name", "type", "body"}]} */
static bool read_apollo(struct trusted *t, const char *file, const struct jval *manifest,
                        struct errors *errs)
{
    const struct jval *version = jval_get(manifest, STR("version"));
    const struct jval *operations = jval_get(manifest, STR("operations"));

    if (version == NULL || version->kind != JVAL_NUMBER || !str_is(version->text, "1"))
        return invalid(errs, file, "a manifest of another version than 1");
    if (operations == NULL || operations->kind != JVAL_ARRAY)
        return invalid(errs, file, "a manifest without a list of \"operations\"");
    for (size_t i = 0; i < operations->n; i++)
        if (!add_named(t, file, jval_get(operations->items[i], STR("id")),
                       jval_get(operations->items[i], STR("body")), errs))
            return false;
    return true;
}

/* {"id": "text", …} */
static bool read_relay(struct trusted *t, const char *file, const struct jval *manifest,
                       struct errors *errs)
{
    for (size_t i = 0; i < manifest->n; i++) {
        const struct jval id = {.kind = JVAL_STRING, .text = manifest->members[i].name};

        if (!add_named(t, file, &id, manifest->members[i].value, errs))
            return false;
    }
    return true;
}

static bool read_whole(const char *file, size_t max, struct arena *a, struct str *out,
                       struct errors *errs)
{
    if (!readfile(file, max, a, out))
        return invalid(errs, file, strerror(errno));
    return out->len <= max || invalid(errs, file, "the file is too large");
}

static bool read_manifest(struct trusted *t, const char *file, struct errors *errs)
{
    struct arena *a = arena_new(0);
    const struct jval *manifest;
    struct str text;
    bool ok = read_whole(file, MAX_MANIFEST, a, &text, errs);

    if (ok && !jval_parse(text, &manifest_limits, a, &manifest, errs)) {
        errs->last->code = CONFIG_INVALID;
        errs->last->file = str_of(file);
        ok = false;
    }
    if (ok && manifest->kind != JVAL_OBJECT)
        ok = invalid(errs, file, "a manifest is an object");
    if (ok)
        ok = jval_get(manifest, STR("format")) != NULL ? read_apollo(t, file, manifest, errs)
                                                       : read_relay(t, file, manifest, errs);
    arena_free(a);
    return ok;
}

static bool is_document(const char *path)
{
    struct str s = str_of(path);

    return (str_ends(s, STR(".graphql")) || str_ends(s, STR(".gql")));
}

/* A directory that is read, with what is below it. */
struct reading {
    struct trusted *trusted;
    const char *root;  /* without symbolic links, as all that is read has to be below it */
    struct map *known; /* directories, by their paths without symbolic links */
    size_t max_bytes;
    struct errors *errs;
};

static bool read_directory(struct reading *r, const char *path, size_t depth);

/* Where a path leads to, in the arena; NULL with an error: nowhere, or out of the root. */
static const char *resolve(struct reading *r, const char *path)
{
    char *to = realpath(path, NULL);
    const char *result = NULL;
    size_t len = strlen(r->root);

    if (to == NULL)
        (void)invalid(r->errs, path, strerror(errno));
    else if (strncmp(to, r->root, len) != 0 || (to[len] != '/' && to[len] != '\0' && len > 1))
        (void)invalid(r->errs, path, "a symbolic link that leads out of the directory");
    else
        result = arena_dup(r->trusted->arena, str_of(to)).data;
    free(to);
    return result;
}

static bool read_entry(struct reading *r, const char *path, size_t depth)
{
    struct stat st;
    struct str text;
    const char *to;

    /* A link that leads nowhere is no document. */
    if (stat(path, &st) != 0)
        return errno == ENOENT || errno == ELOOP || invalid(r->errs, path, strerror(errno));
    if (!S_ISDIR(st.st_mode) && (!S_ISREG(st.st_mode) || !is_document(path)))
        return true;
    to = resolve(r, path);
    if (to == NULL)
        return false;
    if (S_ISDIR(st.st_mode)) /* That it was read already is no error: the link may be to it. */
        return !map_add(r->known, str_of(to), r) || read_directory(r, path, depth + 1);
    if (!read_whole(to, r->max_bytes, r->trusted->arena, &text, r->errs))
        return false;
    (void)add(r->trusted, STR(""), text);
    return true;
}

static bool read_directory(struct reading *r, const char *path, size_t depth)
{
    struct arena *a = r->trusted->arena;
    const struct dirent *entry;
    bool ok = true;
    DIR *dir;

    if (depth > MAX_DIRECTORY_DEPTH)
        return invalid(r->errs, path, "directories are nested too deep");
    dir = opendir(path);
    if (dir == NULL)
        return invalid(r->errs, path, strerror(errno));
    while (ok && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            ok = read_entry(r, arena_printf(a, "%s/%s", path, entry->d_name).data, depth);
    closedir(dir);
    return ok;
}

static bool read_tree(struct trusted *t, const char *path, size_t max_bytes, struct errors *errs)
{
    struct map known;
    struct reading r = {t, "/", &known, max_bytes, errs};
    const char *root = resolve(&r, path);

    if (root == NULL)
        return false;
    r.root = root;
    map_init(&known, t->arena);
    (void)map_add(&known, str_of(root), &r);
    return read_directory(&r, path, 0);
}

struct trusted *trusted_new(const struct str *files, size_t nfiles, const char *directory,
                            size_t max_bytes, struct errors *errs)
{
    struct arena *a = arena_new(0);
    struct trusted *t = ARENA_NEW(a, struct trusted);
    bool ok = true;

    t->arena = a;
    map_init(&t->ids, a);
    map_init(&t->hashes, a);
    for (size_t i = 0; i < nfiles; i++)
        ok = read_manifest(t, arena_dup(errs->arena, files[i]).data, errs) && ok;
    if (directory != NULL)
        ok = read_tree(t, directory, max_bytes, errs) && ok;
    if (ok)
        return t;
    trusted_free(t);
    return NULL;
}

void trusted_free(struct trusted *t)
{
    if (t != NULL)
        arena_free(t->arena);
}

static struct str text_of(const struct map *m, struct str key)
{
    const struct str *text = map_get(m, key);

    return text != NULL ? *text : str_make(NULL, 0);
}

struct str trusted_by_id(const struct trusted *t, struct str id)
{
    struct str text = text_of(&t->ids, id);

    if (text.data != NULL)
        return text;
    return text_of(&t->hashes, str_starts(id, STR("sha256:")) ? str_sub(id, 7, id.len - 7) : id);
}

struct str trusted_by_hash(const struct trusted *t, const struct digest *hash)
{
    char hex[2 * DIGEST_SIZE + 1];

    digest_hex(hash, hex);
    return text_of(&t->hashes, str_of(hex));
}

size_t trusted_count(const struct trusted *t)
{
    return t->hashes.n;
}
