/*
 * notice.c - what is told of an error.
 *
 * Thread:   any.
 * Memory:   see notice.h.
 */
#include "server/notice.h"

#include "base/jval.h"
#include "base/jwriter.h"

/* Of Slack's blocks, in characters; ours are counted in bytes, as they are sent. */
#define SLACK_HEADER 150
#define SLACK_TEXT   3000
#define SLACK_FIELD  2000

/* NOTIFY takes 7,999 bytes. A byte of a value becomes six at most. */
#define PAYLOAD_VALUE 150

const struct str notice_names[NOTICE_NAMES] = {
    [NOTICE_ENVIRONMENT] = STR_INIT("environment"),
    [NOTICE_ERROR_ID] = STR_INIT("error_id"),
    [NOTICE_ERROR_TYPE] = STR_INIT("error_type"),
    [NOTICE_FINGERPRINT] = STR_INIT("fingerprint"),
    [NOTICE_FIRST_SEEN] = STR_INIT("first_seen"),
    [NOTICE_LAST_SEEN] = STR_INIT("last_seen"),
    [NOTICE_MESSAGE] = STR_INIT("message"),
    [NOTICE_NOTIFICATION_ID] = STR_INIT("notification_id"),
    [NOTICE_OCCURRENCE_COUNT] = STR_INIT("occurrence_count"),
    [NOTICE_OPERATION] = STR_INIT("operation"),
    [NOTICE_PATH] = STR_INIT("path"),
    [NOTICE_RELEASE] = STR_INIT("release"),
    [NOTICE_REOPENED] = STR_INIT("reopened"),
    [NOTICE_SEVERITY] = STR_INIT("severity"),
    [NOTICE_SQLSTATE] = STR_INIT("sqlstate"),
    [NOTICE_THRESHOLD] = STR_INIT("threshold"),
    [NOTICE_TRACE_ID] = STR_INIT("trace_id"),
};

static struct str text_of(const struct jval *v)
{
    if (v == NULL)
        return STR("");
    switch (v->kind) {
    case JVAL_STRING:
    case JVAL_NUMBER:
        return v->text;
    case JVAL_BOOL:
        return v->boolean ? STR("true") : STR("false");
    case JVAL_NULL:
    case JVAL_ARRAY:
    case JVAL_OBJECT:
        break;
    }
    return STR("");
}

bool notice_parse(struct str json, struct arena *a, struct notice *out)
{
    static const struct jval_limits limits = {16, 10000};
    const struct jval *v;
    struct errors ignored;

    errors_init(&ignored, a);
    *out = (struct notice){.json = json};
    if (!jval_parse(json, &limits, a, &v, &ignored) || v->kind != JVAL_OBJECT)
        return false;
    for (size_t i = 0; i < NOTICE_NAMES; i++)
        out->values[i] = text_of(jval_get(v, notice_names[i]));
    return true;
}

void notice_sample(struct notice *out)
{
    *out = (struct notice){.json = STR("{}")};
    for (size_t i = 0; i < NOTICE_NAMES; i++)
        out->values[i] = STR("a \"value\", {of}\ntwo lines");
    out->values[NOTICE_OCCURRENCE_COUNT] = out->values[NOTICE_THRESHOLD] = STR("10");
    out->values[NOTICE_REOPENED] = STR("false");
}

/* --- escapes ------------------------------------------------------------------------------------
 */

void notice_escape_json(struct buf *out, struct str value)
{
    jwriter_escape(out, value);
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

void notice_escape_text(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!is_control(value.data[i]) || value.data[i] == '\n' || value.data[i] == '\t')
            buf_append_char(out, value.data[i]);
}

void notice_escape_line(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        buf_append_char(out, is_control(value.data[i]) ? ' ' : value.data[i]);
}

void notice_escape_slack(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        switch (value.data[i]) {
        case '&':
            buf_append_lit(out, "&amp;");
            break;
        case '<':
            buf_append_lit(out, "&lt;");
            break;
        case '>':
            buf_append_lit(out, "&gt;");
            break;
        default:
            buf_append_char(out, value.data[i]);
        }
}

/* --- bodies ----------------------------------------------------------------------------------- */

/* At most so many bytes, and no part of a character or of "&amp;". */
static struct str cut(struct str s, size_t max)
{
    size_t len = s.len, from;

    if (len <= max)
        return s;
    for (len = max; len > 0 && ((unsigned char)s.data[len] & 0xc0) == 0x80; len--)
        continue;
    for (from = len > 5 ? len - 5 : 0; from < len; from++)
        if (s.data[from] == '&' && str_find(str_sub(s, from, len - from), ';') == len - from)
            len = from;
    return str_sub(s, 0, len);
}

/* A text object of Slack's, of what was written to `text`, which is emptied. */
static void write_text(struct buf *out, const char *type, struct buf *text, size_t max)
{
    buf_printf(out, "{\"type\":\"%s\",\"text\":", type);
    jwriter_string(out, cut(buf_str(text), max));
    buf_append_char(out, '}');
    buf_clear(text);
}

