/*
 * ast.h - the tree of a GraphQL document: plain data, one structure per production.
 *
 * Thread:   any; constant once the parser returned it.
 * Memory:   in the parser's arena; text slices point into the source or the arena.
 * Not here: meaning. Names resolve against a schema in validation/.
 *
 * `offset` is the byte offset of the first token of a node in the source text:
 * source_location() turns it into line and column when an error needs them.
 */
#ifndef LANGUAGE_AST_H
#define LANGUAGE_AST_H

#include "base/str.h"

enum ast_value_kind {
    AST_VARIABLE,
    AST_INT,
    AST_FLOAT,
    AST_STRING,
    AST_BOOLEAN,
    AST_NULL,
    AST_ENUM,
    AST_LIST,
    AST_OBJECT,
};

struct ast_object_field;

struct ast_value {
    enum ast_value_kind kind;
    uint32_t offset;
    bool boolean;    /* AST_BOOLEAN */
    bool block;      /* AST_STRING: written as a block string */
    struct str text; /* variable name without $, number as written, string decoded, enum name */
    size_t n;
    const struct ast_value *const *items;  /* AST_LIST */
    const struct ast_object_field *fields; /* AST_OBJECT, as written (names may repeat) */
};

struct ast_object_field {
    struct str name;
    uint32_t offset;
    const struct ast_value *value;
};

struct ast_argument {
    struct str name;
    uint32_t offset;
    const struct ast_value *value;
};

struct ast_arguments {
    const struct ast_argument *items;
    size_t n;
};

struct ast_directive {
    struct str name;
    uint32_t offset;
    struct ast_arguments arguments;
};

struct ast_directives {
    const struct ast_directive *items;
    size_t n;
};

enum ast_type_kind {
    AST_NAMED_TYPE,
    AST_LIST_TYPE,
};

struct ast_type {
    enum ast_type_kind kind;
    bool non_null;
    uint32_t offset;
    struct str name;           /* AST_NAMED_TYPE */
    const struct ast_type *of; /* AST_LIST_TYPE */
};

enum ast_selection_kind {
    AST_FIELD,
    AST_FRAGMENT_SPREAD,
    AST_INLINE_FRAGMENT,
};

struct ast_selection;

struct ast_selection_set {
    const struct ast_selection *const *items;
    size_t n;
    uint32_t offset; /* of the brace */
};

struct ast_selection {
    enum ast_selection_kind kind;
    uint32_t offset;
    struct str alias; /* AST_FIELD: empty if none */
    struct str name;  /* AST_FIELD: field; AST_FRAGMENT_SPREAD: fragment; AST_INLINE_FRAGMENT: type
                         condition or empty */
    uint32_t name_offset;
    struct ast_arguments arguments; /* AST_FIELD */
    struct ast_directives directives;
    struct ast_selection_set selections; /* n is 0 if there is none */
};

static inline struct str ast_response_key(const struct ast_selection *field)
{
    return field->alias.len ? field->alias : field->name;
}

struct ast_variable_definition {
    struct str name;
    uint32_t offset;
    struct str description; /* data is NULL if there is none */
    const struct ast_type *type;
    const struct ast_value *default_value; /* NULL if none */
    struct ast_directives directives;
};

enum ast_operation_kind {
    AST_QUERY,
    AST_MUTATION,
    AST_SUBSCRIPTION,
};

struct ast_operation {
    enum ast_operation_kind kind;
    bool shorthand; /* only a selection set */
    uint32_t offset;
    uint32_t name_offset;
    struct str name;        /* empty if anonymous */
    struct str description; /* data is NULL if there is none */
    const struct ast_variable_definition *variables;
    size_t nvariables;
    struct ast_directives directives;
    struct ast_selection_set selections;
};

struct ast_fragment {
    uint32_t offset;
    uint32_t name_offset;
    struct str name;
    struct str description;
    struct str type_condition;
    uint32_t type_condition_offset;
    struct ast_directives directives;
    struct ast_selection_set selections;
};

struct ast_type_system_definition; /* language/ast_types.h */

enum ast_definition_kind {
    AST_OPERATION_DEFINITION,
    AST_FRAGMENT_DEFINITION,
    AST_TYPE_SYSTEM_DEFINITION, /* definitions and extensions of types, directives and the schema */
};

struct ast_definition {
    enum ast_definition_kind kind;
    uint32_t offset;
    const struct ast_operation *operation;
    const struct ast_fragment *fragment;
    const struct ast_type_system_definition *type_system;
};

struct ast_document {
    struct str source; /* the text; borrowed */
    const struct ast_definition *definitions;
    size_t n;
    size_t noperations;
    size_t nfragments;
    /* What limits count, gathered while parsing. */
    size_t ntokens;
    size_t ndirectives;
};

#endif
