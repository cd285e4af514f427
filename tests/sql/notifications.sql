-- Which occurrences are told of, on which channels, and that each is sent by one.
--
--     psql -X -v ON_ERROR_STOP=1 -f tests/sql/notifications.sql
--
-- Run as a superuser; everything is made in one transaction that is rolled back.

\set QUIET on
\o /dev/null
begin;
set local client_min_messages = warning;
create role notification_test_daemon;
set local fraiseql.grant_to = 'notification_test_daemon';
set local fraiseql.request_roles = '{}';
\ir ../../sql/system/000_schema.sql
\ir ../../sql/system/010_idempotency.sql
\ir ../../sql/system/040_revoked_tokens.sql
\ir ../../sql/system/060_partitions.sql
\ir ../../sql/system/065_jobs.sql
\ir ../../sql/system/070_errors.sql
\ir ../../sql/system/075_notifications.sql
\ir ../../sql/system/075_notifications.sql
\ir ../support/checks.sql

-- Dates are not written as ISO 8601 has them, and midnight here is not midnight in UTC.
set local timezone = 'Pacific/Auckland';
set local datestyle = 'SQL, DMY';

-- Thresholds.
select checks.is(fraiseql.notification_threshold(b, a, '{1,10,100,1000}', 1000), expected::bigint,
                 format('of the occurrences after %s up to %s, the one to be told of is %s', b, a, coalesce(expected::text, 'none')))
  from (values (0, 0, null), (0, 1, 1), (0, 5, 1), (1, 9, null), (1, 10, 10), (1, 99, 10), (9, 100, 100), (0, 5000, 5000), (10, 99, null),
               (999, 1000, 1000), (1000, 1999, null), (1000, 2000, 2000), (1999, 4321, 4000), (2000, 2999, null))
       v (b, a, expected);
select checks.is(fraiseql.notification_threshold(1000, 5000, '{1,10,100,1000}', 0), null::bigint, 'without then_every there are no more');
select checks.is(fraiseql.notification_threshold(0, 7, '{}', 5), 5::bigint, 'without a schedule every so many is told of');
select checks.is(fraiseql.notification_threshold(2, 100, '{3,150}', 50), 3::bigint, 'every so many begins beyond the schedule');

create function pg_temp.happen(fingerprint text, times integer, severity text default 'error', environment text default 'production',
                               at timestamptz default clock_timestamp()) returns void language sql as
$$
    select from fraiseql.record_errors(jsonb_build_array(jsonb_build_object(
        'fingerprint', fingerprint, 'environment', environment, 'type', upper(fingerprint), 'message', 'could not ' || fingerprint,
        'severity', severity, 'count', times, 'occurred_at', at, 'operation', 'Op', 'release', 'v1', 'trace_id', 'abc')))
$$;
create function pg_temp.plan(min_interval interval default '0s', max_per_hour integer default 0,
                             channels jsonb default '[{"name":"a","type":"webhook","recipient":"h","severities":["error","critical"]}]',
                             look interval default '0s', "window" interval default '24h')
    returns text language sql as
$$
    select format('%s %s %s', planned, held_back, expired)
      from fraiseql.plan_notifications(channels, '{1,10,100,1000}', 1000, min_interval, "window", max_per_hour, look)
$$;
-- What was written since the last time it was asked.
create temporary table told (id uuid);
create function pg_temp.news() returns text language sql as
$$
    with l as materialized (select l.*, g.error_fingerprint from fraiseql.tb_error_notification_log l
                              join fraiseql.tb_error_group g using (error_id)
                             where notification_id not in (select id from told)),
         t as (insert into told select notification_id from l)
    select string_agg(format('%s %s %s/%s%s', channel, error_fingerprint, threshold, occurrence_count,
                             case when reopened then ' again' else '' end), ', ' order by channel, error_fingerprint)
      from l
$$;
-- As if it all had been earlier.
create function pg_temp.earlier(by interval) returns void language sql as
$$
    update fraiseql.tb_error_group set last_seen = last_seen - by, resolved_at = resolved_at - by;
    update fraiseql.tb_error_notification_state set last_seen = last_seen - by;
    update fraiseql.tb_error_notification_told set told_at = told_at - by;
    update fraiseql.tb_error_notification_log set sent_at = sent_at - by, next_attempt_at = next_attempt_at - by
$$;

