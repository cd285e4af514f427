-- The result cache in SQL: what is tracked, when an answer holds, figures, cleaning.
--
--     tests/sql/run tests/sql/cache.sql
--
-- Run in the project's directory, as a superuser. In a database of its own: answers and changes are compared
-- across transactions. Transactions that overlap are those of tests/e2e/cache_sql.test.mjs.

\set QUIET on
\set lookup `cat sql/cache_lookup.sql`
\set store `cat sql/cache_store.sql`
\o /dev/null
set client_min_messages = warning;
drop database if exists cache_test;
create database cache_test;
\connect cache_test
set client_min_messages = warning;
create role cache_login;
create role cache_writer;
\ir ../support/checks.sql
begin;
select set_config('fraiseql.grant_to', 'cache_login', true), set_config('fraiseql.request_roles', '{}', true);
\ir ../../sql/system/000_schema.sql
\ir ../../sql/system/050_cache.sql
\ir ../../sql/system/055_cache_upkeep.sql
\ir ../../sql/system/056_cache_rules.sql
-- Again.
\ir ../../sql/system/050_cache.sql
\ir ../../sql/system/055_cache_upkeep.sql
\ir ../../sql/system/056_cache_rules.sql
commit;
grant usage on schema fraiseql to cache_writer;

\set a '''aaaaaaaa-0000-0000-0000-000000000000'''
\set b '''bbbbbbbb-0000-0000-0000-000000000000'''
\set key '''11111111-1111-1111-1111-111111111111'''
create table project (id integer primary key, tenant_id uuid, name text);
create table setting (name text primary key, value text);
create table task (id integer primary key, project_id integer references project on delete cascade on update cascade, tenant_id uuid);
insert into project values (1, :a, 'one'), (2, :b, 'two');
insert into task values (10, 1, :a), (20, 2, :b);
grant select, insert, update, delete, truncate on project, setting, task to cache_writer;
create function changes() returns text language sql as $$
    select string_agg(relation::regclass || ':' || left(tenant, 1), ' ' order by relation::regclass::text, tenant)
      from fraiseql.cache_changes
$$;
create function tracked() returns text language sql as $$
    select coalesce(string_agg(relation::regclass || coalesce('/' || tenant_column, ''), ' ' order by relation::regclass::text), '')
      from fraiseql.tracked_relations
$$;
-- What is found, in one text: the look-up's own is the body.
select format('create function answer(uuid, text) returns text language sql stable as %L',
              'select coalesce((select case when l.ttl > 0 then ''fresh'' else ''stale'' end || '' '' || l.ttl || '' '' || l.value from (' || :'lookup' || ') l), ''none'')') \gexec
prepare store as :store;

-- What is tracked
select checks.is(tracked(), '', 'nothing is tracked at first');
select checks.is(fraiseql.track_changes('project', 'tenant_id'), true, 'a table is tracked');
select checks.is(fraiseql.track_changes('project', 'tenant_id'), false, 'and not twice');
select fraiseql.track_changes('setting'), fraiseql.track_changes('task', 'tenant_id');
select checks.is(tracked(), 'project/tenant_id setting task/tenant_id', 'with its tenant''s column');
alter table project disable trigger fraiseql_cache_update;
select checks.is(tracked(), 'setting task/tenant_id', 'a table with a trigger that is disabled is not tracked');
alter table project enable trigger fraiseql_cache_update;
select checks.is(tracked(), 'setting task/tenant_id', 'nor with one that replication does not fire');
select checks.is(fraiseql.track_changes('project', 'tenant_id'), true, 'until it is told again');
select checks.is(tracked(), 'project/tenant_id setting task/tenant_id', 'which mends it');
drop trigger fraiseql_cache_truncate on task;
select checks.is(tracked(), 'project/tenant_id setting', 'a table without one of the triggers is not tracked');
select fraiseql.track_changes('task', 'tenant_id');
select checks.fails('select fraiseql.track_changes(''fraiseql.cache_changes'')', '42809', 'the cache''s own tables cannot be tracked');
select checks.fails('select fraiseql.track_changes(''project'', ''nobody'')', '42703', 'a tenant''s column has to be there');

