-- What answers depend on, as the catalog tells.
--
--     tests/sql/run tests/sql/cache_rules.sql

\set QUIET on
\o /dev/null
set client_min_messages = warning;
drop database if exists cache_rules_test;
create database cache_rules_test;
\connect cache_rules_test
set client_min_messages = warning;
create role rules_owner;
create role rules_user;
create role rules_member in role rules_owner;
create role rules_bypass bypassrls;
\ir ../support/checks.sql
\ir ../../sql/system/000_schema.sql
\ir ../../sql/system/050_cache.sql
\ir ../../sql/system/055_cache_upkeep.sql
\ir ../../sql/system/056_cache_rules.sql
\ir ../../sql/system/057_cache_tracking.sql

create table project (id integer primary key, tenant_id uuid, name text);
create table task (id integer primary key, project_id integer, tenant_id uuid, title text);
create table country (code text primary key);
create table loose (id integer, tenant_id uuid);
create view v_project as select p.*, (select count(*) from task t where t.project_id = p.id) as tasks from project p;
create view v_project_invoker with (security_invoker = true) as select * from project;
create view v_recent with (security_invoker = true) as select * from project where id > 0 and now() > '2020-01-01';
create view v_me with (security_invoker = true) as select * from project where name = current_setting('app.user_id', true);
create view v_any with (security_invoker = true) as select * from project where name = current_setting('app.' || 'user_id', true);
create view v_catalog as select relname from pg_class;
create function current_tenant() returns uuid language sql stable as $$ select nullif(current_setting('app.tenant_id', true), '')::uuid $$;
create function reads_tasks() returns bigint language sql stable as $$ select count(*) from task $$;
create function quotes() returns text language sql stable as $$ select 'from task' $$;
create view v_function as select p.*, reads_tasks() as n from project p;

do $$
declare
    t regclass;
