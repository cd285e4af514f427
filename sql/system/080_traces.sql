-- Traces of requests, and what the daemons' metrics were at each minute.
--
-- Every daemon writes what it samples (observability.tracing) and its metrics (observability.otel_metrics), several
-- rows in one statement. Both tables are partitioned by day; what has no partition goes to the default one.
--
--     select * from otel_traces where trace_id = '…' order by start_time;
--
-- They hold statements and names of operations, never values of variables; nobody reads them but whom the owner lets.

create table if not exists fraiseql.otel_traces (
    trace_id            text not null,
    span_id             text not null,
    parent_span_id      text,
    operation_name      text not null,
    service_name        text not null,
    span_kind           text not null,
    start_time          timestamptz not null,
    end_time            timestamptz not null,
    duration_ms         double precision not null,
    status_code         text not null check (status_code in ('UNSET', 'OK', 'ERROR')),
    status_message      text,
    attributes          jsonb not null default '{}',
    resource_attributes jsonb not null default '{}',
    events              jsonb not null default '[]',
    links               jsonb not null default '[]',
    primary key (trace_id, span_id, start_time)
) partition by range (start_time);

create index if not exists otel_traces_start_time_idx on fraiseql.otel_traces using brin (start_time) with (pages_per_range = 32);

comment on table fraiseql.otel_traces is 'Spans of sampled requests, of those with errors and of slow ones; a partition for each day.';
comment on column fraiseql.otel_traces.trace_id is '32 hexadecimal digits, as in traceparent, in the log and in X-Request-Id where the daemon made it.';
comment on column fraiseql.otel_traces.operation_name is 'Name of the span: what was done, such as POST /graphql, query or database.';
comment on column fraiseql.otel_traces.span_kind is 'SERVER: the request; CLIENT: the database; INTERNAL: the rest.';
comment on column fraiseql.otel_traces.status_message is 'Code of the first error.';
comment on column fraiseql.otel_traces.attributes is 'Named as the semantic conventions of OpenTelemetry do.';

create table if not exists fraiseql.otel_metrics (
    metric_id           uuid not null default pg_catalog.gen_random_uuid(),
    metric_name         text not null,
    metric_type         text not null check (metric_type in ('counter', 'gauge', 'histogram')),
    value               double precision not null,
    "timestamp"         timestamptz not null default pg_catalog.now(),
    labels              jsonb not null default '{}',
    resource_attributes jsonb not null default '{}',
    bucket_bounds       jsonb,
    quantiles           jsonb,
    primary key (metric_id, "timestamp")
) partition by range ("timestamp");

create index if not exists otel_metrics_name_idx on fraiseql.otel_metrics (metric_name, "timestamp");

comment on table fraiseql.otel_metrics is 'The daemons'' metrics at intervals, as Prometheus would see them; a partition for each day.';
comment on column fraiseql.otel_metrics.value is 'Counters: since the daemon''s start; histograms: the number of observations.';
comment on column fraiseql.otel_metrics.bucket_bounds is 'Of histograms: {"sum", "bounds", "counts"}; one more count than bounds, not cumulated; seconds.';
comment on column fraiseql.otel_metrics.quantiles is 'Of histograms: estimates of 0.5, 0.95 and 0.99 since the daemon''s start.';

-- What was slow within the last hour, by operation.
create or replace view fraiseql.v_slow_traces as
    select t.attributes ->> 'graphql.operation.name' as graphql_operation_name,
           pg_catalog.count(*) as requests,
           pg_catalog.percentile_cont(0.95) within group (order by t.duration_ms) as p95_duration_ms,
           pg_catalog.max(t.duration_ms) as max_duration_ms,
           pg_catalog.count(*) filter (where t.status_code = 'ERROR') as errors
      from fraiseql.otel_traces t
     where t.span_kind = 'SERVER' and t.start_time > pg_catalog.now() - interval '1 hour'
     group by 1
     order by 3 desc;

comment on view fraiseql.v_slow_traces is 'Traced requests of the last hour by operation, the slowest first. Only what was sampled is counted.';

revoke all on table fraiseql.otel_traces, fraiseql.otel_metrics, fraiseql.v_slow_traces from public;

do $$
begin
    perform fraiseql.register_partitions('fraiseql.otel_traces', 'day', 7, 14);
    perform fraiseql.register_partitions('fraiseql.otel_metrics', 'day', 7, 30);
    if pg_catalog.current_setting('fraiseql.grant_to', true) <> '' then
        execute pg_catalog.format('grant select, insert on table fraiseql.otel_traces, fraiseql.otel_metrics to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
        execute pg_catalog.format('grant select on table fraiseql.v_slow_traces to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
    end if;
end
$$;
