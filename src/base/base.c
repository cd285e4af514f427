/*
 * base.c - process allocation, and the end of the process when an assumption fails.
 *
 * Thread:   any; no state.
 * Memory:   see base.h.
 */
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#define BASE_MAY_ALLOCATE
#include "base/base.h"

void check_failed(const char *what, const char *file, int line)
{
    dprintf(STDERR_FILENO, "fraiseqld: %s:%d: failed assumption: %s\n", file, line, what);
    abort();
}

/*
 * glibc maps each large block on its own, and its first pages fault in again
 * every time: two fifths of the time to validate a document of 50 KB.
 */
void xmalloc_setup(void)
{
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

static NORETURN void out_of_memory(size_t size)
{
    dprintf(STDERR_FILENO, "fraiseqld: out of memory (%zu bytes)\n", size);
    abort();
}

void xmalloc_trim(void)
{
    malloc_trim(0);
}

void *xmalloc(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);

    if (p == NULL)
        out_of_memory(size);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    size_t total;
    void *p;

    CHECK(size_mul(n, size, &total));
    p = calloc(1, total > 0 ? total : 1);
    if (p == NULL)
        out_of_memory(total);
    return p;
}

void *xrealloc(void *p, size_t size)
{
    void *q = realloc(p, size > 0 ? size : 1);

    if (q == NULL)
        out_of_memory(size);
    return q;
}

char *xstrdup(const char *s)
{
    size_t size = strlen(s) + 1;

    return memcpy(xmalloc(size), s, size);
}

void xfree(void *p)
{
    free(p);
}
