/*
 * printer.h - canonical text of a document: one spelling per meaning.
 */
#ifndef LANGUAGE_PRINTER_H
#define LANGUAGE_PRINTER_H

#include "base/buf.h"
#include "language/ast.h"

/* Parses back to an equal tree; printing that gives the same bytes. No comments, commas or needless
 * spaces. */
void printer_canonical(const struct ast_document *d, struct buf *out);
void printer_value(const struct ast_value *v, struct buf *out);
void printer_type(const struct ast_type *t, struct buf *out);

#endif
