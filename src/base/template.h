/*
 * template.h - text with {{names}} in it that values stand in for: substitution, and nothing else.
 *
 * Thread:   any; a template is constant once parsed.
 * Memory:   in the arena given; it points into its text, which must live as long.
 * Not here: what the names are, and how values are escaped where they go.
 */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"

/* Makes a value fit for the place that it goes to. */
typedef void template_escape(struct buf *out, struct str value);

struct template;

/*
 * A placeholder is {{name}}, with spaces inside the braces or without. NULL, with the reason in
 * why, for a name that is not among them, and for {{ without }}. A value is never looked at again:
 * braces in it are text.
 */
const struct template *template_parse(struct str text, const struct str *names, size_t n,
                                      struct arena *a, struct str *why);
/* values: by the positions of the names. */
void template_render(const struct template *t, const struct str *values, template_escape *escape,
                     struct buf *out);

#endif