-- The schedule.
select checks.is(pg_temp.plan(), '0 0 0', 'where nothing has happened nothing is due');
select pg_temp.happen('one', 1);
select pg_temp.happen('minor', 1, 'warning');
select checks.is(pg_temp.plan(), '1 0 0', 'the first occurrence is due');
select checks.is(pg_temp.news(), 'a one 1/1', 'of severities that the channel is for');
select checks.is(pg_temp.plan(), '0 0 0', 'once');
select pg_temp.happen('one', 8);
select checks.is(pg_temp.plan(), '0 0 0', 'the ninth is not due');
select pg_temp.happen('one', 1);
select pg_temp.plan();
select checks.is(pg_temp.news(), 'a one 10/10', 'the tenth is');
select pg_temp.happen('one', 2490);
select pg_temp.plan();
select checks.is(pg_temp.news(), 'a one 2000/2500', 'of several that were passed, the last');
select checks.is((select min(told_count) from fraiseql.tb_error_notification_told), 2500::bigint, 'and the channel knows how far it has been told');

-- The least time between two of one error.
select pg_temp.happen('slow', 1);
select pg_temp.plan('1m');
select pg_temp.happen('slow', 99);
select checks.is(pg_temp.plan('1m'), '0 0 0', 'what falls due too soon waits');
select pg_temp.happen('other', 1);
select checks.is(pg_temp.plan('1m'), '1 0 0', 'for that error only');
select pg_temp.earlier('61s');
select pg_temp.news();
select checks.is(pg_temp.plan('1m'), '1 0 0', 'and is due when the time has passed');
select checks.is(pg_temp.news(), 'a slow 100/100', 'as one');

-- Quiet, resolved, ignored.
select pg_temp.earlier('25h');
select pg_temp.happen('one', 1);
select pg_temp.plan();
select checks.is(pg_temp.news(), 'a one 1/2501', 'after a day of quiet it is counted from 1 again');
select pg_temp.happen('one', 8);
select checks.is(pg_temp.plan(), '0 0 0', 'from there on');
select pg_temp.happen('one', 1);
select pg_temp.plan();
select checks.is(pg_temp.news(), 'a one 10/2510', 'the tenth is due again');
select fraiseql.resolve_error((select error_id from fraiseql.tb_error_group where error_fingerprint = 'one'), 'ann');
select pg_temp.happen('one', 3);
select pg_temp.plan();
select checks.is(pg_temp.news(), 'a one 1/2513 again', 'so it is when it was resolved, and that is told');
select pg_temp.happen('quiet', 1);
select fraiseql.set_error_status(error_id, 'ignored', 'ann') from fraiseql.tb_error_group where error_fingerprint = 'quiet';
select pg_temp.happen('done', 1);
select fraiseql.resolve_error(error_id, 'ann') from fraiseql.tb_error_group where error_fingerprint = 'done';
select pg_temp.happen('quiet', 1000);
select checks.is(pg_temp.plan(), '0 0 0', 'what is ignored or resolved is not told of');
select pg_temp.happen('old', 1, at => clock_timestamp() - interval '2 days');
select checks.is(pg_temp.plan(), '0 0 0', 'nor what is long past');

-- Not too many an hour.
update fraiseql.tb_error_notification_log set sent_at = sent_at - interval '2 hours';
select pg_temp.happen('m' || n, 1) from generate_series(1, 5) n;
select pg_temp.happen('worst', 1, 'critical');
select checks.is(pg_temp.plan(max_per_hour => 3), '3 3 0', 'beyond so many within an hour they are held back');
select checks.is(pg_temp.news() like '%worst%', true, 'the worst goes first');
select checks.is(pg_temp.plan(max_per_hour => 3), '0 3 0', 'and wait');
update fraiseql.tb_error_notification_log set sent_at = sent_at - interval '2 hours';
select pg_temp.happen('m5', 98);
select checks.is(pg_temp.plan(max_per_hour => 3), '3 0 0', 'until there is room');
select pg_temp.news();

-- Channels of the table.
update fraiseql.tb_error_group set status = 'ignored';
insert into fraiseql.tb_error_notification_config (config_id, error_type, severity, environment, min_occurrence_count, channel_type, channel_config,
                                                   rate_limit_minutes, schedule, then_every)
values ('00000000-0000-0000-0000-000000000001', null, '{critical}', null, 1, 'webhook', '{"url": "https://user:pw@h.example:8443/x?k=secret"}', 60, null, null),
       ('00000000-0000-0000-0000-000000000002', 'TWO', null, '{production}', 1, 'email', '{"to": ["a@x", "b@x"]}', 0, '{5000,2}', 0),
       ('00000000-0000-0000-0000-000000000003', null, null, '{staging}', 5, 'notify', '{"channel": "errors"}', 0, null, null),
       ('00000000-0000-0000-0000-000000000004', null, null, null, 1, 'slack', '{"webhook_url": "https://[2001:db8::1]/T/B/secret"}', 0, null, null);
