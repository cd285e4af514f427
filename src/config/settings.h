/*
 * settings.h - inside of config/: values as text, with their origin.
 *
 * Thread:   the one that loads.
 * Memory:   the config's arena.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/map.h"
#include "config/options.h"
#include "config/yamlfile.h"

struct setting {
    struct str key; /* concrete: "auth.jwt.keys[0].secret" */
    const struct config_option *option;
    const struct str *items; /* one unless it is a list */
    size_t n;
    bool is_default;
    struct str origin;           /* "default", "/etc/x.yaml:3:5", "$PORT", "--set" */
    const struct yamlfile *file; /* NULL: not from the file */
    struct location at;          /* in the file: the key's place, for unknown keys … */
    struct location value_at;    /* … and the value's */
};

struct settings {
    struct map by_key; /* of struct setting, in order of first appearance */
};

struct loader {
    struct config *config;
    struct arena *arena; /* the config's */
    struct errors *errs;
    const struct config_sources *from;
    struct settings *settings;
    struct {
        struct str *items;
        size_t n, cap;
    } files; /* that values were read from, and directories they were looked for in */
};

/* The configuration file and its conf.d, in order. */
void loader_read_files(struct loader *l);
/* Its values take the place of those before. */
void loader_take_file(struct loader *l, const struct yamlfile *f);
/* An error about a value, with its place. */
struct error *loader_refuse(struct loader *l, const struct setting *s, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* data NULL: not set. */
struct str loader_variable(const struct loader *l, struct str name);
/* The whole of a small file, without one trailing newline; false with the reason in why. */
bool loader_read_secret(struct loader *l, struct str name, struct str *out, struct str *why);
/* ${VAR}, ${VAR:-default}, ${VAR:?message}, ${file:/path}, $$. */
bool interpolate(struct loader *l, struct str text, struct str *out, struct str *why);
/* What is made of several settings: connection keywords, claims, keys. */
void sections_apply(struct loader *l);

/* The keys that stand below a list, "auth.jwt.keys". */
void sections_keys(struct loader *l, struct str list, const struct config_key **keys, size_t *n);
/* An error for each setting below a list at an index from n on: those before it are missing. */
void sections_refuse_gaps(struct loader *l, struct str list, size_t n, const char *what);
/* The part of a concrete key that a pattern leaves open, between what is before and behind it. */
struct str sections_name(struct str key, struct str before);
/* Errors about values that do not go together, or are not what they must be. */
void consistency_check(struct loader *l);
/* auth.issuers; after the claims. */
void issuers_apply(struct loader *l);
/* errors.notifications */
void notifications_apply(struct loader *l);

/*
 * Settings that need a restart stay what they are in a running configuration, with copies of its
 * values. The keys that would differ.
 */
struct config_strings settings_keep(struct loader *l, const struct config *running);

const struct setting *settings_get(const struct settings *all, struct str key);

#endif
