/*
 * config.c - defaults, file, environment, command line: each overrides the one before.
 *
 * Thread:   the one that loads.
 * Memory:   the config's arena; errors are in the arena of their list.
 */
#include <unistd.h>

#include "config/config.h"

#include "config/settings.h"

#define MAX_ERRORS 20

/* option_store() writes them so. */
_Static_assert(sizeof(enum config_auto) == sizeof(unsigned), "enums are as wide as unsigned");
_Static_assert(sizeof(enum log_format) == sizeof(unsigned), "enums are as wide as unsigned");

struct error *loader_refuse(struct loader *l, const struct setting *s, const char *fmt, ...)
{
    struct error *e;
    struct str text;
    va_list args;

    va_start(args, fmt);
    text = arena_vprintf(l->arena, fmt, args);
    va_end(args);
    e = errors_add(l->errs, CONFIG_INVALID, "%.*s", STR_ARG(text));
    if (s->file != NULL)
        sourcetext_place(&s->file->source, s->value_at, e, l->errs);
    else if (!s->is_default)
        e->file = arena_dup(l->errs->arena, s->origin);
    return e;
}

const struct setting *settings_get(const struct settings *all, struct str key)
{
    return map_get(&all->by_key, key);
}

static bool is_list(const struct config_option *o)
{
    return o->type == OPTION_STRINGS || o->type == OPTION_DURATIONS || o->list;
}

/* The option of a key, or of the key without "_file" if that one is a secret. */
static const struct config_option *find_option(struct str key, bool *names_file)
{
    const struct config_option *o = option_find(key);

    *names_file = false;
    if (o != NULL || !str_ends(key, STR("_file")))
        return o;
    o = option_find(str_sub(key, 0, key.len - strlen("_file")));
    *names_file = true;
    return o != NULL && o->secret ? o : NULL;
}

static void put_setting(struct loader *l, struct setting s)
{
    map_put(&l->settings->by_key, s.key, arena_copy(l->arena, &s, sizeof(s)));
}

/* "a, b" or "[a, b]" as the items of a list; anything else as one item. */
static void split_items(struct loader *l, struct setting *s, struct str text)
{
    struct {
        struct str *items;
        size_t n, cap;
    } items = {0};
    struct str head;

    if (!is_list(s->option)) {
        s->items = arena_copy(l->arena, &text, sizeof(text));
        s->n = 1;
        return;
    }
    text = str_trim(text);
    if (str_starts(text, STR("[")) && str_ends(text, STR("]")))
        text = str_trim(str_sub(text, 1, text.len - 2));
    while (text.len > 0) {
        str_cut(text, ',', &head, &text);
        VEC_PUSH(l->arena, &items, str_trim(head));
    }
    s->items = items.items;
    s->n = items.n;
}

/* --- defaults ------------------------------------------------------------------------- */

static void put_default(struct loader *l, const char *key, const char *text)
{
    struct setting s = {.key = str_of(key), .is_default = true, .origin = STR("default")};
    struct str expanded, why;
    bool names_file;

    s.option = find_option(s.key, &names_file);
    CHECK(s.option != NULL);
    if (!interpolate(l, str_of(text), &expanded, &why)) {
        loader_refuse(l, &s, "%.*s", STR_ARG(why));
        expanded = STR("");
    }
    split_items(l, &s, expanded);
    put_setting(l, s);
}

static void load_defaults(struct loader *l)
{
    for (size_t i = 0; i < options_count; i++)
        if (options_table[i].fallback != NULL)
            put_default(l, options_table[i].key, options_table[i].fallback);
}

/* Who names claims means these, not those and ours. */
static void default_claims(struct loader *l)
{
    static const char *const parts[][2] = {
        {"auth.claims.tenant_id.path",     "tenant_id"                           },
        {"auth.claims.tenant_id.settings", "app.current_tenant_id, app.tenant_id"},
        {"auth.claims.tenant_id.type",     "uuid"                                },
        {"auth.claims.user_id.path",       "sub"                                 },
        {"auth.claims.user_id.settings",   "app.user_id"                         },
    };

    for (size_t i = 0; i < l->settings->by_key.n; i++)
        if (str_starts(l->settings->by_key.entries[i].key, STR("auth.claims.")))
            return;
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        put_default(l, parts[i][0], parts[i][1]);
}

/* --- the file --------------------------------------------------------------------------- */

static void suggest(struct loader *l, struct error *e, struct str key)
{
    struct str nearest = option_suggest(key);

    if (nearest.len > 0)
        e->hint = arena_printf(l->errs->arena, "did you mean \"%.*s\"?", STR_ARG(nearest));
}

