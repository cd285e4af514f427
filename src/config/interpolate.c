/*
 * interpolate.c - variables and files in the values of the configuration file.
 *
 * Thread:   the one that loads.
 * Memory:   the config's arena.
 *
 * Values are expanded after YAML was parsed, so that no variable can add
 * structure; what was put in is not expanded again.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "config/settings.h"

#define MAX_SECRET ((size_t)64 * 1024)

struct str loader_variable(const struct loader *l, struct str name)
{
    for (size_t i = 0; l->from->environment != NULL && l->from->environment[i] != NULL; i++) {
        struct str head, tail;

        if (str_cut(str_of(l->from->environment[i]), '=', &head, &tail) && str_eq(head, name))
            return tail.data != NULL ? tail : STR("");
    }
    return str_make(NULL, 0);
}

bool loader_read_secret(struct loader *l, struct str name, struct str *out, struct str *why)
{
    const char *path = arena_dup(l->arena, name).data;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = arena_alloc(l->arena, MAX_SECRET + 1);
    size_t len = 0;
    ssize_t n = fd < 0 ? -1 : 1;

    VEC_PUSH(l->arena, &l->files, str_of(path));
    while (n > 0 && len <= MAX_SECRET) {
        n = read(fd, text + len, MAX_SECRET + 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    if (n < 0)
        *why = arena_printf(l->arena, "could not read \"%s\": %s", path, strerror(errno));
    else if (len > MAX_SECRET)
        *why = arena_printf(l->arena, "\"%s\" is larger than %zu bytes", path, MAX_SECRET);
    else if (memchr(text, '\0', len) != NULL)
        *why = arena_printf(l->arena, "\"%s\" contains a NUL byte", path);
    if (fd >= 0)
        close(fd);
    if (n < 0 || len > MAX_SECRET || memchr(text, '\0', len) != NULL)
        return false;
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    *out = str_make(text, len);
    return true;
}

static bool is_variable(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (c >= '0' && c <= '9' && i > 0)))
            return false;
    }
    return name.len > 0;
}

/* The text between "${" and "}". */
static bool expand(struct loader *l, struct str inner, struct str *out, struct str *why)
{
    struct str name, rest, value;
    bool more = str_cut(inner, ':', &name, &rest);

    if (more && str_is(name, "file"))
        return loader_read_secret(l, rest, out, why);
    if (!is_variable(name) ||
        (more && (rest.len == 0 || (rest.data[0] != '-' && rest.data[0] != '?')))) {
        *why = arena_printf(l->arena,
                            "cannot expand \"${%.*s}\": use ${VAR}, ${VAR:-default}, "
                            "${VAR:?message} or ${file:/path}; $$ stands for $",
                            STR_ARG(inner));
        return false;
    }
    value = loader_variable(l, name);
    /* As in the shell: with ":" an empty variable counts as one that is not set. */
    if (value.data != NULL && (value.len > 0 || !more)) {
        *out = value;
        return true;
    }
    if (more && rest.data[0] == '-') {
        *out = str_sub(rest, 1, SIZE_MAX);
        return true;
    }
    rest = str_sub(rest, 1, SIZE_MAX);
    *why = more && rest.len > 0
               ? arena_printf(l->arena, "variable %.*s: %.*s", STR_ARG(name), STR_ARG(rest))
               : arena_printf(l->arena, "variable %.*s is not set", STR_ARG(name));
    return false;
}

bool interpolate(struct loader *l, struct str text, struct str *out, struct str *why)
{
    struct buf b = {0};
    bool ok = true;

    if (str_find(text, '$') == text.len) {
        *out = text;
        return true;
    }
    for (size_t i = 0; i < text.len && ok;) {
        struct str inner, value = STR("");

        if (text.data[i] != '$') {
            buf_append_char(&b, text.data[i++]);
        } else if (i + 1 < text.len && text.data[i + 1] == '$') {
            buf_append_char(&b, '$');
            i += 2;
        } else if (i + 1 < text.len && text.data[i + 1] == '{') {
            inner = str_sub(text, i + 2, SIZE_MAX);
            if (str_find(inner, '}') == inner.len) {
                *why = STR("\"${\" without \"}\"");
                ok = false;
                break;
            }
            inner.len = str_find(inner, '}');
            ok = expand(l, inner, &value, why);
            buf_append_str(&b, value);
            i += inner.len + 3;
        } else {
            *why = STR("a single \"$\": write $$ for the character, or ${VAR}");
            ok = false;
        }
    }
    *out = arena_dup(l->arena, buf_str(&b));
    buf_fini(&b);
    return ok;
}