-- What is noted
truncate fraiseql.cache_changes;
set role cache_writer;
update project set name = 'one!' where id = 1;
reset role;
select checks.is(changes(), 'project:a', 'an update by a role that may not use the schema is noted, for its tenant');
truncate fraiseql.cache_changes;
update project set name = 'none' where id = 99;
delete from setting;
select checks.is(changes(), null, 'what changes nothing is not noted');
update project set tenant_id = :b where id = 1;
select checks.is(changes(), 'project:a project:b', 'a row that moves concerns both tenants');
update project set tenant_id = :a where id = 1;
truncate fraiseql.cache_changes;
begin;
update project set name = 'x' where id = 1;
update project set name = 'y' where id = 1;
insert into setting values ('k', 'v');
commit;
select checks.is(changes(), 'project:a setting:', 'one note for each relation and tenant; of a table without tenants, for nobody''s');
truncate fraiseql.cache_changes;
insert into project values (3, null, 'shared');
select checks.is(changes(), 'project:', 'a row that is no tenant''s is nobody''s');
truncate fraiseql.cache_changes;
insert into project select n, gen_random_uuid(), 'many' from generate_series(100, 199) n;
select checks.is(changes(), 'project:*', 'very many tenants are all of them');
truncate fraiseql.cache_changes;
delete from project where id = 1;
select checks.is(changes(), 'project:a task:a', 'what a foreign key deletes is noted');
insert into project values (1, :a, 'one');
truncate fraiseql.cache_changes;
update project set id = 21 where id = 2;
select checks.is(changes(), 'project:b task:b', 'and what it updates');
truncate fraiseql.cache_changes;
truncate project cascade;
select checks.is(changes(), 'project:* task:*', 'truncating is noted, of all that it reaches');
truncate fraiseql.cache_changes;
insert into project values (1, :a, 'one') on conflict (id) do update set name = 'again';
begin;
savepoint s;
insert into setting values ('gone', '') on conflict do nothing;
rollback to s;
commit;
select checks.is(changes(), 'project:a', 'what is rolled back is not noted');
truncate fraiseql.cache_changes;
begin;
savepoint s;
update project set name = 'p' where id = 1;
rollback to s;
update project set name = 'q' where id = 1;
savepoint t;
update project set name = 'r' where id = 1;
release t;
commit;
select checks.is(changes(), 'project:a', 'what is done after it was rolled back is noted');
truncate fraiseql.cache_changes;
set session_replication_role = replica;
update project set name = 'replica' where id = 1;
reset session_replication_role;
select checks.is(changes(), 'project:a', 'a session in the role of a replica is noted');
truncate fraiseql.cache_changes;
\copy setting from stdin
copied	1
\.
select checks.is(changes(), 'setting:', 'COPY is noted');
create view v_project as select * from project where name is not null;
create rule project_note as on insert to v_project do instead insert into setting values (new.name, '');
truncate fraiseql.cache_changes;
insert into v_project values (5, :a, 'by a rule');
update v_project set name = 'by a view' where id = 1;
select checks.is(changes(), 'project:a setting:', 'writing through rules and views is noted');
truncate fraiseql.cache_changes;
merge into project p using (values (1), (6)) v (id) on p.id = v.id
    when matched then update set name = 'merged'
    when not matched then insert values (v.id, null, 'merged');
select checks.is(changes(), 'project: project:a', 'MERGE is noted');
alter table project rename tenant_id to owner_id;
truncate fraiseql.cache_changes;
update project set name = 'renamed' where id = 1;
select checks.is(changes(), 'project:*', 'where the tenant''s column is gone, a change is everybody''s, and no error');
alter table project rename owner_id to tenant_id;

