/*
 * library.h - which version of a library was compiled against, and which runs.
 *
 * Thread:   any.
 * Memory:   static.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#define LIBRARY_VERSION_SIZE 32

struct library {
    const char *name;
    char compiled[LIBRARY_VERSION_SIZE];
    char running[LIBRARY_VERSION_SIZE];
};

#endif