begin
    foreach t in array array['project', 'task']::regclass[] loop
        execute format('alter table %s owner to rules_owner', t);
        execute format('alter table %s enable row level security', t);
        execute format('create policy own on %s using (tenant_id = (select nullif(current_setting(''app.tenant_id'', true), '''')::uuid))', t);
        perform fraiseql.track_changes(t, 'tenant_id');
    end loop;
end
$$;
alter view v_project owner to rules_owner;
select fraiseql.track_changes('country');

create function rule(name text, role text default 'rules_user', statement text default '') returns text language sql as $$
    select (select coalesce(string_agg(b::regclass::text, ',' order by b::regclass::text), '') from unnest(r.bases) b)
           || case when r.exact then ' exact' else '' end
           || case when r.tenant_type <> '' then ' by ' || r.tenant_type else '' end
           || case when r.reads[1] then ' tenant' else '' end || case when r.reads[2] then ' user' else '' end
      from fraiseql.cache_rule(array['public'], array[$1], $3, array['app.tenant_id', 'app.user_id'], array['app.tenant_id'], $2) r
$$;

select checks.is(rule('project'), 'project exact by uuid tenant', 'a table whose policy goes by the tenant');
select checks.is(rule('project', 'rules_owner'), 'project exact tenant', 'its owner is not subject to its policies');
select checks.is(rule('project', 'rules_member'), 'project exact tenant', 'nor who is a member of the owner');
select checks.is(rule('project', 'rules_bypass'), 'project exact tenant', 'nor who bypasses them');
select checks.is(rule('project', current_user), 'project exact tenant', 'nor a superuser');
select checks.is(rule('project', 'nobody there'), 'project exact tenant', 'a role that is not there is subject to nothing');
select checks.is(rule('v_project_invoker'), 'project exact by uuid tenant', 'a view of the one who asks');
select checks.is(rule('v_project'), 'project,task exact tenant', 'a view of the tables'' owner');
alter table project force row level security;
alter table task force row level security;
select checks.is(rule('v_project'), 'project,task exact by uuid tenant', 'who is subject to policies that are forced');
alter view v_project owner to rules_bypass;
select checks.is(rule('v_project'), 'project,task exact tenant', 'unless the role bypasses them');
alter view v_project owner to rules_owner;
select checks.is(rule('country'), 'country exact', 'a table of no tenant');
select checks.is(rule('loose'), 'loose', 'a table that is not tracked');
select checks.is(rule('v_recent'), 'project tenant', 'what changes with time is not exact');
select checks.is(rule('v_me'), 'project exact by uuid tenant user', 'a setting that a view reads');
select checks.is(rule('v_any'), 'project exact by uuid tenant user', 'a setting whose name is put together may be any');
select checks.is(rule('v_catalog'), '', 'the catalog is not tracked');
select checks.is(rule('v_function'), 'project tenant user', 'a function may read anything');
select checks.is(rule('reads_tasks'), ' tenant user', 'so may one that the statement calls');
select checks.is(rule('project', 'rules_user', 'select current_setting(''APP.User_Id'', true)'), 'project exact by uuid tenant user',
                 'a setting that the statement itself reads, in any case');
select checks.is(rule('project', 'rules_user', 'select clock_timestamp()'), 'project tenant', 'and the time');

-- The ways in which a tenant's condition is written.
create function condition(expression text) returns text language plpgsql as $$
declare
    r text;
begin
    execute format('drop policy own on project');
    execute format('create policy own on project for select using (%s)', expression);
    return rule('project');
end
$$;
select checks.is(condition(c), 'project exact by uuid tenant', c)
  from unnest(array['tenant_id = current_setting(''app.tenant_id'')::uuid',
                    'tenant_id = current_setting(''app.tenant_id'', true)::uuid',
                    'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid',
                    'tenant_id::text = current_setting(''app.tenant_id'', true)',
                    'tenant_id = current_tenant()',
                    'tenant_id = public.current_tenant()',
                    'tenant_id = (select current_tenant())',
                    'tenant_id = (select pg_catalog.current_setting(''app.tenant_id'', true)::uuid)']) c;
select checks.is(condition(c) like '%by uuid%', false, c)
  from unnest(array['true',
                    'tenant_id = current_setting(''app.tenant_id'', true)::uuid or name = ''public''',
                    'tenant_id = current_setting(''app.user_id'', true)::uuid',
                    'left(tenant_id::text, 1) = current_setting(''app.tenant_id'', true)',
                    'tenant_id::text like current_setting(''app.tenant_id'', true)',
                    'tenant_id::text >= current_setting(''app.tenant_id'', true)',
                    'tenant_id::text::char = current_setting(''app.tenant_id'', true)',
                    'name = current_setting(''app.tenant_id'', true)',
                    'tenant_id is not null',
                    'tenant_id = coalesce(nullif(current_setting(''app.tenant_id'', true), '''')::uuid, tenant_id)',
                    '(tenant_id = current_setting(''app.tenant_id'', true)::uuid) is not false',
                    'not tenant_id = current_setting(''app.tenant_id'', true)::uuid']) c;
select condition('tenant_id = current_tenant()');
create policy more on project for select to rules_user using (true);
select checks.is(rule('project'), 'project exact tenant', 'a second policy that lets more be seen');
alter policy more on project to rules_bypass;
select checks.is(rule('project'), 'project exact by uuid tenant', 'which is another role''s');
drop policy more on project;
create policy less on project as restrictive for select using (name <> current_setting('app.user_id', true));
select checks.is(rule('project'), 'project exact by uuid tenant user', 'a restrictive one may be anything, but what it reads counts');
drop policy less on project;
create policy writes on project for insert with check (true);
select checks.is(rule('project'), 'project exact by uuid tenant', 'one for writing lets nothing be seen');
create or replace function current_tenant() returns uuid language sql stable as $$ select tenant_id from task limit 1 $$;
select checks.is(rule('project'), 'project tenant user', 'the function reads a table by now');

select checks.is(fraiseql.only_reads_settings('quotes'::regproc), true, 'what is quoted is no table');
select checks.is((select r.identity = s.identity from fraiseql.cache_rule(array['public'], array['v_me'], '', '{}', '{}', 'rules_user') r,
                                                      fraiseql.cache_rule(array['public'], array['v_me'], '', '{}', '{}', 'rules_user') s),
                 true, 'a rule is the same each time');
create temp table before as select * from fraiseql.cache_rule(array['public'], array['v_me'], '', '{}', '{}', 'rules_user');
create or replace view v_me with (security_invoker = true) as select * from project where name = lower(current_setting('app.user_id', true));
select checks.is((select r.identity = b.identity from fraiseql.cache_rule(array['public'], array['v_me'], '', '{}', '{}', 'rules_user') r, before b),
                 false, 'until a view is another');


-- What decides which rows are seen is part of it, and so is what can change them without a trigger.
create table part (id integer, tenant_id uuid) partition by range (id);
create table part_1 partition of part for values from (0) to (10);
create table part_2 partition of part for values from (10) to (20);
create function doubled(integer) returns integer language sql immutable as $$ select $1 * 2 $$;
create view v_part as select doubled(id) as id from part;
select fraiseql.track_changes('part');
create function identity_of(name text) returns text language sql as $$
    select identity from fraiseql.cache_rule(array['public'], array[$1], '', '{}', '{}', 'rules_user')
$$;
create function matters(change text, name text default 'v_part') returns boolean language plpgsql as $$
declare
    before text := identity_of($2);
begin
    execute $1;
    return identity_of($2) <> before;
end
$$;
select checks.is(identity_of('v_part'), identity_of('v_part'), 'nothing has changed');
select checks.is(matters('alter view v_part set (security_invoker = true)'), true, 'as whom a view reads');
select checks.is(matters('alter view v_part reset (security_invoker)'), true, 'and that it is as before');
select checks.is(matters('alter table part enable row level security'), true, 'whether policies count');
select checks.is(matters('alter table part force row level security'), true, 'for its owner, too');
select checks.is(matters('alter view v_part owner to rules_owner'), true, 'whose the view is');
select checks.is(matters('alter role rules_owner bypassrls'), true, 'what the owner may');
select checks.is(matters('alter role rules_owner nobypassrls'), true, 'what the owner may not');
select checks.is(matters('grant rules_owner to rules_user'), true, 'whose member the role is');
select checks.is(matters('revoke rules_owner from rules_user'), true, 'and no longer is');
select checks.is(matters('grant select on part to rules_owner'), true, 'who may read the table');
select checks.is(matters('grant select (id) on part to rules_user'), true, 'or a column');
select checks.is(matters('alter table part detach partition part_2'), true, 'a partition that goes');
select checks.is(matters('alter table part attach partition part_2 for values from (10) to (20)'), true, 'or comes');
select checks.is(matters('drop table part_2'), true, 'or is dropped');
select checks.is(matters('alter table part alter tenant_id type text', 'part'), true, 'a column that has become another');
select checks.is(matters('create or replace function doubled(integer) returns integer language sql immutable as ''select $1 + $1'''), true, 'a function that is called');
select checks.is(matters('create or replace view v_part as select doubled(id) as id from part where id > 0'), true, 'a view');
select checks.is(matters('create table unrelated (id integer)'), false, 'what is not below it does not matter');
drop table part cascade;

