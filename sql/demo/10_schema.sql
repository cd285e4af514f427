-- The demo: a project management product with many tenants in one database.
-- Roles, types and tables. Load the files in the order of their numbers, as a superuser, each in one
-- transaction (psql --single-transaction); every file can be run again.
--
-- Every row belongs to one tenant. Status columns are text with a check, not enums: comparing enums is
-- not leakproof, so below a row-level security policy such a filter could not use an index.

set client_min_messages = warning;

-- Roles belong to the cluster, where another database's load may make them at the same moment.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'app_user') then
        create role app_user nologin;
    end if;
    if not exists (select from pg_catalog.pg_roles where rolname = 'fraiseqld') then
        create role fraiseqld login noinherit;
    end if;
exception
    when duplicate_object or unique_violation then
        null;
end
$$;

-- The daemon logs in as fraiseqld, which can do nothing until it takes the role of a request.
grant app_user to fraiseqld;

comment on role app_user is 'The role requests run as: owns nothing, bypasses nothing.';
comment on role fraiseqld is 'The role the daemon logs in as: may become app_user.';

do $$
begin
    if pg_catalog.to_regtype('public.user_role') is null then
        create type public.user_role as enum ('owner', 'admin', 'member', 'billing contact');
    end if;
end
$$;

comment on type public.user_role is 'What a user may do within the tenant.';

create table if not exists public.tenants (
    id         uuid primary key default pg_catalog.gen_random_uuid(),
    name       text not null check (name <> ''),
    slug       text not null unique check (slug ~ '^[a-z][a-z0-9-]*$'),
    plan       text not null default 'TEAM' check (plan in ('FREE', 'TEAM', 'ENTERPRISE')),
    region     text not null default 'us-east-1' check (region in ('us-east-1', 'eu-west-1')),
    seats      integer not null default 5 check (seats > 0),
    created_at timestamptz not null default pg_catalog.now()
);

comment on table public.tenants is 'A customer: the owner of everything else.';
comment on column public.tenants.id is 'Identifier of the tenant.';
comment on column public.tenants.name is 'Name as shown to people.';
comment on column public.tenants.slug is 'Name as used in addresses; unique among all tenants.';
comment on column public.tenants.plan is 'What the tenant pays for: FREE, TEAM or ENTERPRISE.';
comment on column public.tenants.region is 'Where the tenant''s data is kept.';
comment on column public.tenants.seats is 'How many users the plan allows.';
comment on column public.tenants.created_at is 'When the tenant signed up.';

create table if not exists public.tenant_settings (
    tenant_id     uuid primary key references public.tenants (id) on delete cascade,
    locale        text not null default 'en-US',
    timezone      text not null default 'UTC',
    features      text[] not null default '{}',
    branding      jsonb not null default '{}',
    max_projects  integer not null default 100 check (max_projects >= 0),
    storage_quota bigint not null default 10737418240 check (storage_quota >= 0),
    updated_at    timestamptz not null default pg_catalog.now()
);

comment on table public.tenant_settings is 'What a tenant has chosen or was granted; one row each.';
comment on column public.tenant_settings.tenant_id is 'The tenant these settings are for.';
comment on column public.tenant_settings.locale is 'Language and region, as a BCP 47 tag.';
comment on column public.tenant_settings.timezone is 'Time zone, by its name in the tz database.';
comment on column public.tenant_settings.features is 'Optional features switched on.';
comment on column public.tenant_settings.branding is 'Colours and logo of the tenant''s pages.';
comment on column public.tenant_settings.max_projects is 'How many projects may exist at a time.';
comment on column public.tenant_settings.storage_quota is 'Bytes that attachments may take.';
comment on column public.tenant_settings.updated_at is 'When the settings were last changed.';

create table if not exists public.users (
    id           uuid primary key default pg_catalog.gen_random_uuid(),
    tenant_id    uuid not null references public.tenants (id),
    email        text not null check (email like '%_@_%'),
    name         text not null check (name <> ''),
    role         public.user_role not null default 'member',
    active       boolean not null default true,
    skills       text[] not null default '{}',
    preferences  jsonb not null default '{}',
    hourly_rate  numeric(10, 2) check (hourly_rate >= 0),
    last_seen_at timestamptz,
    created_at   timestamptz not null default pg_catalog.now(),
    unique (tenant_id, email)
);

comment on table public.users is 'A person who works for a tenant.';
comment on column public.users.id is 'Identifier of the user; the subject of the user''s tokens.';
comment on column public.users.tenant_id is 'The tenant the user works for.';
comment on column public.users.email is 'E-mail address; unique within the tenant.';
comment on column public.users.name is 'Name as shown to people.';
comment on column public.users.role is 'What the user may do.';
comment on column public.users.active is 'Whether the user can log in.';
comment on column public.users.skills is 'What the user is good at.';
comment on column public.users.preferences is 'The user''s own settings.';
comment on column public.users.hourly_rate is 'Price of an hour of work; null when it is not billed.';
comment on column public.users.last_seen_at is 'When the user was last active; null if never.';
comment on column public.users.created_at is 'When the user was added.';