static void refuse_unknown(struct loader *l, const struct setting *s)
{
    struct str section = s->key, name;
    struct error *e;

    while (section.len > 0 && section.data[section.len - 1] != '.')
        section.len--;
    name = str_sub(s->key, section.len, SIZE_MAX);
    if (section.len > 0)
        e = loader_refuse(l, s, "unknown key \"%.*s\" in %.*s", STR_ARG(name), (int)section.len - 1,
                          section.data);
    else
        e = loader_refuse(l, s, "unknown key \"%.*s\"", STR_ARG(name));
    suggest(l, e, s->key);
}

static struct str describe(struct loader *l, const struct config_option *o)
{
    struct buf b = {0};
    struct str s;

    option_describe(o, &b);
    s = arena_dup(l->arena, buf_str(&b));
    buf_fini(&b);
    return s;
}

/* The scalars below a list; false if something else is among them. */
static bool list_items(struct loader *l, const struct yamlfile *f, size_t at, struct setting *s)
{
    struct str prefix = arena_printf(l->arena, "%.*s[", STR_ARG(s->key));
    struct {
        struct str *items;
        size_t n, cap;
    } items = {0};

    for (size_t i = at + 1; i < f->n && str_starts(f->entries[i].key, prefix); i++) {
        const struct yamlfile_entry *e = &f->entries[i];
        struct str text, why;

        s->value_at = e->end;
        if (e->kind != YAMLTREE_SCALAR || e->null) {
            loader_refuse(l, s, "%.*s must be a list of texts", STR_ARG(s->key));
            return false;
        }
        if (!interpolate(l, e->text, &text, &why)) {
            loader_refuse(l, s, "%.*s", STR_ARG(why));
            return false;
        }
        VEC_PUSH(l->arena, &items, text);
    }
    s->value_at = f->entries[at].end;
    s->items = items.items;
    s->n = items.n;
    return true;
}

/* An entry that an option is for. */
static void take_entry(struct loader *l, const struct yamlfile *f, size_t at, struct setting *s)
{
    const struct yamlfile_entry *e = &f->entries[at];
    struct str what = describe(l, s->option), text, why;

    if (e->kind == YAMLTREE_LIST && is_list(s->option)) {
        if (list_items(l, f, at, s))
            put_setting(l, *s);
    } else if (e->kind != YAMLTREE_SCALAR || is_list(s->option)) {
        loader_refuse(l, s, "%.*s must be %.*s", STR_ARG(s->key), STR_ARG(what));
    } else if (e->null) {
        loader_refuse(l, s, "%.*s has no value: must be %.*s", STR_ARG(s->key), STR_ARG(what));
    } else if (!interpolate(l, e->text, &text, &why)) {
        loader_refuse(l, s, "%.*s", STR_ARG(why));
    } else {
        s->items = arena_copy(l->arena, &text, sizeof(text));
        s->n = 1;
        put_setting(l, *s);
    }
}

/* A map, or a list where the section is one, or nothing at all. */
static bool fits_section(struct loader *l, const struct yamlfile_entry *e)
{
    if (e->kind == YAMLTREE_LIST)
        return option_is_section(arena_printf(l->arena, "%.*s[0]", STR_ARG(e->key)));
    return e->kind == YAMLTREE_MAP || e->null;
}

/* A list replaces the one that a file before gave, with all that is in its items. */
static void drop_items(struct loader *l, struct str list, const struct yamlfile *by)
{
    struct str prefix = arena_printf(l->arena, "%.*s[", STR_ARG(list));
    struct map left;

    map_init(&left, l->arena);
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct map_entry *e = &l->settings->by_key.entries[i];
        const struct setting *s = e->value;

        if (s->file == NULL || s->file == by || !str_starts(e->key, prefix))
            map_put(&left, e->key, e->value);
    }
    l->settings->by_key = left;
}

void loader_take_file(struct loader *l, const struct yamlfile *f)
{
    struct str done = STR(""); /* what is below this key has been dealt with */

    for (size_t i = 0; i < f->n; i++) {
        const struct yamlfile_entry *e = &f->entries[i];
        struct setting s = {.key = e->key, .file = f, .at = e->at, .value_at = e->end};
        bool names_file;

        if (done.len > 0 && str_starts(e->key, done) && e->key.len > done.len &&
            (e->key.data[done.len] == '.' || e->key.data[done.len] == '['))
            continue;
        done = e->key;
        if (e->kind == YAMLTREE_LIST)
            drop_items(l, e->key, f);
        s.option = find_option(e->key, &names_file);
        s.origin =
            arena_printf(l->arena, "%.*s:%u:%u", STR_ARG(f->source.name), e->at.line, e->at.column);
        if (s.option != NULL) {
            take_entry(l, f, i, &s);
        } else if (!option_is_section(e->key)) {
            s.value_at = e->at;
            refuse_unknown(l, &s);
        } else if (!fits_section(l, e)) {
            loader_refuse(l, &s, "%.*s must be a map", STR_ARG(e->key));
        } else {
            done = STR("");
        }
    }
}

