/*
 * ops_endpoints.h - health, readiness and metrics; answered on the loop at once.
 */
#ifndef SERVER_OPS_ENDPOINTS_H
#define SERVER_OPS_ENDPOINTS_H

#include "server/endpoints.h"

/* Does every worker come round? */
bool ops_is_live(const struct health *h);
bool ops_has_schema(const struct health *h);
/* Each fills in status, type and body. */
void ops_live(const struct health *h, struct http_reply *r);
void ops_ready(const struct health *h, struct http_reply *r);
void ops_startup(const struct health *h, struct http_reply *r);
void ops_metrics(const struct health *h, struct http_reply *r);
void ops_openmetrics(const struct health *h, struct http_reply *r);
/* Does Accept prefer OpenMetrics to Prometheus's text? (RFC 9110 section 12.5.1) */
bool ops_wants_openmetrics(struct str accept);
/* The gauges of what it knows. Any thread. */
void ops_update_gauges(const struct health *h);

#endif
