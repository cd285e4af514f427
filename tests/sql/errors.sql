-- Errors are counted exactly whatever is sent twice, late or for many; and reopened, resolved, asked and forgotten.
--
--     psql -X -v ON_ERROR_STOP=1 -f tests/sql/errors.sql
--
-- Run as a superuser; everything is made in one transaction that is rolled back.

\set QUIET on
\o /dev/null
begin;
set local client_min_messages = warning;
create role error_test_daemon;
create role error_test_request;
set local fraiseql.grant_to = 'error_test_daemon';
set local fraiseql.request_roles = '{error_test_request}';
\ir ../../sql/system/000_schema.sql
\ir ../../sql/system/010_idempotency.sql
\ir ../../sql/system/040_revoked_tokens.sql
\ir ../../sql/system/060_partitions.sql
\ir ../../sql/system/065_jobs.sql
\ir ../../sql/system/070_errors.sql
\ir ../../sql/system/070_errors.sql
\ir ../support/checks.sql

-- A time zone whose hours are not those of UTC.
set local timezone = 'Asia/Kathmandu';
set local datestyle = 'SQL, DMY';
set local search_path = "$user", public, fraiseql;

-- What the daemon does, as the daemon's role.
set local role error_test_daemon;

create function pg_temp.error(fingerprint text, more jsonb default '{}') returns jsonb language sql volatile as
$$
    select jsonb_build_object('fingerprint', fingerprint, 'type', 'INTERNAL_SERVER_ERROR', 'message', 'could not ' || fingerprint,
                              'occurred_at', clock_timestamp()) || more
$$;
create function pg_temp.id(fingerprint text, environment text default 'production') returns uuid language sql immutable as
$$ select fraiseql.error_id(fingerprint, environment) $$;

-- Counting. (Of a statement that writes, only the next one sees what it wrote: hence a variable.)
create temp table got (t text);
create function pg_temp.record(variadic elements jsonb[]) returns void language plpgsql as
$$
begin
    create temp table recording on commit drop as select * from fraiseql.record_errors(to_jsonb(elements));
    delete from got;
    insert into got
    select string_agg(format('%s %s-%s%s', g.error_fingerprint, r.count_before, r.count_after,
                             case when r.reopened then ' reopened' else '' end), ', ' order by g.error_fingerprint collate "C", g.environment collate "C")
      from recording r join fraiseql.tb_error_group g using (error_id);
    drop table recording;
end
$$;

select pg_temp.record(pg_temp.error('a'), pg_temp.error('b', '{"count": 9}'), pg_temp.error('a'));
select checks.is((table got), 'a 0-2, b 0-9', 'each error is told with the count before and after');
select pg_temp.record(pg_temp.error('b'), pg_temp.error('b', '{"environment": "staging"}'));
select checks.is((table got), 'b 9-10, b 0-1', 'and goes on counting; another environment has its own count');
select checks.is((select count(*) from tb_error_log where error_id = pg_temp.id('b')), 10::bigint,
                 'the log has a row for each time, of whatever was kept');
select checks.is((select count(*) from tb_error_occurrence where error_id = pg_temp.id('b')), 2::bigint, 'though few were kept');
select checks.is((select sum(occurrences)::bigint from tb_error_hour where error_id = pg_temp.id('b')), 10::bigint, 'they are counted by hour');
select checks.is((select sum(occurrences)::bigint from tb_error_day where error_id = pg_temp.id('b')), 10::bigint, 'and by day');
select pg_temp.record(pg_temp.error('c', '{"occurrence_id": "00000000-0000-0000-0000-000000000001", "occurred_at": "2020-01-01T00:00:00Z", "count": 5}'),
                      pg_temp.error('c', '{"occurrence_id": "00000000-0000-0000-0000-000000000002", "occurred_at": "2020-01-01T00:29:59Z"}'));