update fraiseql.tb_error_notification_config set enabled = false where config_id::text like '%4';
select pg_temp.happen('two', 1);
select pg_temp.happen('three', 4, 'critical', 'staging');
select pg_temp.plan(channels => '[]');
select checks.is(pg_temp.news(), '00000000-0000-0000-0000-000000000001 three 1/4', 'by severity');
select pg_temp.happen('two', 1);
select pg_temp.happen('three', 6, 'critical', 'staging');
select pg_temp.plan(channels => '[]');
select checks.is(pg_temp.news(), '00000000-0000-0000-0000-000000000002 two 2/2, 00000000-0000-0000-0000-000000000003 three 10/10',
                 'by type and environment, from a count on, by a schedule of its own, not more often than it says');
select pg_temp.happen('two', 998);
select checks.is(pg_temp.plan(channels => '[]'), '0 0 0', 'nor oftener than it says');
update fraiseql.tb_error_notification_config set enabled = true where config_id::text like '%4';
update fraiseql.tb_error_group set status = 'ignored' where error_fingerprint = 'three';
select checks.is(pg_temp.plan(channels => '[]'), '0 0 0', 'a channel that is enabled does not hear of what is past');
select pg_temp.happen('two', 1);
select pg_temp.plan(channels => '[]');
select checks.is(pg_temp.news(), '00000000-0000-0000-0000-000000000004 two 1000/1001', 'but of what happens again');
select checks.is((select string_agg(distinct recipient, ' | ' order by recipient) from fraiseql.tb_error_notification_log where config_id is not null),
                 '[2001:db8::1] | a@x, b@x | errors | h.example', 'recipients are told without what is secret');
select checks.is((select count(*) from fraiseql.tb_error_notification_config where last_triggered is not null), 4::bigint, 'the table says when');
select checks.fails($$ insert into fraiseql.tb_error_notification_config (channel_type, channel_config) values ('pigeon', '{}') $$, '23514',
                    'a channel is of a type that there is');
select checks.fails($$ insert into fraiseql.tb_error_notification_config (channel_type, channel_config, severity) values ('slack', '{}', '{fatal}') $$,
                    '23514', 'and for severities that there are');

-- Looking.
update fraiseql.tb_error_group set status = 'ignored';
select checks.is(pg_temp.plan(look => '1h'), '0 0 0', 'looked a moment ago');
select pg_temp.happen('five', 1);
select checks.is(pg_temp.plan(look => '1h'), '0 0 0', 'nobody looks again');
update fraiseql.tb_error_notification_look set looked_at = looked_at - interval '1 hour';
select checks.is(pg_temp.plan(look => '1h'), '2 0 0', 'until it is time');
update fraiseql.tb_error_notification_look set looked_at = looked_at + interval '1 day';
select pg_temp.happen('six', 1);
select checks.is(pg_temp.plan(look => '1h'), '2 0 0', 'a clock that was put back does not stop it');

-- Sending, as the daemon.
delete from fraiseql.tb_error_notification_log;
update fraiseql.tb_error_group set status = 'ignored';
delete from fraiseql.tb_error_notification_config;
insert into fraiseql.tb_error_notification_config (config_id, error_type, channel_type, channel_config, message_template)
values ('00000000-0000-0000-0000-000000000005', 'SEND', 'notify', '{"channel": "errors"}', 't');
select pg_temp.happen('send', 1, 'error', 'staging', '2026-01-02 03:04:05+00'::timestamptz);
update fraiseql.tb_error_group set last_seen = clock_timestamp() where error_fingerprint = 'send';
select checks.is(pg_temp.plan(), '2 0 0', 'there are two to be sent');
set local role notification_test_daemon;
create function pg_temp.claim(channels text[] default '{a}', busy text[] default '{}', lease interval default '1m') returns text language sql as
$$ select format('%s %s %s %s %s', channel, channel_type, attempt, channel_config, message_template)
     from fraiseql.claim_notification(channels, busy, lease, 'd') $$;
