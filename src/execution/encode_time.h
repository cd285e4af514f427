/*
 * encode_time.h - dates, times and intervals in PostgreSQL's binary format to JSON.
 *
 * Thread:   any.
 */
#ifndef EXECUTION_ENCODE_TIME_H
#define EXECUTION_ENCODE_TIME_H

#include "base/buf.h"
#include "pg/pgstatement.h"
#include "schema/scalars.h"

/*
 * For CODEC_DATE to CODEC_INTERVAL: a JSON string that PostgreSQL reads back as
 * the same value. As to_json() writes them, but timestamptz in UTC with "Z", and
 * fractions of seconds without trailing zeros. "infinity", "-infinity"; years
 * before 1 with " BC". False: not of that type.
 */
NODISCARD bool encode_time(enum codec_kind kind, struct pgvalue v, struct buf *out);

#endif
