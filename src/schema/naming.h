/*
 * naming.h - names of the database to names of GraphQL, singular and plural.
 *
 * Thread:   any.
 * Memory:   results are in the arena given.
 * Not here: conflicts between names (build.c).
 *
 * Every result is a legal GraphQL name not beginning with "__", or empty when
 * the source has no letter or digit of ASCII.
 */
#ifndef SCHEMA_NAMING_H
#define SCHEMA_NAMING_H

#include "base/arena.h"

/* created_at -> createdAt, dns_1_ip -> dns1Ip, CustomerID -> customerID, "2fa" -> _2fa. */
struct str naming_camel(struct str name, struct arena *a);
/* createdAt -> created_at, HTTPPort -> http_port: not the way back of naming_camel(). */
struct str naming_snake(struct str name, struct arena *a);
/* task_status -> TaskStatus. */
struct str naming_pascal(struct str name, struct arena *a);
/* The label where it is a legal name of an enum value, else "in progress" -> IN_PROGRESS. */
struct str naming_enum_value(struct str label, struct arena *a);
/* The plural and singular of the last word, in English: line_item -> line_items, and back. */
struct str naming_plural(struct str name, struct arena *a);
struct str naming_singular(struct str name, struct arena *a);
/* Without the first of the prefixes that it has more than. */
struct str naming_strip(struct str name, const struct str *prefixes, size_t n);
/* First letter in lower case: TaskStatus -> taskStatus. */
struct str naming_lower_first(struct str name, struct arena *a);
/* First letter in upper case. */
struct str naming_upper_first(struct str name, struct arena *a);
/* A name by the specification (section 2.1.9), and not beginning with "__". */
bool naming_is_legal(struct str name);

#endif
