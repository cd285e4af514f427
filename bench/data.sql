-- data.sql - the benchmark database: the case study's tenants, users,
-- projects, tasks and comments at full scale, under row-level security.
--
-- Run by psql as a superuser, in an empty database. Everything is computed from
-- row numbers, so that two loads hold the same rows. The last statement leaves a
-- marker (public.bench_loaded); a second run finds it and does nothing.

\set ON_ERROR_STOP on
\set QUIET on
select to_regclass('public.bench_loaded') is not null as loaded \gset
\if :loaded
    \echo 'benchmark data is already loaded'
    \quit
\endif

set client_min_messages = warning;
set timezone = 'UTC';
set synchronous_commit = off;
set maintenance_work_mem = '512MB';

-- The request role, and the login of a server, which may become it.
do $$
begin
    if to_regrole('app_user') is null then
        create role app_user nologin;
    end if;
    if to_regrole('bench_server') is null then
        create role bench_server login in role app_user;
    end if;
end
$$;

-- A number that looks random but is the same in every load.
create function public.bench_hash(n bigint, salt integer) returns integer
    language sql immutable parallel safe
    return pg_catalog.hashint8extended(n, salt) & 2147483647;

create table public.tenants (
    id uuid not null,
    name text not null,
    plan text not null check (plan in ('FREE', 'TEAM', 'ENTERPRISE')),
    created_at timestamptz not null
);

create table public.users (
    id uuid not null,
    tenant_id uuid not null,
    email text not null,
    name text not null,
    role text not null check (role in ('ADMIN', 'MEMBER', 'GUEST')),
    active boolean not null,
    created_at timestamptz not null,
    last_login_at timestamptz
);

