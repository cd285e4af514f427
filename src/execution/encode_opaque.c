/*
 * encode_opaque.c - values of a row to the text that stands for them.
 *
 * Thread:   any.
 */
#include "execution/encode_opaque.h"

#include "base/base64url.h"
#include "base/jwriter.h"
#include "execution/encode.h"
#include "execution/wire.h"

#include <math.h>

/* The value, if it is a float that JSON has no number for. */
static const char *float_name(const struct codec *c, struct pgvalue v)
{
    double d = 0;

    if (c->kind == CODEC_FLOAT4 && v.len == 4) {
        uint32_t bits = wire_u32(v.data);
        float f;

        memcpy(&f, &bits, sizeof f);
        d = (double)f;
    } else if (c->kind == CODEC_FLOAT8 && v.len == 8) {
        uint64_t bits = wire_u64(v.data);

        memcpy(&d, &bits, sizeof d);
    }
    if (isnan(d))
        return "\"NaN\"";
    return isinf(d) ? (d > 0 ? "\"Infinity\"" : "\"-Infinity\"") : NULL;
}

static bool append_value(const struct codec *c, struct pgvalue v, struct buf *out)
{
    const char *name;

    if (v.len < 0) {
        buf_append_lit(out, "null");
        return true;
    }
    name = float_name(c, v);
    if (name == NULL)
        return encode_value(c, v, out);
    buf_append(out, name, strlen(name));
    return true;
}

bool encode_opaque(const struct shape_opaque *o, const struct pgvalue *columns, struct buf *scratch,
                   struct buf *out)
{
    buf_clear(scratch);
    buf_append_char(scratch, '[');
    jwriter_string(scratch, o->form.head);
    for (size_t i = 0; i < o->form.n; i++) {
        buf_append_char(scratch, ',');
        if (!append_value(o->form.codecs[i], columns[o->columns[i]], scratch))
            return false;
    }
    buf_append_char(scratch, ']');
    buf_append_char(out, '"');
    base64url_append(out, buf_str(scratch));
    buf_append_char(out, '"');
    return true;
}
