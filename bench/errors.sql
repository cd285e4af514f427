-- errors.sql - occurrences of errors over six months, as daemons would have recorded them.
--
--     psql -v occurrences=5000000 -f errors.sql      of 100 kinds and 234 tenants
--
-- One of a hundred stands for several. Groups, hours and days follow from the occurrences.

\set QUIET on
set client_min_messages = warning;
set synchronous_commit = off;
set timezone = 'UTC';
truncate fraiseql.tb_error_occurrence, fraiseql.tb_error_group, fraiseql.tb_error_hour, fraiseql.tb_error_day cascade;
\o /dev/null
select fraiseql.create_partition(parent, now() - i * interval '1 month')
  from generate_series(0, 6) i, unnest(array['fraiseql.tb_error_occurrence', 'fraiseql.tb_error_hour', 'fraiseql.tb_error_day']::regclass[]) parent;
select setseed(0.5);
\o
create temp table kind as
    select i as kind, md5(i::text) as fingerprint, fraiseql.error_id(md5(i::text), 'production') as error_id,
           (array['INTERNAL_SERVER_ERROR', 'TIMEOUT', 'SERVICE_UNAVAILABLE', 'FORBIDDEN'])[1 + i % 4] as type
      from generate_series(0, 99) i;
insert into fraiseql.tb_error_occurrence
       (error_id, occurred_at, occurrences, message, release_version, request_id, trace_id, span_id, request_context, user_context,
        application_context, breadcrumbs)
select (select k.error_id from kind k where k.kind = o.kind),
       now() - o.n * (interval '180 days' / :occurrences),
       case when o.n % 100 = 0 then 1 + (o.n / 100) % 50 else 1 end,
       'duplicate key value violates unique constraint "t_' || o.n || '_key"', '1.4.' || o.n % 10, md5(o.n::text), md5(o.n::text), left(md5(o.n::text), 16),
       jsonb_build_object('method', 'POST', 'path', '/graphql', 'operation_name', 'Operation' || o.kind, 'client', '10.0.0.1',
                          'user_agent', 'Mozilla/5.0', 'variables', jsonb_build_object('id', md5(o.n::text))),
       jsonb_build_object('tenant_id', md5((o.n % 234)::text)::uuid, 'user_id', md5((o.n % 60000)::text)::uuid, 'role', 'app_user'),
       '{"host": "fraiseqld-7f9c", "pid": 1, "version": "0.1.0"}', '[{"ms": 1.2, "stage": "database", "at_ms": 0.3}]'
  from (select n, (99 * power(random(), 3))::integer as kind from generate_series(1, :occurrences) n) o;
insert into fraiseql.tb_error_group (error_id, error_fingerprint, environment, error_type, error_message, severity, status, operation,
                                     occurrence_count, first_seen, last_seen)
select k.error_id, k.fingerprint, 'production', k.type, 'duplicate key value violates unique constraint "t_#_key"', 'error',
       case when k.kind % 10 = 9 then 'resolved' else 'unresolved' end, 'Operation' || k.kind, o.occurrences, o.first_seen, o.last_seen
  from (select error_id, sum(occurrences) as occurrences, min(occurred_at) as first_seen, max(occurred_at) as last_seen
          from fraiseql.tb_error_occurrence group by 1) o
  join kind k using (error_id);
insert into fraiseql.tb_error_hour
select date_trunc('hour', occurred_at), error_id, sum(occurrences) from fraiseql.tb_error_occurrence group by 1, 2;
insert into fraiseql.tb_error_day
select occurred_at::date, error_id, sum(occurrences) from fraiseql.tb_error_occurrence group by 1, 2;
vacuum (analyze) fraiseql.tb_error_occurrence, fraiseql.tb_error_group, fraiseql.tb_error_hour, fraiseql.tb_error_day;
select 'occurrences: ' || count(*) || ', standing for ' || sum(occurrences) from fraiseql.tb_error_occurrence;
select 'groups: ' || count(*) from fraiseql.tb_error_group;
select 'size: ' || pg_size_pretty(sum(bytes)) from fraiseql.partition_stats where parent = 'fraiseql.tb_error_occurrence'::regclass;
