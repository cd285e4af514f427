-- Nobody sees or writes another tenant's rows in the demo, through whatever it exposes.
--
--     psql -X -v ON_ERROR_STOP=1 -f tests/sql/demo_isolation.sql
--
-- Run as a superuser in any database that can be spared for a moment: everything, the demo itself
-- included, is made in one transaction that is rolled back.

\set QUIET on
\o /dev/null
begin;
\ir ../../sql/demo/10_schema.sql
\ir ../../sql/demo/20_policies.sql
\ir ../../sql/demo/30_views.sql
\ir ../../sql/demo/40_functions.sql
\ir ../../sql/demo/50_data.sql

\ir ../support/checks.sql

create schema demo_test;
grant usage on schema demo_test to app_user;

create function demo_test.begin_request(tenant text, person text) returns void
    language sql
as $$
    select set_config('app.current_tenant_id', tenant, true), set_config('app.user_id', person, true)
$$;

-- What tables say there is, counted past the policies.
create table demo_test.expected as
select v.relation, v.tenant_column, t.id as tenant_id, null::bigint as rows
  from (values ('public.v_tenant'::regclass, 'id'),
               ('public.v_tenant_settings', 'tenant_id'),
               ('public.v_user', 'tenant_id'),
               ('public.v_project', 'tenant_id'),
               ('public.v_task', 'tenant_id'),
               ('public.v_comment', 'tenant_id'),
               ('public.v_tenant_summary', 'tenant_id'),
               ('public.tenants', 'id'),
               ('public.tenant_settings', 'tenant_id'),
               ('public.users', 'tenant_id'),
               ('public.projects', 'tenant_id'),
               ('public.tasks', 'tenant_id'),
               ('public.comments', 'tenant_id')) as v (relation, tenant_column)
 cross join public.tenants t;

do $$
declare
    e record;
    n bigint;
begin
    for e in select * from demo_test.expected
    loop
        if e.relation = 'public.v_tenant_summary'::regclass then
            n := 1;
        else
            execute format('select count(*) from %s where %I = %L', e.relation, e.tenant_column, e.tenant_id) into n;
        end if;
        update demo_test.expected set rows = n where relation = e.relation and tenant_id = e.tenant_id;
    end loop;
    perform checks.is((select min(rows) > 0 from demo_test.expected), true,
                         'each tenant has a row in each relation');
    perform checks.is((select array_agg(c.oid::regclass::text order by c.oid::regclass::text)
                            from pg_class c
                           where c.relnamespace = 'public'::regnamespace
                             and c.relkind in ('r', 'v', 'm', 'p', 'f')
                             and has_table_privilege('app_user', c.oid, 'select')),
                         (select array_agg(distinct relation::text order by relation::text)
                            from demo_test.expected),
                         'this test knows every relation that app_user may read');
    perform checks.is((select count(*) from pg_class c
                           where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
                             and not (c.relrowsecurity and c.relforcerowsecurity)),
                         0::bigint, 'row-level security is enabled and forced on every table');
    perform checks.is((select bool_or(rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)
                            from pg_roles where rolname in ('app_user', 'fraiseqld')),
                         false, 'neither role has an attribute that lifts it above the others');
    perform checks.is((select count(*) from pg_class c join pg_roles r on r.oid = c.relowner
                           where r.rolname in ('app_user', 'fraiseqld')),
                         0::bigint, 'neither role owns anything');
    perform checks.is(has_table_privilege('app_user', 'public.v_tenant_project_summary', 'select'),
                         false, 'the materialized view is not readable by requests');
    perform checks.is((select count(*) from pg_proc p
                           where p.pronamespace = 'public'::regnamespace and p.proname like 'fn\_%'
                             and (p.prosecdef or p.proconfig is null
                                  or not has_function_privilege('app_user', p.oid, 'execute')
                                  or exists (select from aclexplode(p.proacl) a where a.grantee = 0))),
                         0::bigint, 'functions run as their caller, pin the search path, are app_user''s only');
