/*
 * notice.h - what is told of an error: the names that templates may use, and the bodies without
 * one.
 *
 * Thread:   any.
 * Memory:   values point into the text they were read from, or are in the arena given.
 * Not here: sending (channel.h), mails (mail.h).
 */
#ifndef SERVER_NOTICE_H
#define SERVER_NOTICE_H

#include "base/error.h"
#include "base/template.h"

/* In the order of notice_names. */
enum notice_name {
    NOTICE_ENVIRONMENT,
    NOTICE_ERROR_ID,
    NOTICE_ERROR_TYPE,
    NOTICE_FINGERPRINT,
    NOTICE_FIRST_SEEN,
    NOTICE_LAST_SEEN,
    NOTICE_MESSAGE,
    NOTICE_NOTIFICATION_ID,
    NOTICE_OCCURRENCE_COUNT,
    NOTICE_OPERATION,
    NOTICE_PATH,
    NOTICE_RELEASE,
    NOTICE_REOPENED,
    NOTICE_SEVERITY,
    NOTICE_SQLSTATE,
    NOTICE_THRESHOLD,
    NOTICE_TRACE_ID,
    NOTICE_NAMES
};

extern const struct str notice_names[NOTICE_NAMES];

struct notice {
    struct str json;                 /* an object; further members are for receivers */
    struct str values[NOTICE_NAMES]; /* what it does not have is empty */
};

/* False: it is not an object. */
NODISCARD bool notice_parse(struct str json, struct arena *a, struct notice *out);
/* With values of which none is easy, for trying templates. */
void notice_sample(struct notice *out);

/* Text between the quotes of a JSON string. */
template_escape notice_escape_json;
/* Text of a mail: no control characters but line breaks and tabs. */
template_escape notice_escape_text;
/* One line: no control characters at all. */
template_escape notice_escape_line;
/* Slack's mrkdwn, in which <!channel> calls everybody and <http://…|…> lies about where it leads.
 */
template_escape notice_escape_slack;

/* Of an incoming webhook of Slack; channel and username may be empty. text NULL: ours. */
void notice_slack_body(const struct notice *n, const struct template *text, struct str channel,
                       struct str username, struct buf *out);
/* What NOTIFY carries: a JSON object of less than 8,000 bytes. */
void notice_payload(const struct notice *n, struct buf *out);

#endif