-- What hides behind names.
alter policy own on project using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create function who_am_i() returns text language sql immutable as $$ select current_setting('app.user_id', true) $$;
create function who_is_it(text) returns boolean language sql immutable begin atomic select $1 = current_setting('app.user_id', true); end;
create function sees(integer, text) returns boolean language sql stable as $$ select exists (select from task where id = $1) $$;
create operator @@@ (leftarg = integer, rightarg = text, function = sees);
create function more_tasks(bigint, integer) returns bigint language sql stable as $$ select $1 + (select count(*) from task) $$;
create aggregate tasks_of(integer) (sfunc = more_tasks, stype = bigint, initcond = '0');
create sequence number;
create view v_called_immutable with (security_invoker = true) as select * from project where name = who_am_i();
create view v_called_atomic with (security_invoker = true) as select * from project where who_is_it(name);
create view v_operator with (security_invoker = true) as select * from project where id @@@ name;
create view v_aggregate with (security_invoker = true) as select tasks_of(id) as n from project;
create view v_sequence with (security_invoker = true) as select p.id, n.last_value from project p, number n;
create view v_xml with (security_invoker = true) as select id, query_to_xml('select 1', true, false, '') as x from project;
create view v_today with (security_invoker = true) as select id from project where ('today'::text)::date > '2020-01-01';
create view v_age with (security_invoker = true) as select id as age, name as now, name as random from project;
select checks.is(rule('v_called_immutable'), 'project exact by uuid tenant user', 'a function that is called immutable and reads a setting');
select checks.is(rule('v_called_atomic'), 'project tenant user', 'also one in the standard''s form');
select checks.is(rule('v_operator'), 'project tenant user', 'an operator''s function');
select checks.is(rule('v_aggregate'), 'project tenant user', 'an aggregate''s function');
select checks.is(rule('v_sequence'), 'number,project tenant', 'a sequence is no table whose changes are noted');
select checks.is(rule('v_xml'), 'project tenant', 'a function that takes a query');
select checks.is(rule('v_today'), 'project tenant', 'a date that is another each day');
select checks.is(rule('v_age'), 'project exact by uuid tenant', 'columns may be named as functions are');

-- What --cache-triggers tracks.
create schema other;
create table other.below (id integer);
create view v_below as select b.id, p.name from other.below b join project p using (id);
create table hidden (id integer);
create table other.apart (id integer);
select fraiseql.untrack_changes('project'), fraiseql.untrack_changes('task'), fraiseql.untrack_changes('country');
grant select on v_below, task, v_recent, country to rules_user;
grant select on other.apart to rules_user;
create function exposed() returns text language sql as $$
    select string_agg(relation || coalesce('/' || tenant_column, '') || ' ' || changed, ', ' order by relation::text)
      from fraiseql.track_exposed(array['public'], array['rules_user'], array['app.tenant_id'])
$$;
alter policy own on project using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
select checks.is(exposed(), 'country true, other.below true, project/tenant_id true, task/tenant_id true', 'tables below what the role may read');
select checks.is(exposed(), 'country false, other.below false, project/tenant_id false, task/tenant_id false', 'once');
alter policy own on task using (tenant_id = nullif(current_setting('app.user_id', true), '')::uuid);
select checks.is(exposed(), 'country false, other.below false, project/tenant_id false, task true', 'a policy by another setting tells no tenant');
revoke select on v_below from rules_user;
grant select (id) on hidden to rules_user;
select checks.is(exposed(), 'country false, hidden true, project/tenant_id false, task false', 'also where only a column may be read');

\o
\connect postgres
drop database cache_rules_test;
drop role rules_member, rules_owner, rules_user, rules_bypass;
