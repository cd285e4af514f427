/*
 * readfile.c - a whole file as text.
 *
 * Thread:   any; may block.
 * Memory:   the text is in the caller's arena.
 */
#include "base/readfile.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool read_all(int fd, struct buf *to)
{
    ssize_t n;

    do {
        size_t room = size_min(16384, to->max - to->len);
        char *at = buf_reserve(to, room);

        n = read(fd, at, room);
        to->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && to->len < to->max);
    return n >= 0;
}

bool readfile_descriptor(int fd, size_t max, struct arena *a, struct str *out)
{
    struct buf text;
    bool ok;
    int why;

    buf_init(&text, max + 1);
    ok = read_all(fd, &text);
    why = errno;
    if (ok)
        *out = arena_dup(a, buf_str(&text));
    buf_fini(&text);
    errno = why;
    return ok;
}

bool readfile(const char *path, size_t max, struct arena *a, struct str *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), why;
    bool ok;

    if (fd < 0)
        return false;
    ok = readfile_descriptor(fd, max, a, out);
    why = errno;
    close(fd);
    errno = why;
    return ok;
}