create table if not exists public.projects (
    id            uuid primary key default pg_catalog.gen_random_uuid(),
    tenant_id     uuid not null references public.tenants (id)
                  default nullif(pg_catalog.current_setting('app.current_tenant_id', true), '')::uuid,
    owner_id      uuid not null references public.users (id),
    name          text not null check (name <> '' and pg_catalog.length(name) <= 200),
    description   text,
    status        text not null default 'ACTIVE'
                  check (status in ('PLANNED', 'ACTIVE', 'ON_HOLD', 'COMPLETED', 'ARCHIVED')),
    budget        numeric(14, 2) check (budget >= 0),
    due_date      date,
    labels        text[] not null default '{}',
    settings      jsonb not null default '{}',
    task_count    integer not null default 0 check (task_count >= 0),
    storage_bytes bigint not null default 0 check (storage_bytes >= 0),
    created_at    timestamptz not null default pg_catalog.now(),
    updated_at    timestamptz not null default pg_catalog.now(),
    -- The name under which reports know the key: see v_tenant_project_summary.
    project_id    uuid not null generated always as (id) stored
);

comment on table public.projects is 'A piece of work with an owner, a budget and tasks.';
comment on column public.projects.id is 'Identifier of the project.';
comment on column public.projects.tenant_id is 'The tenant the project belongs to.';
comment on column public.projects.owner_id is 'The user who answers for the project.';
comment on column public.projects.name is 'Name of the project.';
comment on column public.projects.description is 'What the project is about.';
comment on column public.projects.status is 'PLANNED, ACTIVE, ON_HOLD, COMPLETED or ARCHIVED.';
comment on column public.projects.budget is 'Money that may be spent; null when there is no limit.';
comment on column public.projects.due_date is 'Day the project should be done.';
comment on column public.projects.labels is 'Words to find the project by.';
comment on column public.projects.settings is 'How the project is shown and who is notified.';
comment on column public.projects.task_count is 'Number of tasks, kept by triggers on tasks.';
comment on column public.projects.storage_bytes is 'Bytes that attachments take.';
comment on column public.projects.created_at is 'When the project was created.';
comment on column public.projects.updated_at is 'When the project was last changed.';
comment on column public.projects.project_id is 'The same as id, under the name that reports use.';

create table if not exists public.tasks (
    id             uuid primary key default pg_catalog.gen_random_uuid(),
    tenant_id      uuid not null references public.tenants (id)
                   default nullif(pg_catalog.current_setting('app.current_tenant_id', true), '')::uuid,
    project_id     uuid not null references public.projects (id) on delete cascade,
    assignee_id    uuid references public.users (id),
    title          text not null check (title <> '' and pg_catalog.length(title) <= 300),
    description    text,
    status         text not null default 'TODO'
                   check (status in ('TODO', 'IN_PROGRESS', 'REVIEW', 'DONE', 'CANCELLED')),
    priority       integer not null default 3 check (priority between 1 and 5),
    estimate_hours numeric(6, 2) check (estimate_hours >= 0),
    minutes_spent  integer not null default 0 check (minutes_spent >= 0),
    labels         text[] not null default '{}',
    attributes     jsonb not null default '{}',
    due_date       date,
    completed_at   timestamptz,
    created_at     timestamptz not null default pg_catalog.now(),
    updated_at     timestamptz not null default pg_catalog.now(),
    check ((status = 'DONE') = (completed_at is not null))
);

comment on table public.tasks is 'Something to be done for a project.';
comment on column public.tasks.id is 'Identifier of the task.';
comment on column public.tasks.tenant_id is 'The tenant the task belongs to.';
comment on column public.tasks.project_id is 'The project the task is part of.';
comment on column public.tasks.assignee_id is 'The user who does it; null while nobody does.';
comment on column public.tasks.title is 'What is to be done, in a line.';
comment on column public.tasks.description is 'What is to be done, at length.';
comment on column public.tasks.status is 'TODO, IN_PROGRESS, REVIEW, DONE or CANCELLED.';
comment on column public.tasks.priority is 'From 1, urgent, to 5, some day.';
comment on column public.tasks.estimate_hours is 'Hours the work should take.';
comment on column public.tasks.minutes_spent is 'Minutes the work has taken so far.';
comment on column public.tasks.labels is 'Words to find the task by.';
comment on column public.tasks.attributes is 'Fields that the tenant has added.';
comment on column public.tasks.due_date is 'Day the task should be done.';
comment on column public.tasks.completed_at is 'When the task was done; null until then.';
comment on column public.tasks.created_at is 'When the task was created.';
comment on column public.tasks.updated_at is 'When the task was last changed.';

