/*
 * error_report.h - what is recorded of an error in a request.
 *
 * Thread:   any; struct error_reports is constant but for what waits.
 * Memory:   the request's arena; what waits is copied.
 * Not here: counting and keeping (tracking/pending.h), writing (jobs/error_recorder.h).
 */
#ifndef SERVER_ERROR_REPORT_H
#define SERVER_ERROR_REPORT_H

#include "config/config.h"
#include "execution/execute.h"
#include "http/exchange.h"
#include "tracking/fingerprint.h"
#include "tracking/pending.h"
#include "tracking/redact.h"

struct error_reports {
    struct fingerprint_options fingerprint;
    struct pending *pending;
    struct redact_options redact;
    bool capture_query;
    struct str release;
    struct str application; /* a JSON object: which daemon */
};

/* Do the names make sense? False with CONFIG_INVALID errors. */
NODISCARD bool error_reports_check(const struct config *c, struct errors *errs);
/* Of a checked configuration; without `pending`. */
struct error_reports error_reports_of(const struct config *c, struct arena *a);
/*
 * The errors of an execution that have an identity are counted, and kept in full where that is
 * wanted. Never waits for anything but other reports.
 */
void error_report(const struct error_reports *r, const struct execution *x,
                  const struct http_request *q);

#endif
