/*
 * print.h - what printer.c and printer_types.c share; for nobody else.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 */
#ifndef LANGUAGE_PRINT_H
#define LANGUAGE_PRINT_H

#include "base/buf.h"
#include "language/ast_types.h"
#include "language/lexer.h"

struct printer {
    struct buf *out;
    enum token_kind last; /* of the last token: decides whether a space is needed */
};

void print_name(struct printer *p, struct str name);
void print_punctuator(struct printer *p, char c);
void print_description(struct printer *p, struct str description); /* nothing if data is NULL */
void print_value(struct printer *p, const struct ast_value *v);
void print_type(struct printer *p, const struct ast_type *t);
void print_directives(struct printer *p, const struct ast_directives *d);
void print_operation_kind(struct printer *p, enum ast_operation_kind kind);
/* printer_types.c */
void print_type_system(struct printer *p, const struct ast_type_system_definition *d);

#endif