create table if not exists public.comments (
    id         uuid primary key default pg_catalog.gen_random_uuid(),
    tenant_id  uuid not null references public.tenants (id)
               default nullif(pg_catalog.current_setting('app.current_tenant_id', true), '')::uuid,
    task_id    uuid not null references public.tasks (id) on delete cascade,
    author_id  uuid not null references public.users (id),
    body       text not null check (body <> '' and pg_catalog.length(body) <= 10000),
    edited     boolean not null default false,
    reactions  jsonb not null default '{}',
    created_at timestamptz not null default pg_catalog.now()
);

comment on table public.comments is 'Something a user has said about a task.';
comment on column public.comments.id is 'Identifier of the comment.';
comment on column public.comments.tenant_id is 'The tenant the comment belongs to.';
comment on column public.comments.task_id is 'The task the comment is about.';
comment on column public.comments.author_id is 'The user who wrote it.';
comment on column public.comments.body is 'What was said.';
comment on column public.comments.edited is 'Whether it was changed after it was written.';
comment on column public.comments.reactions is 'Number of reactions by kind.';
comment on column public.comments.created_at is 'When it was written.';

-- For each foreign key, so that following it back, and deleting what it refers to, is a look-up.
create index if not exists projects_owner_idx on public.projects (owner_id, id);
create index if not exists tasks_project_idx on public.tasks (project_id, id);
create index if not exists tasks_assignee_idx on public.tasks (assignee_id, status, id);
create index if not exists comments_task_idx on public.comments (task_id, created_at, id);
create index if not exists comments_author_idx on public.comments (author_id, id);

-- For lists of a tenant's rows: by key, which is the order when none is asked for, and by what people
-- sort on. They serve the foreign keys to tenants as well.
create index if not exists users_tenant_key_idx on public.users (tenant_id, id);
create index if not exists users_tenant_name_idx on public.users (tenant_id, name, id);
create index if not exists projects_tenant_key_idx on public.projects (tenant_id, id);
create index if not exists projects_tenant_created_idx on public.projects (tenant_id, created_at, id);
create index if not exists projects_tenant_status_idx
    on public.projects (tenant_id, status, updated_at, id);
create index if not exists tasks_tenant_key_idx on public.tasks (tenant_id, id);
create index if not exists tasks_tenant_created_idx on public.tasks (tenant_id, created_at, id);
create index if not exists tasks_tenant_status_idx on public.tasks (tenant_id, status, due_date, id);
create index if not exists comments_tenant_key_idx on public.comments (tenant_id, id);
create index if not exists comments_tenant_created_idx
    on public.comments (tenant_id, created_at, id);

-- projects.task_count. Once per statement, so that loading many tasks costs one update; with the rights
-- of whoever writes, so that row-level security holds here too.
create or replace function public.count_project_tasks() returns trigger
    language plpgsql volatile parallel unsafe security invoker
    set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        update public.projects p
           set task_count = p.task_count + c.change
          from (select project_id, count(*) as change from added group by project_id) c
         where p.id = c.project_id;
    elsif tg_op = 'DELETE' then
        update public.projects p
           set task_count = p.task_count - c.change
          from (select project_id, count(*) as change from removed group by project_id) c
         where p.id = c.project_id;
    else
        update public.projects p
           set task_count = p.task_count + c.change
          from (select project_id, sum(change) as change
                  from (select project_id, 1 as change from added
                        union all
                        select project_id, -1 from removed) moved
                 group by project_id
                having sum(change) <> 0) c
         where p.id = c.project_id;
    end if;
    return null;
end
$$;

comment on function public.count_project_tasks() is 'Keeps projects.task_count.';

create or replace trigger tasks_added
    after insert on public.tasks
    referencing new table as added
    for each statement execute function public.count_project_tasks();
create or replace trigger tasks_removed
    after delete on public.tasks
    referencing old table as removed
    for each statement execute function public.count_project_tasks();
create or replace trigger tasks_moved
    after update on public.tasks
    referencing old table as removed new table as added
    for each statement execute function public.count_project_tasks();

-- Views and functions run with the rights of the request role, which therefore needs these. What it may
-- see and change of each table is for 20_policies.sql to say.
revoke execute on function public.count_project_tasks() from public;
grant usage on schema public to app_user;
grant usage on type public.user_role to app_user;
grant select on public.tenants to app_user;
grant select, update on public.tenant_settings, public.users to app_user;
grant select, insert, update, delete on public.projects, public.tasks, public.comments to app_user;