static void write_fields(struct buf *out, const struct notice *n, struct buf *text)
{
    static const struct {
        const char *label;
        enum notice_name value;
    } fields[] = {
        {"Environment", NOTICE_ENVIRONMENT     },
        {"Release",     NOTICE_RELEASE         },
        {"Operation",   NOTICE_OPERATION       },
        {"Occurrences", NOTICE_OCCURRENCE_COUNT},
        {"First seen",  NOTICE_FIRST_SEEN      },
        {"Last seen",   NOTICE_LAST_SEEN       },
    };
    bool first = true;

    buf_append_lit(out, "{\"type\":\"section\",\"fields\":[");
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (n->values[fields[i].value].len == 0)
            continue;
        buf_append_str(out, first ? STR("") : STR(","));
        first = false;
        buf_printf(text, "*%s*\n", fields[i].label);
        notice_escape_slack(text, n->values[fields[i].value]);
        write_text(out, "mrkdwn", text, SLACK_FIELD);
    }
    buf_append_lit(out, "]}");
}

/* Header, message, facts, and by what to find it. */
static void write_blocks(struct buf *out, const struct notice *n, struct buf *text)
{
    buf_append_lit(out, "{\"type\":\"header\",\"text\":");
    notice_escape_line(text, n->values[NOTICE_SEVERITY]);
    buf_append_lit(text, ": ");
    notice_escape_line(text, n->values[NOTICE_ERROR_TYPE]);
    write_text(out, "plain_text", text, SLACK_HEADER);
    buf_append_lit(out, "},{\"type\":\"section\",\"text\":");
    notice_escape_slack(text, n->values[NOTICE_MESSAGE].len > 0 ? n->values[NOTICE_MESSAGE]
                                                                : STR("(no message)"));
    write_text(out, "mrkdwn", text, SLACK_TEXT);
    buf_append_lit(out, "},");
    write_fields(out, n, text);
    buf_append_lit(out, ",{\"type\":\"context\",\"elements\":[");
    buf_append_lit(text, "error ");
    notice_escape_slack(text, n->values[NOTICE_ERROR_ID]);
    if (n->values[NOTICE_TRACE_ID].len > 0) {
        buf_append_lit(text, ", trace ");
        notice_escape_slack(text, n->values[NOTICE_TRACE_ID]);
    }
    write_text(out, "mrkdwn", text, SLACK_FIELD);
    buf_append_lit(out, "]}");
}

static void write_member(struct buf *out, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_printf(out, ",\"%s\":", name);
    jwriter_string(out, value);
}

/* For where no blocks are shown, such as a phone's notifications. */
static void write_summary(struct buf *text, const struct notice *n)
{
    notice_escape_slack(text, n->values[NOTICE_SEVERITY]);
    buf_append_lit(text, ": ");
    notice_escape_slack(text, n->values[NOTICE_ERROR_TYPE]);
    buf_append_lit(text, " in ");
    notice_escape_slack(text, n->values[NOTICE_ENVIRONMENT]);
    buf_append_lit(text, ", occurrence ");
    notice_escape_slack(text, n->values[NOTICE_OCCURRENCE_COUNT]);
}

void notice_slack_body(const struct notice *n, const struct template *t, struct str channel,
                       struct str username, struct buf *out)
{
    struct buf text = {0};

    if (t != NULL)
        template_render(t, n->values, notice_escape_slack, &text);
    else
        write_summary(&text, n);
    buf_append_lit(out, "{\"text\":");
    jwriter_string(out, cut(buf_str(&text), SLACK_TEXT));
    write_member(out, "channel", channel);
    write_member(out, "username", username);
    if (t == NULL) {
        buf_append_lit(out, ",\"blocks\":[");
        buf_clear(&text);
        write_blocks(out, n, &text);
        buf_append_char(out, ']');
    }
    buf_append_char(out, '}');
    buf_fini(&text);
}

void notice_payload(const struct notice *n, struct buf *out)
{
    static const enum notice_name numbers[] = {NOTICE_OCCURRENCE_COUNT, NOTICE_THRESHOLD};
    static const enum notice_name texts[] = {
        NOTICE_ERROR_TYPE, NOTICE_SEVERITY, NOTICE_ENVIRONMENT, NOTICE_FINGERPRINT,
        NOTICE_OPERATION,  NOTICE_TRACE_ID, NOTICE_MESSAGE};

    buf_append_lit(out, "{\"notification_id\":");
    jwriter_string(out, n->values[NOTICE_NOTIFICATION_ID]);
    write_member(out, "error_id", n->values[NOTICE_ERROR_ID]);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        write_member(out, notice_names[texts[i]].data, cut(n->values[texts[i]], PAYLOAD_VALUE));
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (n->values[numbers[i]].len > 0)
            buf_printf(out, ",\"%s\":%.*s", notice_names[numbers[i]].data,
                       STR_ARG(n->values[numbers[i]]));
    buf_append_char(out, '}');
}