-- Partitions and inheritance
create table event (id integer, tenant_id uuid, at date) partition by range (at);
create table event_1 partition of event for values from ('2026-01-01') to ('2026-02-01');
create table event_2 (id integer, tenant_id uuid, at date);
select fraiseql.track_changes('event', 'tenant_id');
select checks.is(tracked() ~ 'event/tenant_id', true, 'a partitioned table is tracked by its root');
alter table event attach partition event_2 for values from ('2026-02-01') to ('2026-03-01');
select checks.is(tracked() ~ 'event', false, 'not with a partition that is not');
select checks.is(fraiseql.track_changes('event_2', 'tenant_id'), true, 'telling of a partition is telling of the root');
select checks.is(tracked() ~ 'event/tenant_id', true, 'which then is');
truncate fraiseql.cache_changes;
insert into event values (1, :a, '2026-01-10'), (2, :b, '2026-02-10');
select checks.is(changes(), 'event:a event:b', 'writing to the root is noted');
truncate fraiseql.cache_changes;
insert into event_1 values (3, :a, '2026-01-11');
select checks.is(changes(), 'event:a', 'writing to a partition is noted as the root');
truncate fraiseql.cache_changes;
update event set at = '2026-02-11' where id = 1;
select checks.is(changes(), 'event:a', 'a row that moves to another partition is noted');
select checks.is(fraiseql.base_tables('event_1'), array['event'::regclass::oid], 'a partition is read from its root');
alter table event detach partition event_2;
truncate fraiseql.cache_changes;
insert into event_2 values (4, :a, '2026-02-12');
select checks.is(changes(), 'event_2:a', 'a table that was detached is its own');
create table animal (id integer, tenant_id uuid);
create table dog (barks boolean) inherits (animal);
create table cat () inherits (animal);
select checks.is((select array_agg(t::regclass order by t) from unnest(fraiseql.base_tables('animal')) t),
                 array['animal', 'dog', 'cat']::regclass[], 'a table is read from what inherits from it');
select checks.is('animal'::regclass::oid = any (fraiseql.base_tables('dog')), true, 'and written through what it inherits from');
select fraiseql.track_changes(t, 'tenant_id') from unnest(fraiseql.base_tables('animal')) t;
truncate fraiseql.cache_changes;
insert into dog values (1, :a, true);
update animal set id = 2;
select checks.is(changes(), 'animal:a dog:a', 'each is noted as what was named');

-- What a view reads
create materialized view project_count as select count(*) from project;
create function visible(integer) returns boolean language sql stable as 'select true';
create table membership (who name, project_id integer);
alter table project enable row level security;
create policy members on project using (exists (select from membership m where m.project_id = id and m.who = current_user));
create view v_all as select p.*, c.count from v_project p cross join project_count c where visible(p.id);
select checks.is((select string_agg(t::regclass::text, ' ' order by t::regclass::text) from unnest(fraiseql.base_tables('v_all')) t),
                 'membership project project_count', 'views are followed, policies too, materialized views not');
select checks.is(fraiseql.opaque_functions('v_all'), array['visible'::regproc::oid], 'functions are told apart');
select checks.is(fraiseql.opaque_functions('v_project'), '{}', 'where there are any');
alter table project disable row level security;

