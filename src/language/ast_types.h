/*
 * ast_types.h - the tree of type system definitions and extensions.
 *
 * Thread:   any; constant once the parser returned it.
 * Memory:   in the parser's arena; text slices point into the source or the arena.
 * Not here: executable definitions (ast.h), the type system itself (schema/schema.h).
 */
#ifndef LANGUAGE_AST_TYPES_H
#define LANGUAGE_AST_TYPES_H

#include "language/ast.h"

enum ast_type_system_kind {
    AST_SCHEMA,
    AST_SCALAR,
    AST_OBJECT_TYPE,
    AST_INTERFACE,
    AST_UNION,
    AST_ENUM_TYPE,
    AST_INPUT_OBJECT,
    AST_DIRECTIVE_DEFINITION,
};

/* An implemented interface, a member of a union, a location of a directive. */
struct ast_named {
    struct str name;
    uint32_t offset;
};

struct ast_root_operation {
    enum ast_operation_kind kind;
    struct ast_named type;
    uint32_t offset;
};

/* An argument, or a field of an input object. */
struct ast_input_value_definition {
    struct str description; /* data is NULL if there is none, here and below */
    struct str name;
    uint32_t offset;
    const struct ast_type *type;
    const struct ast_value *default_value; /* NULL if none */
    struct ast_directives directives;
};

struct ast_field_definition {
    struct str description;
    struct str name;
    uint32_t offset;
    const struct ast_input_value_definition *arguments;
    size_t narguments;
    const struct ast_type *type;
    struct ast_directives directives;
};

struct ast_enum_value_definition {
    struct str description;
    struct str name;
    uint32_t offset;
    struct ast_directives directives;
};

struct ast_type_system_definition {
    enum ast_type_system_kind kind;
    bool extension;
    uint32_t offset;
    struct str description;
    struct str name; /* empty for AST_SCHEMA */
    uint32_t name_offset;
    struct ast_directives directives;
    const struct ast_root_operation *roots; /* AST_SCHEMA */
    size_t nroots;
    const struct ast_named *interfaces; /* AST_OBJECT_TYPE, AST_INTERFACE */
    size_t ninterfaces;
    const struct ast_field_definition *fields; /* AST_OBJECT_TYPE, AST_INTERFACE */
    size_t nfields;
    const struct ast_named *members; /* AST_UNION: types; AST_DIRECTIVE_DEFINITION: locations */
    size_t nmembers;
    const struct ast_enum_value_definition *values; /* AST_ENUM_TYPE */
    size_t nvalues;
    /* AST_INPUT_OBJECT: fields; AST_DIRECTIVE_DEFINITION: arguments */
    const struct ast_input_value_definition *inputs;
    size_t ninputs;
    bool repeatable; /* AST_DIRECTIVE_DEFINITION */
};

#endif
