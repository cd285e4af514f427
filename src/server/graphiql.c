/*
 * graphiql.c - the page on which people try requests: GraphiQL, embedded in the program.
 *
 * Thread:   the loop's; constant once made.
 * Memory:   the page in the arena given, the rest in the program's own image.
 *
 * The page loads nothing from elsewhere, has no script of its own, and may not
 * be framed. Its parts have names that change with their content, so a browser
 * asks for each once. They exist compressed only: every browser takes gzip, and
 * a client that says it does not gets 406.
 */
#include "server/graphiql.h"

#include "http/quality.h"
/* Made by the build; empty when GraphiQL is not to be embedded. */
#include "graphiql_assets.h"

struct graphiql {
    struct str path;
    struct str base; /* the path without a slash at its end: its parts are at base/name */
    struct str page;
    const struct graphiql_content *content;
};

#ifdef GRAPHIQL_PAGE
static const struct graphiql_asset assets[] = {GRAPHIQL_ASSETS};
static const struct graphiql_content embedded = {GRAPHIQL_PAGE, assets, COUNT_OF(assets)};
#endif

#define POLICY                                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "               \
    "img-src 'self' data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors " \
    "'none'"

static const struct http_header page_headers[] = {
    {STR_INIT("Content-Security-Policy"),    STR_INIT(POLICY)       },
    {STR_INIT("Cross-Origin-Opener-Policy"), STR_INIT("same-origin")},
    {STR_INIT("Referrer-Policy"),            STR_INIT("no-referrer")},
    {STR_INIT("X-Content-Type-Options"),     STR_INIT("nosniff")    },
    {STR_INIT("Cache-Control"),              STR_INIT("no-cache")   },
};
static const struct http_header asset_headers[] = {
    {STR_INIT("Content-Encoding"),       STR_INIT("gzip")                               },
    {STR_INIT("Vary"),                   STR_INIT("Accept-Encoding")                    },
    {STR_INIT("X-Content-Type-Options"), STR_INIT("nosniff")                            },
    {STR_INIT("Cache-Control"),          STR_INIT("public, max-age=31536000, immutable")},
};

const struct graphiql_content *graphiql_embedded(void)
{
#ifdef GRAPHIQL_PAGE
    return &embedded;
#else
    return NULL;
#endif
}

/* --- making the page ------------------------------------------------------------- */

static bool is_path(struct str s)
{
    static const char allowed[] = "/-._~";

    if (s.len == 0 || s.data[0] != '/')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            memchr(allowed, c, sizeof(allowed) - 1) == NULL)
            return false;
    }
    return true;
}

static void append_html(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        switch (s.data[i]) {
        case '&':
            buf_append_lit(out, "&amp;");
            break;
        case '<':
            buf_append_lit(out, "&lt;");
            break;
        case '"':
            buf_append_lit(out, "&quot;");
            break;
        default:
            buf_append_char(out, s.data[i]);
        }
}

/* {{name}} by its value. */
static void fill_in(struct buf *out, const struct graphiql *g, const struct graphiql_options *opt)
{
    const struct graphiql_content *c = g->content;
    struct str rest = str_make(c->page, (size_t)(c->page_end - c->page));
    struct str text, name;

    while (str_cut(rest, '{', &text, &rest)) {
        buf_append_str(out, text);
        str_cut(rest, '}', &name, &rest);
        CHECK(str_starts(rest, STR("}")));
        rest = str_sub(rest, 1, SIZE_MAX);
        if (str_is(name, "{base"))
            append_html(out, g->base);
        else if (str_is(name, "{endpoint"))
            append_html(out, opt->graphql_path);
        else if (str_is(name, "{token"))
            append_html(out, opt->token_required ? STR("required") : STR(""));
        else
            CHECK(false);
    }
    buf_append_str(out, text);
}

static bool check_options(const struct graphiql_options *opt, struct errors *errs)
{
    if (opt->content == NULL) {
        errors_add(errs, CONFIG_INVALID, "graphiql.enabled: this program has no GraphiQL in it")
            ->hint = STR("have it built in by \"make graphiql\" before \"make\"");
        return false;
    }
    if (!is_path(opt->path)) {
        errors_add(errs, CONFIG_INVALID, "graphiql.path: \"%.*s\" is not a path such as /graphiql",
                   STR_ARG(opt->path));
        return false;
    }
    if (str_eq(opt->path, opt->graphql_path)) {
        errors_add(errs, CONFIG_INVALID, "graphiql.path: \"%.*s\" is server.graphql_path",
                   STR_ARG(opt->path));
        return false;
    }
    return true;
}

bool graphiql_new(const struct graphiql_options *opt, struct arena *a, const struct graphiql **out,
                  struct errors *errs)
{
    struct graphiql *g;
    struct buf page = {0};

    *out = NULL;
    if (!opt->enabled)
        return true;
    if (!check_options(opt, errs))
        return false;
    g = ARENA_NEW(a, struct graphiql);
    g->content = opt->content;
    g->path = arena_dup(a, opt->path);
    g->base = str_ends(g->path, STR("/")) ? str_sub(g->path, 0, g->path.len - 1) : g->path;
    fill_in(&page, g, opt);
    g->page = arena_dup(a, buf_str(&page));
    buf_fini(&page);
    *out = g;
    return true;
}

/* --- answering -------------------------------------------------------------------- */

/* RFC 9110 section 12.5.3: without the header anything is acceptable. */
static bool accepts_gzip(const struct http_request *q)
{
    struct str rest = http_request_header(q, STR("accept-encoding"));
    bool any = rest.data == NULL;
    struct str coding;
    unsigned weight;

    while (quality_next(&rest, &coding, &weight)) {
        if (str_eq_nocase(coding, STR("gzip")) || str_eq_nocase(coding, STR("x-gzip")))
            return weight > 0;
        if (str_is(coding, "*"))
            any = weight > 0;
    }
    return any;
}

static void answer_asset(const struct graphiql_asset *s, const struct http_request *q,
                         struct http_reply *r)
{
    if (!accepts_gzip(q)) {
        r->status = 406;
        r->content_type = STR("text/plain; charset=utf-8");
        buf_append_lit(&r->body, "this is there with Content-Encoding: gzip only\n");
        return;
    }
    r->status = 200;
    r->content_type = str_of(s->type);
    r->headers = asset_headers;
    r->nheaders = COUNT_OF(asset_headers);
    buf_append(&r->body, s->begin, (size_t)(s->end - s->begin));
}

static void answer_page(const struct graphiql *g, struct http_reply *r)
{
    r->status = 200;
    r->content_type = STR("text/html; charset=utf-8");
    r->headers = page_headers;
    r->nheaders = COUNT_OF(page_headers);
    buf_append_str(&r->body, g->page);
}

bool graphiql_answer(const struct graphiql *g, const struct http_request *q, struct http_reply *r)
{
    struct str name;

    if (g == NULL || !str_starts(q->path, g->base))
        return false;
    if (str_eq(q->path, g->path)) {
        answer_page(g, r);
        return true;
    }
    name = str_sub(q->path, g->base.len, SIZE_MAX);
    if (!str_starts(name, STR("/")))
        return false;
    name = str_sub(name, 1, SIZE_MAX);
    for (size_t i = 0; i < g->content->nassets; i++)
        if (str_is(name, g->content->assets[i].name)) {
            answer_asset(&g->content->assets[i], q, r);
            return true;
        }
    return false;
}