-- When an answer holds
select pg_current_snapshot() as before \gset
execute store (:key, :a, 'Projects', array['project'::regclass, 'setting'::regclass]::oid[], :'before', 60, 30, 1000, '{"a":1}', true);
select checks.is(answer(:key, :a), 'fresh 60 {"a":1}', 'an answer is found');
select checks.is(answer(:key, :b), 'none', 'not by another tenant');
update project set name = 'of b' where tenant_id = :b;
insert into project values (30, :b, 'of b');
insert into task values (31, null, :a);
select checks.is(split_part(answer(:key, :a), ' ', 1), 'fresh', 'changes of another tenant''s rows, and of other tables, do not matter');
update project set name = 'of a' where id = 1;
select checks.is(answer(:key, :a), 'none', 'a change of one''s own does');
execute store (:key, :a, 'Projects', array['project'::regclass, 'setting'::regclass]::oid[], :'before', 60, 30, 1000, '{"a":0}', true);
select checks.is(answer(:key, :a), 'none', 'also for an answer that is stored after it, but was made before');
select pg_current_snapshot() as s \gset
execute store (:key, :a, 'Projects', array['project'::regclass, 'setting'::regclass]::oid[], :'s', 60, 30, 1000, '{"a":2}', true);
execute store (:key, :a, 'Projects', array['project'::regclass, 'setting'::regclass]::oid[], :'before', 60, 30, 1000, '{"a":0}', true);
select checks.is(split_part(answer(:key, :a), ' ', 3), '{"a":2}', 'an older answer does not replace a newer one');
execute store (:key, :a, 'Projects', array['project'::regclass, 'setting'::regclass]::oid[], :'s', 60, 30, 1000, '{"a":3}', true);
select checks.is(split_part(answer(:key, :a), ' ', 3), '{"a":3}', 'one as new does');
insert into setting values ('everybody', 's');
select checks.is(answer(:key, :a), 'none', 'a change of a table without tenants concerns every tenant');
select pg_current_snapshot() as s \gset
execute store (:key, :a, 'Projects', array['project'::regclass]::oid[], :'s', 60, 30, 1000, '{"a":4}', true);
truncate project cascade;
select checks.is(answer(:key, :a), 'none', 'so does truncating');
select pg_current_snapshot() as s \gset
execute store (:key, '', 'Projects', array['project'::regclass]::oid[], :'s', 60, 30, 1000, '{"a":5}', false);
select checks.is(split_part(answer(:key, ''), ' ', 1), 'fresh', 'an answer that is no tenant''s is found');
insert into project values (40, :b, 'of b');
select checks.is(answer(:key, ''), 'none', 'until any tenant''s rows change');
select pg_current_snapshot() as s \gset
execute store (:key, :a, 'Projects', array['project_count'::regclass]::oid[], :'s', 60, 30, 1000, '{"a":6}', true);
select fraiseql.note_change('project_count');
select checks.is(answer(:key, :a), 'none', 'a change may be told by hand');
select pg_current_snapshot() as s \gset
execute store (:key, :a, 'Projects', '{}', :'s', 0, 30, 1000, '{"a":7}', true);
select checks.is(split_part(answer(:key, :a), ' ', 1), 'stale', 'an answer that has expired may be stale');
execute store (:key, :a, 'Projects', '{}', :'s', 0, 0, 1000, '{"a":8}', true);
select checks.is(answer(:key, :a), 'none', 'and then is none');
execute store (:key, :a, 'Projects', '{}', :'s', 2147483647, 2147483647, 1000, '{"a":9}', true);
select checks.is((select stale_until - created_at from fraiseql.cache_entries), interval '7 days', 'none is kept for more than a week');

-- Purging, cleaning, trimming
select fraiseql.purge_cache();
select checks.is((select count(*) from fraiseql.cache_entries), 0::bigint, 'purging without conditions empties the cache');
create function fill(n integer, operation text, tenant text, relations oid[], ttl interval, bytes integer) returns void language sql as $$
    insert into fraiseql.cache_entries (key, tenant, operation, relations, snapshot, expires_at, stale_until, bytes, value)
    select gen_random_uuid(), tenant, operation, relations, pg_current_snapshot(), now() + ttl, now() + ttl + i * interval '1 ms', bytes,
           repeat(md5(random()::text), bytes / 32)
      from generate_series(1, n) i
$$;
select fill(10, 'Projects#0000000a', 'A', array['project'::regclass]::oid[], '1 h', 64),
       fill(10, 'Tasks', 'B', array['task'::regclass]::oid[], '1 h', 64),
       fill(10, 'Projects', 'B', array['project'::regclass, 'task'::regclass]::oid[], '1 h', 64);