create table public.projects (
    id uuid not null,
    tenant_id uuid not null,
    owner_id uuid not null,
    name text not null,
    description text,
    status text not null check (status in ('ACTIVE', 'PAUSED', 'DONE', 'ARCHIVED')),
    budget numeric(12, 2),
    starts_on date,
    due_on date,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table public.tasks (
    id uuid not null,
    tenant_id uuid not null,
    project_id uuid not null,
    assignee_id uuid,
    title text not null,
    description text,
    status text not null check (status in ('TODO', 'DOING', 'REVIEW', 'DONE')),
    priority integer not null,
    estimate_hours numeric(6, 2),
    due_on date,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    completed_at timestamptz
);

create table public.comments (
    id uuid not null,
    tenant_id uuid not null,
    task_id uuid not null,
    author_id uuid not null,
    body text not null,
    created_at timestamptz not null
);

-- 234 tenants of 2 to 1800 users: a few large ones, a long tail of small ones.
create temporary table plan_tenant as
select t as n,
       pg_catalog.md5('tenant ' || t)::uuid as id,
       round(2 + 1798 * power(1 - (t - 1) / 233.0, 6.14))::integer as users,
       round(1 + 1619 * power(1 - (t - 1) / 233.0, 8.55))::integer as projects
from generate_series(1, 234) as t;

create temporary table plan_project as
select row_number() over (order by p.n, k) as n, p.n as tenant, p.id as tenant_id, p.users
from plan_tenant as p, generate_series(1, p.projects) as k;

analyze plan_tenant, plan_project;

insert into public.tenants
select id, 'Tenant ' || n,
       case when users > 400 then 'ENTERPRISE' when users > 40 then 'TEAM' else 'FREE' end,
       timestamptz '2023-01-01' + n * interval '1 day'
from plan_tenant;

insert into public.users
select md5('user ' || p.n || ' ' || k)::uuid, p.id,
       'user' || k || '@tenant' || p.n || '.example',
       (array['Ada', 'Grace', 'Linus', 'Edsger', 'Barbara', 'Donald', 'Margaret', 'Dennis'])
           [1 + bench_hash(k, p.n) % 8] || ' '
       || (array['Meyer', 'Okafor', 'Silva', 'Tanaka', 'Novak', 'Haddad', 'Larsen'])
           [1 + bench_hash(k, p.n + 1000) % 7] || ' ' || k,
       case when k = 1 then 'ADMIN' when bench_hash(k, 3) % 10 = 0 then 'GUEST' else 'MEMBER' end,
       bench_hash(k, 4) % 20 <> 0,
       timestamptz '2023-01-01' + bench_hash(k, p.n + 2000) % 40000000 * interval '1 second',
       case when bench_hash(k, 5) % 8 <> 0 then
           timestamptz '2024-06-01' + bench_hash(k, p.n + 3000) % 10000000 * interval '1 second'
       end
from plan_tenant as p, generate_series(1, p.users) as k;

insert into public.projects
select md5('project ' || n)::uuid, tenant_id,
       md5('user ' || tenant || ' ' || 1 + bench_hash(n, 1) % users)::uuid,
       (array['Website', 'Mobile app', 'Billing', 'Data warehouse', 'Support desk', 'Onboarding'])
           [1 + bench_hash(n, 2) % 6] || ' ' || n,
       case when bench_hash(n, 3) % 5 <> 0 then
           'Everything that has to happen before the ' || n || '. release reaches customers,'
           || ' as agreed with the "steering group".'
       end,
       (array['ACTIVE', 'ACTIVE', 'ACTIVE', 'PAUSED', 'DONE', 'ARCHIVED'])[1 + bench_hash(n, 4) % 6],
       (bench_hash(n, 5) % 50000000) / 100.0,
       date '2024-01-01' + bench_hash(n, 6) % 300,
       date '2024-06-01' + bench_hash(n, 7) % 500,
       timestamptz '2023-06-01' + bench_hash(n, 8) % 20000000 * interval '1 second',
       timestamptz '2024-02-01' + bench_hash(n, 9) % 20000000 * interval '1 second'
from plan_project;

-- 5 to 45 tasks a project, about a million in all.
insert into public.tasks
select md5('task ' || p.n || ' ' || k)::uuid, p.tenant_id, md5('project ' || p.n)::uuid,
       case when bench_hash(h, 1) % 10 <> 0 then
           md5('user ' || p.tenant || ' ' || 1 + bench_hash(h, 2) % p.users)::uuid
       end,
       (array['Write', 'Review', 'Fix', 'Test', 'Deploy', 'Measure', 'Discuss'])
           [1 + bench_hash(h, 3) % 7] || ' the '
       || (array['invoice export', 'login page', 'search index', 'nightly report', 'API client'])
           [1 + bench_hash(h, 4) % 5] || ' #' || h,
       case when bench_hash(h, 5) % 6 <> 0 then
           'Reported by a customer; see the attached log. Steps to repeat: open the page, sort by'
           || ' "date", wait.' || chr(10) || 'Expected: ' || bench_hash(h, 6) % 1000 || ' rows in'
           || ' the order of the column, the same on every page.' || chr(10)
           || 'Seen: the order of the first page only.'
       end,
       (array['TODO', 'TODO', 'TODO', 'DOING', 'REVIEW', 'DONE', 'DONE', 'DONE'])
           [1 + bench_hash(h, 7) % 8],
       1 + bench_hash(h, 8) % 5,
       (bench_hash(h, 9) % 16000) / 100.0,
       date '2024-06-01' + bench_hash(h, 10) % 400,
       timestamptz '2024-01-01' + bench_hash(h, 11) % 20000000 * interval '1 second',
       timestamptz '2024-09-01' + bench_hash(h, 12) % 5000000 * interval '1 second',
       case when bench_hash(h, 7) % 8 >= 5 then
           timestamptz '2024-11-01' + bench_hash(h, 13) % 5000000 * interval '1 second'
       end
from plan_project as p, generate_series(1, 5 + bench_hash(p.n, 10) % 41) as k,
     lateral (select p.n * 100 + k as h) as hashed;

insert into public.comments
select md5('comment ' || t.id)::uuid, t.tenant_id, t.id, coalesce(t.assignee_id, p.owner_id),
       'I looked at this on ' || t.due_on || ' and think it should be done with "' || p.name || '".',
       t.updated_at
from public.tasks as t join public.projects as p on p.id = t.project_id
where hashtextextended(t.id::text, 1) & 1 = 0;

alter table public.tenants add primary key (id);
alter table public.users add primary key (id);
alter table public.projects add primary key (id);
alter table public.tasks add primary key (id);
alter table public.comments add primary key (id);

-- Each list the benchmark reads in an order has the index for it, key last.
create unique index on public.users (tenant_id, email);
create index on public.projects (tenant_id, updated_at desc, id);
create index on public.projects (tenant_id, status, updated_at desc, id);
create index on public.projects (owner_id);
create index on public.tasks (project_id, created_at desc, id);
create index on public.tasks (tenant_id, status, updated_at desc, id);
create index on public.tasks (assignee_id);
create index on public.comments (task_id, created_at desc, id);

alter table public.users add foreign key (tenant_id) references public.tenants;
alter table public.projects add foreign key (tenant_id) references public.tenants,
    add foreign key (owner_id) references public.users;
alter table public.tasks add foreign key (tenant_id) references public.tenants,
    add foreign key (project_id) references public.projects,
    add foreign key (assignee_id) references public.users;
alter table public.comments add foreign key (tenant_id) references public.tenants,
    add foreign key (task_id) references public.tasks,
    add foreign key (author_id) references public.users;

-- A materialized view takes no row-level security: the view over it filters.
create materialized view public.tenant_project_summary as
select p.tenant_id, count(*) as project_count, sum(t.task_count)::bigint as total_tasks,
       sum(t.done_count)::bigint as done_tasks, sum(p.budget) as total_budget,
       max(p.updated_at) as last_update
from public.projects as p
cross join lateral (
    select count(*) as task_count, count(*) filter (where status = 'DONE') as done_count
    from public.tasks where project_id = p.id) as t
group by p.tenant_id;
create unique index on public.tenant_project_summary (tenant_id);

-- The setting is fetched once per statement (sub-select), and '' (what it reads
-- after the transaction that set it) gives no rows instead of an error.
do $$
declare
    name text;
begin
    foreach name in array array['users', 'projects', 'tasks', 'comments'] loop
        execute format('alter table public.%I enable row level security', name);
        execute format($f$create policy tenant_isolation on public.%I for all to app_user
            using (tenant_id =
                (select nullif(current_setting('app.current_tenant_id', true), '')::uuid))$f$, name);
    end loop;
end
$$;

create view public.v_user with (security_invoker = true) as
select id, email, name, role, active, created_at, last_login_at from public.users;
create view public.v_project with (security_invoker = true) as
select id, owner_id, name, description, status, budget, starts_on, due_on, created_at, updated_at
from public.projects;
create view public.v_task with (security_invoker = true) as
select id, project_id, assignee_id, title, description, status, priority, estimate_hours, due_on,
       created_at, updated_at, completed_at
from public.tasks;
create view public.v_comment with (security_invoker = true) as
select id, task_id, author_id, body, created_at from public.comments;
create view public.v_tenant_project_summary with (security_barrier = true) as
select tenant_id, project_count, total_tasks, done_tasks, total_budget, last_update
from public.tenant_project_summary
where tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create function public.fn_create_task(project_id uuid, title text, description text default null,
                                      priority integer default 3, assignee_id uuid default null)
    returns public.v_task
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, public
as $$
declare
    made public.v_task;
begin
    insert into public.tasks (id, tenant_id, project_id, assignee_id, title, description, status,
                              priority, created_at, updated_at)
    values (gen_random_uuid(), nullif(current_setting('app.current_tenant_id', true), '')::uuid,
            fn_create_task.project_id, fn_create_task.assignee_id, fn_create_task.title,
            fn_create_task.description, 'TODO', fn_create_task.priority, now(), now())
    returning tasks.id, tasks.project_id, tasks.assignee_id, tasks.title, tasks.description,
              tasks.status, tasks.priority, tasks.estimate_hours, tasks.due_on, tasks.created_at,
              tasks.updated_at, tasks.completed_at
    into made;
    return made;
end
$$;

create function public.fn_update_task_status(id uuid, status text)
    returns public.v_task
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, public
as $$
declare
    changed public.v_task;
begin
    update public.tasks as t
    set status = fn_update_task_status.status, updated_at = now()
    where t.id = fn_update_task_status.id
    returning t.id, t.project_id, t.assignee_id, t.title, t.description, t.status, t.priority,
              t.estimate_hours, t.due_on, t.created_at, t.updated_at, t.completed_at
    into changed;
    if not found then
        raise exception using errcode = 'P0002', message = 'task does not exist';
    end if;
    return changed;
end
$$;

grant usage on schema public to app_user;
grant select on public.v_user, public.v_project, public.v_task, public.v_comment,
    public.v_tenant_project_summary, public.users, public.projects, public.comments to app_user;
grant select, insert, update on public.tasks to app_user;
revoke execute on function public.fn_create_task, public.fn_update_task_status from public;
grant execute on function public.fn_create_task, public.fn_update_task_status to app_user;
drop function public.bench_hash;

vacuum (analyze) public.tenants, public.users, public.projects, public.tasks, public.comments,
    public.tenant_project_summary;

create table public.bench_loaded (loaded_at timestamptz not null);
insert into public.bench_loaded values (now());
