/*
 * source.c - byte offset to line and column.
 *
 * Thread:   any; no state.
 * Memory:   none.
 */
#include "language/source.h"

struct location source_location(struct str text, size_t offset)
{
    struct location at = {1, 1};

    offset = size_min(offset, text.len);
    for (size_t i = 0; i < offset; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '\n' || (c == '\r' && !(i + 1 < text.len && text.data[i + 1] == '\n'))) {
            at.line++;
            at.column = 1;
        } else if (c != '\r' && (c & 0xC0) != 0x80) { /* not a continuation byte */
            at.column++;
        }
    }
    return at;
}