/* --- environment and command line ---------------------------------------------------- */

static void take_text(struct loader *l, struct str key, struct str text, struct str origin,
                      const char *what)
{
    struct setting s = {.key = key, .origin = origin};
    bool names_file;

    s.option = find_option(key, &names_file);
    if (s.option == NULL) {
        struct error *e = loader_refuse(l, &s, "unknown %s \"%.*s\"", what, STR_ARG(key));

        suggest(l, e, key);
        return;
    }
    split_items(l, &s, text);
    put_setting(l, s);
}

/* "DATABASE__POOL__MAX" → "database.pool.max"; "KEYS__0__KID" → "keys[0].kid". */
static struct str key_of_variable(struct loader *l, struct str name)
{
    struct buf b = {0};
    struct str key;

    while (name.len > 0) {
        size_t at = 0;
        uint64_t index;
        struct str part;

        while (at < name.len && !str_starts(str_sub(name, at, SIZE_MAX), STR("__")))
            at++;
        part = str_sub(name, 0, at);
        name = str_sub(name, at + 2, SIZE_MAX);
        if (b.len > 0 && str_to_u64(part, &index)) {
            buf_printf(&b, "[%.*s]", STR_ARG(part));
            continue;
        }
        if (b.len > 0)
            buf_append_char(&b, '.');
        for (size_t i = 0; i < part.len; i++)
            buf_append_char(&b, part.data[i] >= 'A' && part.data[i] <= 'Z'
                                    ? (char)(part.data[i] | 0x20)
                                    : part.data[i]);
    }
    key = arena_dup(l->arena, buf_str(&b));
    buf_fini(&b);
    return key;
}

/*
 * Kubernetes puts the addresses of services into the environment of every pod:
 * a service "fraiseqld" gives FRAISEQLD_SERVICE_HOST, FRAISEQLD_PORT_8080_TCP
 * and more. They are not for us; no key of ours lacks "__" and looks like it.
 */
static bool is_service_link(struct str name)
{
    static const char *const forms[] = {"*_SERVICE_HOST", "*_SERVICE_PORT", "*_SERVICE_PORT_*",
                                        "*_PORT", "*_PORT_*"};

    if (str_glob(STR("*__*"), name))
        return false;
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        if (str_glob(str_of(forms[i]), name))
            return true;
    return false;
}

static void load_environment(struct loader *l)
{
    const struct str prefix = STR("FRAISEQLD_");
    struct str url = loader_variable(l, STR("DATABASE_URL"));
    struct str port = loader_variable(l, STR("PORT"));

    if (url.len > 0)
        take_text(l, STR("database.url"), url, STR("$DATABASE_URL"), "key");
    if (port.len > 0)
        take_text(l, STR("server.listen"), arena_printf(l->arena, "0.0.0.0:%.*s", STR_ARG(port)),
                  STR("$PORT"), "key");
    for (size_t i = 0; l->from->environment != NULL && l->from->environment[i] != NULL; i++) {
        struct str name, text, key;

        if (!str_cut(str_of(l->from->environment[i]), '=', &name, &text) ||
            !str_starts(name, prefix) || str_is(name, "FRAISEQLD_CONFIG") || is_service_link(name))
            continue;
        key = key_of_variable(l, str_sub(name, prefix.len, SIZE_MAX));
        take_text(l, key, text, arena_printf(l->arena, "$%.*s", STR_ARG(name)), "key");
    }
}

static void load_arguments(struct loader *l)
{
    for (size_t i = 0; i < l->from->nsettings; i++) {
        struct str key, text;

        if (str_cut(str_of(l->from->settings[i]), '=', &key, &text))
            take_text(l, str_trim(key), text, STR("--set"), "key");
        else
            errors_add(l->errs, CONFIG_INVALID, "--set takes key=value, not \"%s\"",
                       l->from->settings[i]);
    }
}

/* --- secrets in files ------------------------------------------------------------------- */

/* systemd's LoadCredential= puts files where relative names are looked for first. */
static struct str secret_path(struct loader *l, struct str name)
{
    struct str directory = loader_variable(l, STR("CREDENTIALS_DIRECTORY"));
    struct str path;

    if (directory.len == 0 || str_starts(name, STR("/")))
        return name;
    path = arena_printf(l->arena, "%.*s/%.*s", STR_ARG(directory), STR_ARG(name));
    return access(path.data, F_OK) == 0 ? path : name;
}