select checks.is(fraiseql.purge_cache(relation => 'v_project', tenant => 'A'), 10::bigint, 'what a view reads is purged, for one tenant');
select checks.is(fraiseql.purge_cache('Project'), 0::bigint, 'an operation is purged by its whole name');
select checks.is(fraiseql.purge_cache('Projects'), 10::bigint, 'and is gone');
select checks.is(fraiseql.purge_cache(key => (select key from fraiseql.cache_entries limit 1)), 1::bigint, 'one answer is purged by its key');
select fraiseql.purge_cache();
select fill(25, 'Old', '', '{}', '-1 h', 64), fill(5, 'New', '', '{}', '1 h', 64);
select checks.is((select entries from fraiseql.clean_cache(10)), 10::bigint, 'expired answers are deleted in batches');
select fraiseql.clean_cache(10), fraiseql.clean_cache(10);
select checks.is((select string_agg(distinct operation, ' ') || count(*) from fraiseql.cache_entries), 'New5', 'and no others');
select fraiseql.purge_cache();
select fill(100, 'Trim', '', '{}', '1 h', 1600);
select checks.is(fraiseql.trim_cache(10000000), 0::bigint, 'a cache that is small enough is left alone');
select checks.is(fraiseql.trim_cache(100 * 1784 / 2) between 45 and 55, true, 'half of one that is not goes');
select checks.is((select min(stale_until) = max(stale_until) - (count(*) - 1) * interval '1 ms' from fraiseql.cache_entries), true,
                 'that which would expire first');

-- Notes of changes that say nothing any more: of those of one table and tenant the last is left, but not before those
-- that were under way then have ended.
truncate fraiseql.cache_changes, fraiseql.cache_horizons;
insert into setting values ('p1', '');
insert into setting values ('p2', '');
select checks.is(fraiseql.prune_cache_changes(), 0::bigint, 'what has just been noted stays');
select checks.is(fraiseql.prune_cache_changes(), 0::bigint, 'without a later one, too');
insert into setting values ('p3', '');
select max(xid) as last from fraiseql.cache_changes \gset
select checks.is(fraiseql.prune_cache_changes(), 2::bigint, 'what was there before the last look goes once there is a later one');
select checks.is((select min(xid) from fraiseql.cache_changes), :'last'::xid8, 'which stays');
update fraiseql.cache_horizons set sampled_at = sampled_at - interval '8 days';
insert into setting values ('p4', '');
select fraiseql.prune_cache_changes();
select checks.is((select count(*) from fraiseql.cache_changes), 1::bigint, 'what every answer has seen goes');

-- Figures
select fraiseql.cache_stats_add('[{"key": "B#0000000b", "operation": "B", "hit_count": 1, "miss_count": 1, "ttl_s": 60, "hit_us": 20, "miss_us": 2000},
    {"key": "A#0000000a", "operation": "A", "bypass_count": 5}, {"key": "B#0000000b", "operation": "B", "hit_count": 38, "stale_count": 2, "miss_count": 60, "hit_us": 780, "miss_us": 120000}]');
select fraiseql.cache_stats_add('[{"key": "B#0000000b", "operation": "B", "store_count": 3, "bytes": 300}]');
select checks.is((select s.hit_count || ' ' || s.miss_count || ' ' || s.stale_count || ' ' || s.store_count || ' ' || s.bytes || ' ' || s.hit_rate_pct
                    from fraiseql.cache_stats s where key = 'B#0000000b'), '39 61 2 3 300 39.00', 'figures add up');
select checks.is((select hit_rate_pct from fraiseql.cache_stats where key = 'A#0000000a'), null::numeric, 'without requests there is no rate');
select checks.is((select suggested_ttl_s || ' ' || advice from fraiseql.cache_advice), '219 raise its TTL', 'a longer TTL is advised');
select checks.fails('select fraiseql.cache_stats_add(''[{"key": "B"}]'')', '23514', 'keys have the digits of a hash');
select checks.is(fraiseql.cache_hits_add((select jsonb_object_agg(key, 3) from (select key from fraiseql.cache_entries limit 2) e)),
                 2::bigint, 'hits of entries are added');
select checks.is((select sum(hits)::bigint from fraiseql.cache_entries), 6::bigint, 'to those entries');
insert into fraiseql.cache_access_log (key, operation, outcome) values ('B#0000000b', 'B', 'hit'), ('B#0000000b', 'B', 'stale'), ('B#0000000b', 'B', 'miss');

