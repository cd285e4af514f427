/*
 * mail.c - a mail as text.
 *
 * Thread:   any.
 *
 * No value can end a header: what is not plain ASCII goes into encoded words (RFC 2047), and the
 * rest has no control characters. Lines have at most 76 characters.
 */
#include "server/mail.h"

#include "base/jwriter.h"

#include <time.h>

#define MAX_LINE    76
#define MAX_SUBJECT 400
/* In base64 52 characters, which with "Subject: =?UTF-8?B?" and "?=" are 73. */
#define WORD_BYTES 39

bool mail_is_address(struct str s)
{
    size_t at = str_find(s, '@');

    if (at == 0 || at + 1 >= s.len || s.len > 254)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f ||
            strchr("<>()[],;:\\\"", c) != NULL)
            return false;
    }
    return str_find(str_sub(s, at + 1, SIZE_MAX), '@') == s.len - at - 1;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < ' ' || (unsigned char)s.data[i] >= 0x7f)
            return false;
    return true;
}

/* At most so many bytes of whole characters. */
static size_t whole_characters(struct str s, size_t max)
{
    size_t len = size_min(s.len, max);

    while (len < s.len && len > 0 && ((unsigned char)s.data[len] & 0xc0) == 0x80)
        len--;
    /* What is no UTF-8 is cut anywhere. */
    return len > 0 ? len : size_min(s.len, max);
}

static void write_word(struct buf *out, struct str s)
{
    struct buf quoted = {0};

    jwriter_base64(&quoted, s);
    buf_append_lit(out, "=?UTF-8?B?");
    buf_append(out, quoted.data + 1, quoted.len - 2);
    buf_append_lit(out, "?=");
    buf_fini(&quoted);
}

static void write_subject(struct buf *out, struct str s)
{
    buf_append_lit(out, "Subject: ");
    s = str_sub(s, 0, whole_characters(s, MAX_SUBJECT));
    if (is_ascii(s) && s.len + strlen("Subject: ") <= MAX_LINE && str_find(s, '=') == s.len) {
        buf_append_str(out, s);
    } else {
        for (bool first = true; s.len > 0; first = false) {
            size_t len = whole_characters(s, WORD_BYTES);

            buf_append_str(out, first ? STR("") : STR("\r\n "));
            write_word(out, str_sub(s, 0, len));
            s = str_sub(s, len, SIZE_MAX);
        }
    }
    buf_append_lit(out, "\r\n");
}

/* RFC 5322 section 3.3, in words of no locale. */
static void write_date(struct buf *out, int64_t at_us)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t at = (time_t)(at_us / 1000000);
    struct tm tm;

    CHECK(gmtime_r(&at, &tm) != NULL);
    buf_printf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n", days + 3 * tm.tm_wday,
               tm.tm_mday, months + 3 * tm.tm_mon, 1900 + tm.tm_year, tm.tm_hour, tm.tm_min,
               tm.tm_sec);
}

/* Quoted-printable (RFC 2045 section 6.7). */
static void write_body(struct buf *out, struct str s)
{
    size_t column = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        bool last = i + 1 == s.len || s.data[i + 1] == '\n';
        bool plain = (c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last);

        if (c == '\n') {
            buf_append_lit(out, "\r\n");
            column = 0;
            continue;
        }
        if (column + (plain ? 1 : 3) >= MAX_LINE) {
            buf_append_lit(out, "=\r\n");
            column = 0;
        }
        if (plain)
            buf_append_char(out, (char)c);
        else
            buf_printf(out, "=%02X", c);
        column += plain ? 1 : 3;
    }
    buf_append_lit(out, "\r\n");
}

void mail_compose(const struct mail *m, struct buf *out)
{
    struct str domain = str_sub(m->from, str_find(m->from, '@') + 1, SIZE_MAX);

    write_date(out, m->at_us);
    buf_printf(out, "From: fraiseqld <%.*s>\r\nTo: ", STR_ARG(m->from));
    for (size_t i = 0; i < m->nto; i++)
        buf_printf(out, "%s%.*s", i > 0 ? ",\r\n " : "", STR_ARG(m->to[i]));
    buf_append_lit(out, "\r\n");
    write_subject(out, m->subject);
    buf_printf(out, "Message-ID: <%.*s@%.*s>\r\n", STR_ARG(m->id), STR_ARG(domain));
    buf_printf(out, "References: <%.*s@%.*s>\r\n", STR_ARG(m->thread), STR_ARG(domain));
    buf_append_lit(out, "Auto-Submitted: auto-generated\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    write_body(out, m->body);
}
