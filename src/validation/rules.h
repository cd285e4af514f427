/*
 * rules.h - what the driver (validate.c) and the rules share; for nobody else.
 *
 * Thread:   one at a time.
 * Memory:   everything of a validation is in its scratch arena and is gone when it ends.
 *
 * The driver walks every definition once and calls the rules at each node with
 * what it found out there: types, fields, fragments. What concerns the document
 * as a whole is decided afterwards, from what the walk noted in the definitions.
 */
#ifndef VALIDATION_RULES_H
#define VALIDATION_RULES_H

#include "base/buf.h"
#include "validation/validate.h"

struct definition;
struct set;

/* A selection as the walk saw it. */
struct node {
    const struct ast_selection *selection;
    const struct field *field;   /* AST_FIELD; NULL if unknown */
    struct definition *fragment; /* AST_FRAGMENT_SPREAD; NULL if unknown */
    struct set *set;             /* its selections; NULL if none */
    uint32_t key;                /* AST_FIELD: number of its response key, dense from 0 */
    bool reported;               /* a conflict with another field */
};

/* A selection set. */
struct set {
    const struct type *parent; /* composite; NULL if unknown */
    struct node *nodes;
    size_t n;
    uint32_t id;   /* dense from 0 */
    uint32_t mark; /* last visit by rules_overlap.c */
    uint8_t done;  /* what rules_overlap.c knows of this set alone */
};

/* "$name" somewhere in a definition. */
struct usage {
    const struct ast_value *variable;
    struct type_ref type;      /* of the place; type.type is NULL if unknown */
    bool has_default;          /* the place has a default value */
    const struct type *one_of; /* the place is a field of this @oneOf input object, or NULL */
};

/* An operation or a fragment. */
struct definition {
    const struct ast_operation *operation;
    const struct ast_fragment *fragment; /* one of the two is NULL */
    const struct type *type;             /* root or type condition; NULL if unknown */
    struct set *set;
    struct {
        struct node **items;
        size_t n, cap;
    } spreads;
    struct {
        struct usage *items;
        size_t n, cap;
    } usages;
    bool used;         /* a fragment that an operation reaches */
    uint32_t mark;     /* last traversal that came by */
    int introspection; /* nesting of introspection lists, plus 1; 0: not computed */
    struct {           /* limits.c: what it adds where it is spread; saturating */
        int state;     /* 0 unseen, 1 in progress, 2 measured */
        size_t depth, nesting, aliases, fields, root_fields;
    } measure;
};

struct value_site {
    const struct ast_value *value;
    struct type_ref type; /* type.type is NULL if unknown */
    bool checked;         /* part of a literal that was judged as a whole */
};

struct arguments_site {
    const char *of;    /* "field" or "directive" */
    struct str name;   /* of the field or directive */
    const char *sigil; /* "@" or "" */
    uint32_t offset;
    const struct ast_arguments *given;
    const struct input_value *defined;
    size_t ndefined;
};

struct selection_site {
    const struct node *node;
    const struct type *parent;    /* composite; NULL if unknown */
    const struct type *condition; /* type named by a fragment; NULL if none or unknown */
};

struct validation {
    const struct schema *schema;
    const struct ast_document *document;
    const struct validate_limits *limits;
    struct arena *arena; /* scratch */
    struct errors *errs;
    size_t nerrors;
    size_t max_errors;
    bool stopped; /* enough errors */
    bool suggestions;
    bool introspection;             /* __schema or __type is selected somewhere */
    struct definition *definitions; /* operations and fragments, in document order */
    size_t ndefinitions;
    struct map fragments; /* of struct definition, by name; the first of a name */
    struct map keys;      /* response key -> its number + 1, as a pointer */
    uint32_t nsets;
    uint32_t mark; /* the last number used for traversals */
    size_t work;   /* done by rules that may visit a node more than once */
};

/* Beyond it a document is refused: no honest one comes near. */
#define MAX_WORK ((size_t)500000)

/*
 * Add GRAPHQL_VALIDATION_FAILED at a byte of the document. NULL when there were
 * enough errors already; validation_also() allows that.
 */
struct error *validation_error(struct validation *v, uint32_t offset, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void validation_also(struct validation *v, struct error *e, uint32_t offset);
/* Count n visits; false, with QUERY_TOO_COMPLEX added once, when there were too many. */
bool validation_spend(struct validation *v, size_t n);
/* "; did you mean \"x\"?" for the likeliest of the names, or "": names[i] at stride bytes. */
struct str validation_suggest(struct validation *v, struct str wrong, const struct str *names,
                              size_t n, size_t stride);
struct str validation_suggest_type(struct validation *v, struct str wrong);
/* "[Int!]!" */
struct str validation_type_name(struct validation *v, struct type_ref r);
/* Text for messages, cut when long. */
struct str validation_print_type(struct validation *v, const struct ast_type *t);
struct str validation_print_value(struct validation *v, const struct ast_value *value);
/* False: a type is unknown, or has too many list levels; *unknown is its name's node. */
bool validation_resolve_type(const struct schema *s, const struct ast_type *t, struct type_ref *out,
                             const struct ast_type **unknown);
struct definition *validation_fragment(const struct validation *v, struct str name);
/* Is a name met for the first time? The set is a map that the caller made. */
bool validation_first(struct map *seen, struct str name, const void *what, const void **earlier);

/* limits.c: false, with QUERY_TOO_COMPLEX added, when the document passes a limit. */
NODISCARD bool limits_check(struct validation *v);

/* rules_values.c: is a literal (variables in it count as null) a value of the leaf type? */
bool values_leaf_accepts(const struct type *leaf, const struct ast_value *value, struct arena *a);

/* One rule each; where it is called is said in the tables of validate.c. */
/* 5.2 rules_operations.c */
void rule_unique_operation_names(struct validation *v);
void rule_lone_anonymous_operation(struct validation *v);
void rule_operation_types(struct validation *v, const struct definition *d);
void rule_single_root_field(struct validation *v);
/* 5.3 rules_fields.c */
void rule_fields_exist(struct validation *v, const struct selection_site *s);
void rule_leaf_selections(struct validation *v, const struct selection_site *s);
void rule_introspection_depth(struct validation *v);
/* 5.3.2 rules_overlap.c */
void rule_overlapping_fields(struct validation *v);
/* 5.4 rules_arguments.c */
void rule_known_arguments(struct validation *v, const struct arguments_site *s);
void rule_unique_arguments(struct validation *v, const struct arguments_site *s);
void rule_required_arguments(struct validation *v, const struct arguments_site *s);
/* 5.5 rules_fragments.c */
void rule_unique_fragment_names(struct validation *v);
void rule_fragment_types(struct validation *v, const struct definition *d);
void rule_inline_fragment_types(struct validation *v, const struct selection_site *s);
void rule_known_fragments(struct validation *v, const struct selection_site *s);
void rule_possible_fragments(struct validation *v, const struct selection_site *s);
void rule_fragment_cycles(struct validation *v);
void rule_used_fragments(struct validation *v);
/* 5.6 rules_values.c */
void rule_values_fit(struct validation *v, const struct value_site *s);
void rule_unique_input_fields(struct validation *v, const struct value_site *s);
/* 5.7 rules_directives.c */
void rule_known_directives(struct validation *v, const struct ast_directives *d, unsigned location);
void rule_unique_directives(struct validation *v, const struct ast_directives *d,
                            unsigned location);
/* 5.8 rules_variables.c */
void rule_unique_variables(struct validation *v, const struct definition *d);
void rule_variable_types(struct validation *v, const struct ast_variable_definition *d);
void rule_variable_usages(struct validation *v);

#endif