-- The case study's statements, as they are there
set search_path = public, fraiseql;
SELECT key, COUNT(*) FROM cache_entries GROUP BY key ORDER BY COUNT(*) DESC;
create table low as
SELECT
    key,
    hit_count,
    miss_count,
    ROUND(hit_count::numeric / NULLIF(hit_count + miss_count, 0) * 100, 2) as hit_rate_pct
FROM cache_stats
WHERE hit_rate_pct < 60
ORDER BY (hit_count + miss_count) DESC
LIMIT 20;
select checks.is((select key || ' ' || hit_rate_pct from low), 'B#0000000b 39.00', 'keys with low hit rates are found');
create table rate as
SELECT
    ROUND(
        SUM(CASE WHEN status = 'hit' THEN 1 ELSE 0 END)::numeric /
        COUNT(*) * 100,
        2
    ) as hit_rate_pct
FROM cache_access_log
WHERE accessed_at > NOW() - INTERVAL '5 minutes';
select checks.is((select hit_rate_pct from rate), 66.67, 'the hit rate of the last minutes is found');
DELETE FROM cache_entries WHERE expires_at < NOW();
reset search_path;

-- As FraiseQL has it
create table tb_user (id integer primary key, tenant_id uuid);
create table tb_order (id integer primary key, user_id integer);
select fraiseql.setup_table_invalidation('tb_user'), fraiseql.setup_table_invalidation('tb_order', 'orders');
select checks.is(tracked() ~ 'tb_order tb_user/tenant_id', true, 'tables are tracked, with a tenant''s column if there is one');
insert into fraiseql.cascade_rules values ('user', 'orders');
select checks.is((select array_agg(t::regclass order by t) from unnest(fraiseql.base_tables('tb_order')) t), array['tb_user', 'tb_order']::regclass[],
                 'a rule makes answers depend on its source');
select checks.is((select array_agg(t::regclass order by t) from unnest(fraiseql.base_tables('tb_user')) t), array['tb_user']::regclass[], 'not the other way');
insert into tb_user values (1, :a);
create table version as select version from fraiseql.domain_version where domain = 'user' and tenant_id = :a;
update tb_user set id = 2;
select checks.is((select v.version > o.version from fraiseql.domain_version v, version o where domain = 'user' and tenant_id = :a), true,
                 'a domain''s version grows with its changes');

-- Who may
set role cache_writer;
select checks.fails('select from fraiseql.cache_entries', '42501', 'roles of requests may not read answers');
select checks.fails('select fraiseql.purge_cache()', '42501', 'nor purge them');
select checks.fails('insert into fraiseql.cache_changes values (1, '''', ''1'')', '42501', 'nor note what they have not changed');
reset role;
set role cache_login;
select fraiseql.clean_cache(), fraiseql.trim_cache(0), fraiseql.purge_cache(), fraiseql.prune_cache_changes(), fraiseql.cache_identity();
select fraiseql.cache_stats_add('[{"key": "C#0000000c"}]');
execute store (:key, '', 'Projects', '{}', :'before', 60, 0, 1, 'x', false);
select checks.is(answer(:key, ''), 'fresh 60 x', 'the role that the daemon logs in as may use all of it');
select checks.is((select count(*) > 0 from fraiseql.tracked_relations), true, 'and sees what is tracked');
select checks.fails('select fraiseql.track_changes(''project'')', '42501', 'but does not change the schema');
reset role;

-- And away
select checks.is(fraiseql.untrack_changes('event'), true, 'a table is let go');
select checks.is(fraiseql.untrack_changes('event'), false, 'not twice');
select checks.is((select count(*) from fraiseql.change_triggers where relation in ('event'::regclass, 'event_1'::regclass)), 0::bigint, 'with its partitions');
drop schema fraiseql cascade;
update project set name = 'without';
insert into project values (50, :a, 'without');

\connect postgres
set client_min_messages = warning;
drop database cache_test;
drop role cache_login, cache_writer;