static void resolve_secret(struct loader *l, const struct setting *file)
{
    struct str key = str_sub(file->key, 0, file->key.len - strlen("_file"));
    const struct setting *direct = settings_get(l->settings, key);
    struct setting s = *file;
    struct str text, why;

    if (direct != NULL && !direct->is_default) {
        loader_refuse(l, file, "both %.*s and %.*s are set", STR_ARG(key), STR_ARG(file->key));
        return;
    }
    if (!loader_read_secret(l, secret_path(l, file->items[0]), &text, &why)) {
        loader_refuse(l, file, "%.*s: %.*s", STR_ARG(file->key), STR_ARG(why));
        return;
    }
    s.key = key;
    s.items = arena_copy(l->arena, &text, sizeof(text));
    put_setting(l, s);
}

static void resolve_secrets(struct loader *l)
{
    struct settings *resolved = ARENA_NEW(l->arena, struct settings);
    size_t n = l->settings->by_key.n;
    bool names_file;

    for (size_t i = 0; i < n; i++) {
        const struct setting *s = l->settings->by_key.entries[i].value;

        if (find_option(s->key, &names_file) != NULL && names_file)
            resolve_secret(l, s);
    }
    /* From here on there are no "_file" keys. */
    map_init(&resolved->by_key, l->arena);
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct map_entry *e = &l->settings->by_key.entries[i];

        if (find_option(e->key, &names_file) != NULL && !names_file)
            map_put(&resolved->by_key, e->key, e->value);
    }
    l->settings = resolved;
}

/* --- all together --------------------------------------------------------------------------- */

static void apply_settings(struct loader *l)
{
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = l->settings->by_key.entries[i].value;
        struct str why;

        if (option_store(s->option, s->items, s->n, l->config, &why))
            continue;
        if (s->option->secret || s->n != 1)
            loader_refuse(l, s, "%.*s %.*s", STR_ARG(s->key), STR_ARG(why));
        else
            loader_refuse(l, s, "%.*s is \"%.*s\", %.*s", STR_ARG(s->key), STR_ARG(s->items[0]),
                          STR_ARG(why));
    }
}

/* Files, environment and command line, over the defaults. */
static void read_sources(struct loader *l)
{
    load_defaults(l);
    loader_read_files(l);
    load_environment(l);
    load_arguments(l);
    default_claims(l);
    resolve_secrets(l);
}

/* What the settings make. False: the errors say what is wrong, and there is no configuration. */
static bool finish(struct loader *l, size_t errors_before, struct config **out)
{
    struct config *c = l->config;

    apply_settings(l);
    sections_apply(l);
    if (l->errs->n == errors_before)
        consistency_check(l);
    *out = NULL;
    if (l->errs->n > errors_before) {
        config_free(c);
        return false;
    }
    /* The last of the choices: as json, but for people. */
    if ((unsigned)c->log_format > (unsigned)LOG_FORMAT_TEXT)
        c->log_format = isatty(STDERR_FILENO) ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;
    c->settings = l->settings;
    c->files = (struct config_strings){l->files.items, l->files.n};
    *out = c;
    return true;
}

static struct config *config_new(struct arena *a)
{
    struct config *c = ARENA_NEW(a, struct config);

    c->arena = a;
    atomic_init(&c->references, 1);
    return c;
}

static void start(struct loader *l, const struct config_sources *from, struct errors *errs)
{
    struct arena *a = arena_new(0);

    *l = (struct loader){.config = config_new(a),
                         .arena = a,
                         .errs = errs,
                         .from = from,
                         .settings = ARENA_NEW(a, struct settings)};
    if (errs->max == 0)
        errs->max = MAX_ERRORS;
    map_init(&l->settings->by_key, a);
}

bool config_load(const struct config_sources *from, struct config **out, struct errors *errs)
{
    size_t before = errs->n;
    struct loader l;

    start(&l, from, errs);
    read_sources(&l);
    return finish(&l, before, out);
}

bool config_reload(const struct config_sources *from, const struct config *running,
                   struct config **out, struct config_strings *waiting, struct errors *errs)
{
    size_t before = errs->n;
    struct loader l;

    start(&l, from, errs);
    read_sources(&l);
    *waiting = settings_keep(&l, running);
    return finish(&l, before, out);
}

const struct config *config_ref(const struct config *c)
{
    struct config *mine = (struct config *)(uintptr_t)c;

    atomic_fetch_add_explicit(&mine->references, 1, memory_order_relaxed);
    return c;
}

void config_free(const struct config *c)
{
    struct config *mine = (struct config *)(uintptr_t)c;

    /* Whoever frees must see what the others did before they gave theirs back. */
    if (c != NULL && atomic_fetch_sub_explicit(&mine->references, 1, memory_order_acq_rel) == 1)
        arena_free(mine->arena);
}