select pg_temp.record(pg_temp.error('c', '{"occurrence_id": "00000000-0000-0000-0000-000000000002", "occurred_at": "2020-01-01T00:29:59Z"}'),
                      pg_temp.error('c', '{"occurrence_id": "00000000-0000-0000-0000-000000000003", "occurred_at": "2019-12-31T23:59:59Z"}'),
                      pg_temp.error('c', '{"occurrence_id": "00000000-0000-0000-0000-000000000003", "occurred_at": "2019-12-31T23:59:59Z"}'));
select checks.is((table got), 'c 6-7', 'what is sent twice is counted once, in one call or two');
select pg_temp.record(pg_temp.error('c', '{"occurrence_id": "00000000-0000-0000-0000-000000000002", "occurred_at": "2020-01-01T00:29:59Z"}'));
select checks.is((table got), null, 'and if nothing is new, no error is told');
select checks.is((select string_agg(to_char(hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI ') || occurrences, ', ' order by hour) from tb_error_hour
                   where error_id = pg_temp.id('c')), '2019-12-31T23:00 1, 2020-01-01T00:00 6', 'hours are those of UTC');
select checks.is((select string_agg(to_char(day, 'YYYY-MM-DD ') || occurrences, ', ' order by day) from tb_error_day
                   where error_id = pg_temp.id('c')), '2019-12-31 1, 2020-01-01 6', 'so are days');
select checks.is((select (first_seen, last_seen, occurrence_count) from tb_error_group where error_id = pg_temp.id('c')),
                 ('2019-12-31T23:59:59Z'::timestamptz, '2020-01-01T00:29:59Z'::timestamptz, 7::bigint), 'what comes late is seen first');
select checks.is((select count(*) from fraiseql.record_errors('[]')), 0::bigint, 'nothing is nothing');
select checks.fails($$ select fraiseql.record_errors('[{"type": "X"}]') $$, '23502', 'what has no fingerprint is an error');
select checks.fails($$ select fraiseql.record_errors('[{"fingerprint": "x", "type": "X", "count": 0}]') $$, '23514', 'and what never happened');
select checks.is(pg_temp.id('a'), '9d36f07d-7cd4-175c-5498-4b2ae6791407'::uuid, 'an id follows from fingerprint and environment');

-- What is kept of each.
select pg_temp.record(pg_temp.error('full', '{"sqlstate": "23505", "operation": "Save", "path": "save.items", "severity": "critical", "detail": "key (a)=(7)",
    "release": "1.0", "request_id": "r1", "trace_id": "t1", "span_id": "s1", "stack_trace": "function f() line 3", "request_context": {"method": "POST"},
    "user_context": {"tenant_id": "acme"}, "application_context": {"host": "h"}, "breadcrumbs": [{"stage": "plan"}], "fingerprint_version": 2}'));
select checks.is((select (error_type, error_message, sqlstate, operation, path, severity, fingerprint_version, first_release)::text from tb_error_group
                   where error_id = pg_temp.id('full')), '(INTERNAL_SERVER_ERROR,"could not full",23505,Save,save.items,critical,2,1.0)',
                 'a group has what occurrences have in common');
select checks.is((select (message, release_version, request_id, trace_id, span_id, stack_trace, request_context, user_context, application_context,
                          breadcrumbs)::text from tb_error_log where error_id = pg_temp.id('full')),
                 '("key (a)=(7)",1.0,r1,t1,s1,"function f() line 3","{""method"": ""POST""}","{""tenant_id"": ""acme""}","{""host"": ""h""}",'
                 '"[{""stage"": ""plan""}]")', 'an occurrence has the rest');
select pg_temp.record(pg_temp.error('full', '{"release": "1.1", "trace_id": "t2"}'),
                      pg_temp.error('full', '{"release": "0.9", "trace_id": "t0", "occurred_at": "2020-01-01T00:00:00Z"}'));
select checks.is((select (first_release, last_release, last_trace_id)::text from tb_error_group where error_id = pg_temp.id('full')), '(1.0,1.1,t2)',
                 'the last release is that of what happened last, whenever it is told');

-- What becomes of it.
select checks.is(resolve_error(pg_temp.id('a'), 'ann', 'deployed'), true, 'an error is resolved');
select checks.is(resolve_error(pg_temp.id('nothing'), 'ann'), false, 'if there is one');
select checks.is((select (status, resolved_by, resolution_notes, resolved_at <= clock_timestamp())::text from tb_error_group where error_id = pg_temp.id('a')),
                 '(resolved,ann,deployed,t)', 'by somebody');
select pg_temp.record(pg_temp.error('a', '{"occurred_at": "2020-01-01T00:00:00Z"}'));
select checks.is((table got), 'a 2-3', 'what happened before does not reopen it');
select pg_temp.record(pg_temp.error('a'), pg_temp.error('b'));
select checks.is((table got), 'a 3-4 reopened, b 10-11', 'what happens afterwards does');
select pg_temp.record(pg_temp.error('a'));
select checks.is((table got), 'a 4-5', 'once');
select checks.is((select (status, reopen_count, reopened_at > resolved_at)::text from tb_error_group where error_id = pg_temp.id('a')), '(unresolved,1,t)',
                 'which the group tells');
select set_error_status(pg_temp.id('b'), 'ignored', 'ann', 'known');
select pg_temp.record(pg_temp.error('b'));
select checks.is((table got), 'b 11-12', 'what is ignored stays so, and is counted');
select checks.is((select status from tb_error_group where error_id = pg_temp.id('b')), 'ignored', 'what is ignored stays so');
select checks.fails(format('select set_error_status(%L, ''gone'', ''ann'')', pg_temp.id('b')), '23514', 'there are four statuses');

reset role;
set local search_path = "$user", public, fraiseql;
update tb_error_log set status = 'investigating', assigned_to = 'bob' where error_id = pg_temp.id('b');
select checks.is((select (status, assigned_to)::text from tb_error_group where error_id = pg_temp.id('b')), '(investigating,bob)',
                 'the log''s status is the group''s');
select checks.is((select count(*) from tb_error_group where status = 'investigating'), 1::bigint, 'and of no other');
update tb_error_log set status = 'resolved', resolved_by = 'bob' where error_id = pg_temp.id('b');
select checks.is((select (status, resolved_by, resolved_at is not null)::text from tb_error_group where error_id = pg_temp.id('b')), '(resolved,bob,t)',
                 'resolved so, it has its time');
update tb_error_log set resolved_at = '2020-01-01T00:00:00Z' where error_id = pg_temp.id('b');
select checks.is((select resolved_at from tb_error_group where error_id = pg_temp.id('b')), '2020-01-01T00:00:00Z'::timestamptz, 'which can be another');
select checks.fails($$ update tb_error_log set error_type = 'X' $$, '0A000', 'what happened cannot be changed');
select checks.fails($$ delete from tb_error_log $$, '55000', 'nor deleted by the log');

-- What is asked.
select checks.is((select (total_errors, unresolved_errors, unique_error_types)::text from get_error_stats()), '(19,3,1)', 'statistics tell the last day');
select checks.is((select total_errors from get_error_stats(1)), 19::bigint, 'or hour');
select checks.is((select total_errors from get_error_stats(24 * 365 * 100)), 28::bigint, 'or as many as there are');
select checks.is((select avg_resolution_time_hours from get_error_stats()), null, 'what was not resolved took no time');
update tb_error_group set status = 'resolved', first_seen = now() - interval '36 hours', resolved_at = now() - interval '1 hour' where error_id = pg_temp.id('b');
select checks.is((select avg_resolution_time_hours from get_error_stats()), 35.00, 'what was resolved took as long as it was open');
update tb_error_group set reopened_at = now() - interval '2 hours' where error_id = pg_temp.id('b');
select checks.is((select avg_resolution_time_hours from get_error_stats()), 1.00, 'since it was reopened');
select checks.is((select string_agg(error_fingerprint || ' ' || recent_occurrences || ' of ' || occurrence_count, ', ' order by error_fingerprint, environment)
                    from v_active_errors), 'a 4 of 5, b 1 of 1, full 2 of 3', 'active is what happened lately and is open');
select checks.is((select (count(distinct severity), sum(error_count))::text from v_error_trends), '(2,19)', 'trends are by hour, type and severity');
select checks.is((select string_agg(error_fingerprint || ' ' || occurrence_count || ' of ' || total_count, ', ') from v_top_errors where environment = 'production'),
                 'b 12 of 12, a 4 of 5, full 2 of 3', 'the top are those of the week');
select checks.is((select count(*) from get_partition_stats() where table_name = 'tb_error_occurrence'), 5::bigint, 'partitions are there, and told');
select checks.is(ensure_error_occurrence_partitions(3), 0, 'three months ahead');

-- Too many kinds.
insert into tb_error_group (error_id, error_fingerprint, environment, error_type, error_message, severity, occurrence_count, first_seen, last_seen)
select pg_temp.id('many ' || i), 'many ' || i, 'production', 'X', '', 'error', 1, now(), now() from generate_series(1, 9990) i;
select pg_temp.record(variadic (select array_agg(pg_temp.error('new ' || i)) from generate_series(1, 10) i));
select checks.is((select count(*) from tb_error_group where error_fingerprint like 'new %'), 10::bigint, 'groups are made');
select pg_temp.record(pg_temp.error('one more'), pg_temp.error('and one'), pg_temp.error('new 1'));
select checks.is((table got), 'new 1 1-2, others 0-2', 'to a number; then new ones are counted together');
select checks.is((select error_type from tb_error_group where error_fingerprint = 'others'), 'OTHERS', 'under a name that says so');

-- What is old is dropped, and then forgotten.
select checks.is(fraiseql.forget_error_groups(), 0::bigint, 'what something is kept of stays');
select fraiseql.create_partition('fraiseql.tb_error_occurrence', at), fraiseql.create_partition('fraiseql.tb_error_hour', at),
       fraiseql.create_partition('fraiseql.tb_error_day', at) from unnest(array['2019-12-15', '2020-01-15']::timestamptz[]) at;
select checks.is(drop_old_error_occurrence_partitions(6) + fraiseql.drop_old_partitions('fraiseql.tb_error_hour')
                 + fraiseql.drop_old_partitions('fraiseql.tb_error_day'), 6, 'old partitions are dropped');
select checks.is((select count(*) from tb_error_log where error_id = pg_temp.id('c')), 0::bigint, 'with what was in them');
set local role error_test_daemon;
select checks.is(fraiseql.forget_expired(), 1::bigint, 'the group of what is kept no longer is forgotten with all that expires');
reset role;
select checks.is((select count(*) from tb_error_group where error_id = pg_temp.id('c')), 0::bigint, 'it is gone');

-- Who may.
set local role error_test_daemon;
select checks.fails('delete from fraiseql.tb_error_group', '42501', 'the daemon deletes nothing');
select checks.fails('update fraiseql.tb_error_log set status = ''ignored''', '42501', 'and changes the log by functions only');
select checks.fails('insert into fraiseql.tb_error_occurrence (error_id, occurred_at) values (gen_random_uuid(), now())', '42501',
                    'as it records');
reset role;
set local role error_test_request;
set local search_path = fraiseql, public;
select checks.fails(s, '42501', 'requests see and do nothing: ' || s)
  from unnest(array['select * from fraiseql.tb_error_log', 'select * from fraiseql.v_top_errors', 'select fraiseql.record_errors(''[]'')',
                    'select fraiseql.get_error_stats()', 'select * from fraiseql.tb_error_hour']) s;
reset role;

rollback;