select checks.is(pg_temp.claim('{}'), '00000000-0000-0000-0000-000000000005 notify 1 {"channel": "errors"} t', 'one of the table is anybody''s');
select checks.is(pg_temp.claim('{}'), null, 'one of the configuration only theirs who have the channel');
select checks.is(pg_temp.claim('{a}', '{a}'), null, 'unless it is busy');
select checks.is(pg_temp.claim(), 'a webhook 1  ', 'and is claimed');
select checks.is(pg_temp.claim(), null, 'by one');
reset role;
update fraiseql.tb_error_notification_log set next_attempt_at = clock_timestamp() where channel = 'a';
select checks.is((select details - 'notification_id' - 'error_id' - 'last_seen' from fraiseql.claim_notification('{a}', '{}', '1m', 'd')),
                 '{"fingerprint": "send", "error_type": "SEND", "message": "could not send", "sqlstate": null, "operation": "Op", "path": null,
                   "severity": "error", "environment": "staging", "release": "v1", "occurrence_count": 1, "threshold": 1, "reopened": false,
                   "first_seen": "2026-01-02T03:04:05+00:00", "trace_id": "abc"}'::jsonb,
                 'when the time of who had it is over, the next has it, with all there is to say');
set local role notification_test_daemon;
create function pg_temp.finish(attempt integer, status text, message text, pause interval) returns boolean language sql as
$$ select fraiseql.finish_notification(notification_id, sent_at, $1, $2, $3, $4)
     from fraiseql.tb_error_notification_log where channel = 'a' $$;
select checks.is(pg_temp.finish(1, 'sent', null, '0s'), false, 'who comes late has no say');
select checks.is(pg_temp.finish(2, 'pending', 'status 500', '1m'), true, 'who has it says that it failed');
select checks.is(pg_temp.claim(), null, 'it rests for a while');
reset role;
update fraiseql.tb_error_notification_log set next_attempt_at = clock_timestamp();
set local role notification_test_daemon;
select checks.is(pg_temp.claim('{a}', '{00000000-0000-0000-0000-000000000005}'), 'a webhook 3  ', 'and is tried again');
select checks.is(pg_temp.finish(3, 'sent', null, '0s'), true, 'until it is sent');
select checks.is((select format('%s %s %s', status, error_message, finished_at is not null) from fraiseql.tb_error_notification_log where channel = 'a'),
                 'sent  t', 'which the log says');
select checks.is(pg_temp.finish(3, 'failed', 'x', '0s'), false, 'and nobody changes');
select checks.fails('select from fraiseql.tb_error_notification_config', '42501', 'the daemon cannot read secrets of the table at large');
select checks.fails('delete from fraiseql.tb_error_notification_log', '42501', 'nor change the log');
reset role;
update fraiseql.tb_error_notification_log set sent_at = sent_at - interval '25 hours', next_attempt_at = clock_timestamp() - interval '1s',
                                              error_message = 'status 500' where status = 'pending';
select checks.is(pg_temp.plan(), '0 0 1', 'what nobody sends for a day is given up');
select checks.is((select error_message from fraiseql.tb_error_notification_log where status = 'failed'), 'status 500; no daemon has sent it in time', 'with the reason');

-- Keeping.
delete from fraiseql.tb_error_group;
select checks.is((select count(*) from fraiseql.tb_error_notification_state) + (select count(*) from fraiseql.tb_error_notification_told), 0::bigint,
                 'what is remembered of an error goes with it');
select fraiseql.create_error_notification_log_partition(now() - interval '8 months');
select fraiseql.create_error_notification_log_partition(now() - interval '5 months');
insert into fraiseql.tb_error_notification_log (error_id, sent_at, channel_type, recipient, channel, threshold, occurrence_count)
select gen_random_uuid(), now() - n * interval '1 month', 'slack', '', 's', 1, 1 from (values (8), (5)) v (n);
set local role notification_test_daemon;
select checks.is(fraiseql.drop_old_error_notification_log_partitions(), 1, 'months of the log that are past keeping are dropped');
reset role;
select checks.is((select string_agg(date_trunc('month', sent_at, 'UTC')::text, ',') from fraiseql.tb_error_notification_log where channel = 's'),
                 date_trunc('month', now() - interval '5 months', 'UTC')::text, 'the others stay');
select checks.is((select (ahead_now, default_rows) from fraiseql.partition_status where parent = 'fraiseql.tb_error_notification_log'::regclass),
                 (3::bigint, 0::bigint), 'three months are made ahead');
create role notification_test_other;
set local role notification_test_other;
select checks.fails('select fraiseql.claim_notification(null, null, null, null)', '42501', 'others may nothing');
reset role;

rollback;
