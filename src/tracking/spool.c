/*
 * spool.c - lines on disk, while the database is away.
 *
 * Thread:   one at a time.
 * Memory:   see spool.h.
 */
#include "tracking/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/deadline.h"

/* A file is ended when it has so much, so that reading one takes little memory. */
#define FILE_BYTES (1024 * 1024)
/* Nor is one larger than that read, whoever made it. */
#define READ_BYTES (64 * 1024 * 1024)
#define SUFFIX     ".spool"

struct spool {
    char *directory; /* owned */
    uint64_t max;
    uint64_t bytes;
    int fd; /* of the file being written; -1: none */
    uint64_t written;
    unsigned number;
    bool failing; /* the log knows */
};

static void complain(struct spool *s, const char *what, int reason)
{
    if (!s->failing)
        LOG(LOG_WARN, what, LOG_CSTR("directory", s->directory),
            LOG_CSTR("reason", reason != 0 ? strerror(reason) : "errors.spool_max"));
    s->failing = true;
}

/* --- the directory -----------------------------------------------------------------------------
 */

/* Sums up what there is, and finds the first name, greater than `after`, of a file. */
static bool scan(struct spool *s, struct str after, struct arena *a, struct str *first)
{
    DIR *dir = opendir(s->directory);
    const struct dirent *d;
    struct stat st;

    *first = (struct str){0};
    s->bytes = 0;
    if (dir == NULL)
        return false;
    while ((d = readdir(dir)) != NULL) {
        struct str name = str_of(d->d_name);

        if (!str_ends(name, STR(SUFFIX)) || fstatat(dirfd(dir), d->d_name, &st, 0) != 0)
            continue;
        s->bytes += (uint64_t)st.st_size;
        if (str_cmp(name, after) > 0 && (first->data == NULL || str_cmp(name, *first) < 0))
            *first = arena_dup(a, name);
    }
    closedir(dir);
    return first->data != NULL;
}

/* Locked before it has the name that others look for. */
static int make_file(struct spool *s)
{
    char name[512], part[520];
    int fd, n;

    n = snprintf(name, sizeof(name), "%s/%020lld-%ld-%u" SUFFIX, s->directory,
                 (long long)wall_clock_us(), (long)getpid(), s->number++);
    if (n < 0 || (size_t)n >= sizeof(name)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(part, sizeof(part), "%s.new", name);
    fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0600);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && rename(part, name) == 0)
        return fd;
    n = errno;
    (void)unlink(part);
    close(fd);
    errno = n;
    return -1;
}

struct spool *spool_open(struct str directory, uint64_t max, struct errors *errs)
{
    struct spool *s = xcalloc(1, sizeof(*s));
    struct arena *a = arena_new(0);
    struct str ignored;

    s->directory = xstrdup(arena_dup(a, directory).data);
    s->max = max;
    s->fd = -1;
    (void)scan(s, STR(""), a, &ignored);
    arena_free(a);
    if (access(s->directory, R_OK | W_OK | X_OK) == 0)
        return s;
    errors_add(errs, CONFIG_INVALID, "errors.spool: cannot make files in \"%.*s\": %s",
               STR_ARG(directory), strerror(errno));
    spool_close(s);
    return NULL;
}

static void end_file(struct spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->written = 0;
}

void spool_close(struct spool *s)
{
    if (s == NULL)
        return;
    end_file(s);
    xfree(s->directory);
    xfree(s);
}

uint64_t spool_bytes(const struct spool *s)
{
    return s->bytes;
}

/* --- writing -------------------------------------------------------------------------------------
 */

static bool write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = str_sub(text, (size_t)n, SIZE_MAX);
    }
    return true;
}

static bool append(struct spool *s, struct str text)
{
    if (s->bytes + text.len > s->max) {
        complain(s, "the spool of errors is full", 0);
        return false;
    }
    if (s->fd < 0)
        s->fd = make_file(s);
    if (s->fd < 0 || !write_all(s->fd, text) || fdatasync(s->fd) != 0) {
        complain(s, "could not write the spool of errors", errno);
        end_file(s); /* half a line is no line */
        return false;
    }
    s->failing = false;
    s->bytes += text.len;
    s->written += text.len;
    if (s->written >= FILE_BYTES)
        end_file(s);
    return true;
}

bool spool_append(struct spool *s, const struct str *lines, size_t n)
{
    struct buf text;
    bool ok;

    buf_init(&text, 0);
    for (size_t i = 0; i < n; i++) {
        buf_append_str(&text, lines[i]);
        buf_append_char(&text, '\n');
    }
    ok = append(s, buf_str(&text));
    buf_fini(&text);
    return ok;
}

/* --- reading -------------------------------------------------------------------------------------
 */

/* NULL: somebody writes it, or it is gone. */
static char *read_unlocked(const char *path, struct arena *a, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    struct stat st;
    size_t size;
    ssize_t n;

    if (fd < 0)
        return NULL;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0 && fstat(fd, &st) == 0) {
        size = size_min((size_t)st.st_size, READ_BYTES);
        text = arena_alloc_raw(a, size + 1);
        for (*len = 0; *len < size; *len += (size_t)n) {
            n = read(fd, text + *len, size - *len);
            if (n <= 0)
                break;
        }
    }
    close(fd);
    return text;
}

static void split(struct str text, struct arena *a, struct spool_file *out)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    out->lines = ARENA_ARRAY(a, n, struct str);
    out->n = out->torn = 0;
    while (text.len > 0) {
        size_t end = str_find(text, '\n');

        if (end == text.len) {
            out->torn++;
            return;
        }
        if (end > 0)
            out->lines[out->n++] = str_sub(text, 0, end);
        text = str_sub(text, end + 1, SIZE_MAX);
    }
}

bool spool_read(struct spool *s, struct arena *a, struct spool_file *out)
{
    struct str name = STR("");
    size_t len = 0;
    char *text;

    end_file(s);
    while (scan(s, name, a, &name)) {
        out->path = arena_printf(a, "%s/%.*s", s->directory, STR_ARG(name));
        text = read_unlocked(out->path.data, a, &len);
        if (text == NULL)
            continue;
        split(str_make(text, len), a, out);
        return true;
    }
    return false;
}

void spool_delete(struct spool *s, const struct spool_file *f)
{
    struct stat st;

    if (stat(f->path.data, &st) == 0 && unlink(f->path.data) == 0)
        s->bytes -= size_min(s->bytes, (size_t)st.st_size);
}