end
$$;
grant select on demo_test.expected to app_user;

-- From here as the daemon: a login that is nothing until it takes the request role.
set local session authorization fraiseqld;
select checks.fails('select from public.v_task', '42501', 'the login role reads nothing by itself');
set local role app_user;

do $$
declare
    e      record;
    tenant uuid;
    own    bigint;
    others bigint;
begin
    for tenant in select distinct tenant_id from demo_test.expected
    loop
        perform demo_test.begin_request(tenant::text, '');
        for e in select * from demo_test.expected where tenant_id = tenant
        loop
            execute format('select count(*) filter (where %1$I = %2$L), count(*) filter (where %1$I <> %2$L) from %3$s',
                           e.tenant_column, tenant, e.relation)
               into own, others;
            perform checks.is(own, e.rows, format('%s shows tenant %s its rows', e.relation, tenant));
            perform checks.is(others, 0::bigint, format('%s shows tenant %s no others', e.relation, tenant));
        end loop;
    end loop;

    -- Asking for another's row by key is as asking for one that does not exist.
    perform demo_test.begin_request('00000000-0000-4000-8000-000000000002', '');
    perform checks.is((select count(*) from public.v_project where id = '00000000-0000-4000-8002-000000000001'),
                         0::bigint, 'another tenant''s project is not found by its key');
    perform checks.is((select count(*) from public.fn_search_tasks('announcement', 100) t
                           where t.tenant_id <> '00000000-0000-4000-8000-000000000002'),
                         0::bigint, 'a search finds nothing of another tenant');
    perform checks.is((select count(*) > 0 from public.fn_search_tasks('announcement', 100)),
                         true, 'a search finds what the tenant has');

    -- The empty string is what a setting of an earlier transaction reads as.
    perform demo_test.begin_request('', '');
    for e in select distinct relation from demo_test.expected
    loop
        execute format('select count(*) from %s', e.relation) into own;
        perform checks.is(own, 0::bigint, format('%s is empty when the tenant is ''''', e.relation));
    end loop;
    perform demo_test.begin_request('x'' or true --', '');
    for e in select distinct relation from demo_test.expected
    loop
        perform checks.fails(format('select from %s', e.relation), '22P02',
                                format('%s refuses a tenant that is no uuid', e.relation));
    end loop;
end
$$;

select checks.fails('select from public.v_tenant_project_summary', '42501',
                       'requests cannot read the materialized view');
select checks.fails('set local role postgres', '42501', 'a request cannot take another role')
 where exists (select from pg_roles where rolname = 'postgres');

-- Writing, as Ada of Acme (tenant 1), at rows and keys of Globex (tenant 2).
select demo_test.begin_request('00000000-0000-4000-8000-000000000001',
                               '00000000-0000-4000-8001-000000000001');
do $$
declare
    acme       constant uuid := '00000000-0000-4000-8000-000000000001';
    globex     constant uuid := '00000000-0000-4000-8000-000000000002';
    ada        constant uuid := '00000000-0000-4000-8001-000000000001';
    grace      constant uuid := '00000000-0000-4000-8001-000000000002';
    other_user constant uuid := '00000000-0000-4000-8001-00000000003d';
    project    constant uuid := '00000000-0000-4000-8002-000000000001';
    other_project constant uuid := '00000000-0000-4000-8002-00000000003d';
    changed    bigint;
begin
    perform checks.fails(format('insert into public.projects (tenant_id, owner_id, name) values (%L, %L, ''x'')', globex, ada),
                            '42501', 'a row cannot be inserted for another tenant');
    perform checks.fails(format('update public.projects set tenant_id = %L where id = %L', globex, project),
                            '42501', 'a row cannot be given to another tenant');
    perform checks.fails(format('insert into public.projects (owner_id, name) values (%L, ''x'')', other_user),
                            '42501', 'a project cannot be owned by another tenant''s user');
    perform checks.fails(format('insert into public.tasks (project_id, title) values (%L, ''x'')', other_project),
                            '42501', 'a task cannot be part of another tenant''s project');
    perform checks.fails(format('insert into public.tasks (project_id, assignee_id, title) values (%L, %L, ''x'')', project, other_user),
                            '42501', 'a task cannot be assigned to another tenant''s user');
    perform checks.fails('insert into public.tenants (name, slug) values (''x'', ''x'')',
                            '42501', 'tenants are not created by requests');

    update public.tasks set title = 'taken' where project_id = other_project;
    get diagnostics changed = row_count;
    perform checks.is(changed, 0::bigint, 'another tenant''s rows are not updated');
    delete from public.projects where id = other_project;
    get diagnostics changed = row_count;
    perform checks.is(changed, 0::bigint, 'another tenant''s rows are not deleted');

    -- The second policy on comments: by user within the tenant.
    perform checks.fails(format('insert into public.comments (task_id, author_id, body) select id, %L, ''x'' from public.v_task limit 1', grace),
                            '42501', 'nobody comments in another''s name');
    update public.comments set body = 'x' where author_id = grace;
    get diagnostics changed = row_count;
    perform checks.is(changed, 0::bigint, 'a comment is changed by nobody but its author');
    delete from public.comments where author_id = grace;
    get diagnostics changed = row_count;
    perform checks.is(changed, 0::bigint, 'a comment is deleted by nobody but its author');
    update public.comments set edited = true where author_id = ada;
    get diagnostics changed = row_count;
    perform checks.is(changed > 0, true, 'authors change their comments');
end
$$;

-- A condition with a side effect, cheap enough to be tried first, must not see other tenants' totals.
set local session authorization default;
create table demo_test.seen (tenant_id uuid);
grant insert, select on demo_test.seen to app_user;
create function demo_test.peek(tenant uuid) returns boolean
    language plpgsql volatile cost 0.0001
as $$
begin
    insert into demo_test.seen values (tenant);
    return true;
end
$$;
set local role app_user;
do $$
begin
    perform from public.v_tenant_summary where demo_test.peek(tenant_id);
    perform from public.v_tenant where demo_test.peek(id);
    perform checks.is((select array_agg(distinct tenant_id) from demo_test.seen),
                         array['00000000-0000-4000-8000-000000000001']::uuid[],
                         'a leaky condition sees the rows of the tenant only');
end
$$;

-- Under the policies, keys and the usual lists are still found by index.
create function pg_temp.plan_of(statement text) returns text
    language plpgsql
as $$
declare
    plan json;
begin
    execute 'explain (format json) ' || statement into plan;
    return plan::text;
end
$$;
do $$
declare
    plan text;
begin
    plan := pg_temp.plan_of('select * from public.v_task where id = ''00000000-0000-4000-8003-000000000001''');
    perform checks.is(plan ~ '"Index Cond":[^\n]*[( ]id = ' and plan not like '%Seq Scan%', true,
                         'a task is found by its key through an index');
    plan := pg_temp.plan_of('select * from public.v_task order by created_at desc, id desc limit 20');
    perform checks.is(plan like '%"tasks_tenant_created_idx"%' and plan not like '%"Sort"%', true,
                         'the newest tasks are read in index order');
    plan := pg_temp.plan_of('select * from public.v_task order by id limit 20');
    perform checks.is(plan not like '%"Sort"%' and plan not like '%Seq Scan%', true,
                         'a list in key order is read in index order');
    plan := pg_temp.plan_of('select * from public.v_task where status = ''TODO'' order by due_date, id limit 20');
    perform checks.is(plan like '%"tasks_tenant_status_idx"%' and plan ~ '"Index Cond":[^\n]*status = ' and plan not like '%Seq Scan%', true,
                         'a filter on status is an index condition');
    plan := pg_temp.plan_of('select * from public.v_comment where task_id = ''00000000-0000-4000-8003-000000000001'' order by created_at, id');
    perform checks.is(plan like '%"comments_task_idx"%' and plan not like '%Seq Scan%', true,
                         'the comments of a task are found by index');
end
$$;

rollback;
\echo demo_isolation: ok
