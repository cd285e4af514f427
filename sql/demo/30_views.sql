-- The demo's read side: views of plain columns and a few computed ones. What they show is the GraphQL
-- schema; keys, foreign keys and not-null columns are found through them in the catalog.
--
-- security_invoker: a view without it reads with its owner's rights, past row-level security.

set client_min_messages = warning;

create or replace view public.v_tenant with (security_invoker = true) as
select t.id,
       t.name,
       t.slug,
       t.plan,
       t.region,
       t.seats,
       t.created_at
  from public.tenants t;

create or replace view public.v_tenant_settings with (security_invoker = true) as
select s.tenant_id,
       s.locale,
       s.timezone,
       s.features,
       s.branding,
       s.max_projects,
       s.storage_quota,
       s.updated_at
  from public.tenant_settings s;

create or replace view public.v_user with (security_invoker = true) as
select u.id,
       u.tenant_id,
       u.email,
       u.name,
       u.role,
       u.active,
       u.skills,
       u.preferences,
       u.hourly_rate,
       u.last_seen_at,
       u.created_at,
       pg_catalog.split_part(u.name, ' ', 1) as first_name
  from public.users u;

create or replace view public.v_project with (security_invoker = true) as
select p.id,
       p.tenant_id,
       p.owner_id,
       p.name,
       p.description,
       p.status,
       p.budget,
       p.due_date,
       p.labels,
       p.settings,
       p.task_count,
       p.storage_bytes,
       p.created_at,
       p.updated_at,
       p.status in ('COMPLETED', 'ARCHIVED') as closed,
       pg_catalog.round(p.budget / nullif(p.task_count, 0), 2) as budget_per_task
  from public.projects p;

create or replace view public.v_task with (security_invoker = true) as
select t.id,
       t.tenant_id,
       t.project_id,
       t.assignee_id,
       t.title,
       t.description,
       t.status,
       t.priority,
       t.estimate_hours,
       t.minutes_spent,
       t.labels,
       t.attributes,
       t.due_date,
       t.completed_at,
       t.created_at,
       t.updated_at,
       t.status in ('DONE', 'CANCELLED') as closed,
       t.completed_at - t.created_at as lead_time
  from public.tasks t;

create or replace view public.v_comment with (security_invoker = true) as
select c.id,
       c.tenant_id,
       c.task_id,
       c.author_id,
       c.body,
       c.edited,
       c.reactions,
       c.created_at,
       pg_catalog.length(c.body) as body_length
  from public.comments c;

comment on view public.v_tenant is 'A customer: the owner of everything else.';
comment on view public.v_tenant_settings is 'What a tenant has chosen or was granted.';
comment on view public.v_user is 'A person who works for a tenant.';
comment on view public.v_project is 'A piece of work with an owner, a budget and tasks.';
comment on view public.v_task is 'Something to be done for a project.';
comment on view public.v_comment is 'Something a user has said about a task.';

comment on column public.v_user.first_name is 'The first word of the name.';
comment on column public.v_project.closed is 'Whether the project is completed or archived.';
comment on column public.v_project.budget_per_task is 'The budget divided by the number of tasks.';
comment on column public.v_task.closed is 'Whether the task is done or cancelled.';
comment on column public.v_task.lead_time is 'Time from creation to completion.';
comment on column public.v_comment.body_length is 'Number of characters of the comment.';

-- The other columns are described by the tables'.
do $$
declare
    described record;
begin
    for described in
        select v.attrelid::regclass as view_name, v.attname as column_name,
               pg_catalog.col_description(t.attrelid, t.attnum) as description
          from (values ('public.v_tenant'::regclass, 'public.tenants'::regclass),
                       ('public.v_tenant_settings', 'public.tenant_settings'),
                       ('public.v_user', 'public.users'),
                       ('public.v_project', 'public.projects'),
                       ('public.v_task', 'public.tasks'),
                       ('public.v_comment', 'public.comments')) as source (view_oid, table_oid)
          join pg_catalog.pg_attribute v on v.attrelid = source.view_oid
          join pg_catalog.pg_attribute t on t.attrelid = source.table_oid and t.attname = v.attname
         where v.attnum > 0
    loop
        execute format('comment on column %s.%I is %L',
                       described.view_name, described.column_name, described.description);
    end loop;
end
$$;

-- Totals of a tenant, which would take a scan of its projects to compute. Refreshed now and then:
--     refresh materialized view concurrently public.v_tenant_project_summary;
create materialized view if not exists public.v_tenant_project_summary as
select tenant_id,
       count(*) as project_count,
       sum(task_count) as total_tasks,
       array_agg(project_id) as project_ids
  from public.projects
 group by tenant_id;

-- Refreshing concurrently needs it.
create unique index if not exists v_tenant_project_summary_key
    on public.v_tenant_project_summary (tenant_id);

comment on materialized view public.v_tenant_project_summary is
    'Totals of every tenant. Not for requests: see v_tenant_summary.';
comment on column public.v_tenant_project_summary.tenant_id is 'The tenant the totals are of.';
comment on column public.v_tenant_project_summary.project_count is 'Number of projects.';
comment on column public.v_tenant_project_summary.total_tasks is 'Number of tasks of all projects.';
comment on column public.v_tenant_project_summary.project_ids is 'Keys of the projects.';

-- A materialized view holds every tenant's rows and takes no policies. Requests get this view of it, which
-- reads with its owner's rights, has the tenant's condition built in, and is a security barrier, so that
-- no condition of a query sees a row before that one does.
create or replace view public.v_tenant_summary with (security_barrier = true) as
select s.tenant_id,
       s.project_count,
       s.total_tasks,
       s.project_ids
  from public.v_tenant_project_summary s
 where s.tenant_id = (select nullif(pg_catalog.current_setting('app.current_tenant_id', true), '')::uuid);

comment on view public.v_tenant_summary is
$$Totals of the tenant, as of a few minutes ago.
@fraiseql:type
key: tenant_id
tenant_column: tenant_id$$;
comment on column public.v_tenant_summary.tenant_id is 'The tenant the totals are of.';
comment on column public.v_tenant_summary.project_count is 'Number of projects.';
comment on column public.v_tenant_summary.total_tasks is 'Number of tasks of all projects.';
comment on column public.v_tenant_summary.project_ids is 'Keys of the projects.';

-- Refreshing takes the owner. Whoever only has to have it done, as the daemon, gets this function instead.
create or replace function public.refresh_tenant_summary() returns void
    language plpgsql volatile parallel unsafe security definer
    set search_path = ''
as $$
begin
    refresh materialized view concurrently public.v_tenant_project_summary;
end
$$;

comment on function public.refresh_tenant_summary() is 'Brings v_tenant_project_summary up to date.';

revoke all on public.v_tenant_project_summary from public, app_user;
revoke execute on function public.refresh_tenant_summary() from public;
grant execute on function public.refresh_tenant_summary() to fraiseqld;
grant select on public.v_tenant, public.v_tenant_settings, public.v_user, public.v_project, public.v_task,
                public.v_comment, public.v_tenant_summary
    to app_user;
