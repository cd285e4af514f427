/*
 * files.c - which files the configuration is read from: one, and those of the conf.d beside it.
 *
 * Thread:   the one that loads.
 * Memory:   the config's arena.
 * Not here: what is in them (config.c), secrets in files of their own (interpolate.c).
 *
 * A package owns the file, and whoever deploys puts what is his into conf.d/:
 * maps grow together, lists and values take the place of those before.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/readfile.h"
#include "config/settings.h"

#define DEFAULT_FILE "/etc/fraiseqld/fraiseqld.yaml"
#define MAX_FILE     ((size_t)1024 * 1024)
#define MAX_PARTS    256

struct names {
    struct str *items;
    size_t n, cap;
};

/* False: it is not there, which is an error if it was named, or cannot be read. */
static bool read_file(struct loader *l, struct str path, bool named, struct str *out)
{
    VEC_PUSH(l->arena, &l->files, path);
    if (readfile(path.data, MAX_FILE, l->arena, out))
        return true;
    if (errno != ENOENT || named)
        errors_add(l->errs, CONFIG_INVALID, "could not read \"%s\": %s", path.data,
                   strerror(errno));
    return false;
}

static void take_path(struct loader *l, struct str path, bool named)
{
    struct yamlfile *f = ARENA_NEW(l->arena, struct yamlfile);
    struct str text;

    if (read_file(l, path, named, &text) && yamlfile_parse(text, path, l->arena, f, l->errs))
        loader_take_file(l, f);
}

/* As ls has them in the C locale, whatever the daemon's is. */
static int compare_names(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool is_part(struct str name)
{
    return str_ends(name, STR(".yaml")) && !str_starts(name, STR("."));
}

/* False: there is none, or an error. */
static bool list_parts(struct loader *l, struct str directory, struct names *out)
{
    DIR *d = opendir(directory.data);
    const struct dirent *e;

    if (d == NULL) {
        if (errno != ENOENT && errno != ENOTDIR)
            errors_add(l->errs, CONFIG_INVALID, "could not read \"%s\": %s", directory.data,
                       strerror(errno));
        return false;
    }
    while ((e = readdir(d)) != NULL)
        if (is_part(str_of(e->d_name)))
            VEC_PUSH(l->arena, out, arena_dup(l->arena, str_of(e->d_name)));
    closedir(d);
    if (out->n > MAX_PARTS)
        errors_add(l->errs, CONFIG_INVALID, "\"%s\" has more than %d files", directory.data,
                   MAX_PARTS);
    return out->n > 0 && out->n <= MAX_PARTS;
}

static void take_parts(struct loader *l, struct str beside)
{
    struct names names = {0};
    struct str directory;

    while (beside.len > 0 && beside.data[beside.len - 1] != '/')
        beside.len--;
    directory = arena_printf(l->arena, "%.*sconf.d", STR_ARG(beside));
    VEC_PUSH(l->arena, &l->files, directory);
    if (!list_parts(l, directory, &names))
        return;
    qsort(names.items, names.n, sizeof(*names.items), compare_names);
    for (size_t i = 0; i < names.n; i++)
        take_path(l,
                  arena_printf(l->arena, "%.*s/%.*s", STR_ARG(directory), STR_ARG(names.items[i])),
                  true);
}

void loader_read_files(struct loader *l)
{
    struct str path = loader_variable(l, STR("FRAISEQLD_CONFIG"));
    bool named = true;

    if (l->from->file != NULL)
        path = str_of(l->from->file);
    if (path.len == 0) {
        path = STR(DEFAULT_FILE);
        named = false;
    }
    path = arena_dup(l->arena, path);
    take_path(l, path, named);
    take_parts(l, path);
}
