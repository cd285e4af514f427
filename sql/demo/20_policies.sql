-- Row-level security of the demo: who sees and changes which rows.
--
-- A request carries its tenant in the setting app.current_tenant_id and its user in app.user_id. A setting
-- that was never made reads as null, one made in an earlier transaction of the session as '': nullif makes
-- both match nothing. The subselect has the setting read once per statement instead of once per row.
--
-- Forced, so that an owner who is not a superuser is subject to it as well.

set client_min_messages = warning;

alter table public.tenants enable row level security, force row level security;
alter table public.tenant_settings enable row level security, force row level security;
alter table public.users enable row level security, force row level security;
alter table public.projects enable row level security, force row level security;
alter table public.tasks enable row level security, force row level security;
alter table public.comments enable row level security, force row level security;

drop policy if exists tenant_isolation_policy on public.tenants;
create policy tenant_isolation_policy on public.tenants
    for all
    to app_user
    using (id = (select nullif(pg_catalog.current_setting('app.current_tenant_id', true), '')::uuid))
    with check (id = (select nullif(pg_catalog.current_setting('app.current_tenant_id', true), '')::uuid));

-- The same for every table with a tenant_id.
do $$
declare
    relation regclass;
    own_tenant constant text :=
        'tenant_id = (select nullif(pg_catalog.current_setting(''app.current_tenant_id'', true), '''')::uuid)';
begin
    foreach relation in array array['public.tenant_settings', 'public.users', 'public.projects',
                                    'public.tasks', 'public.comments']::regclass[]
    loop
        execute format('drop policy if exists tenant_isolation_policy on %s', relation);
        execute format('create policy tenant_isolation_policy on %s for all to app_user using (%s) with check (%s)',
                       relation, own_tenant, own_tenant);
        execute format('comment on policy tenant_isolation_policy on %s is %L',
                       relation, 'Only rows of the request''s tenant can be seen or written.');
    end loop;
end
$$;

comment on policy tenant_isolation_policy on public.tenants is
    'Only the request''s own tenant can be seen.';

-- Foreign keys are checked without regard to row-level security: without more, a tenant could refer to
-- another's user, and learn from the answer which keys exist. What is referred to has to be visible.
drop policy if exists own_references_policy on public.projects;
create policy own_references_policy on public.projects
    as restrictive
    for all
    to app_user
    using (true)
    with check (exists (select from public.users u where u.id = projects.owner_id));

drop policy if exists own_references_policy on public.tasks;
create policy own_references_policy on public.tasks
    as restrictive
    for all
    to app_user
    using (true)
    with check (exists (select from public.projects p where p.id = tasks.project_id)
                and (tasks.assignee_id is null
                     or exists (select from public.users u where u.id = tasks.assignee_id)));

drop policy if exists own_references_policy on public.comments;
create policy own_references_policy on public.comments
    as restrictive
    for all
    to app_user
    using (true)
    with check (exists (select from public.tasks t where t.id = comments.task_id)
                and exists (select from public.users u where u.id = comments.author_id));

comment on policy own_references_policy on public.projects is 'The owner is of the same tenant.';
comment on policy own_references_policy on public.tasks is
    'The project and the assignee are of the same tenant.';
comment on policy own_references_policy on public.comments is
    'The task and the author are of the same tenant.';

-- Everybody of a tenant reads its comments; they are written, changed and deleted by their authors only.
drop policy if exists author_insert_policy on public.comments;
create policy author_insert_policy on public.comments
    as restrictive
    for insert
    to app_user
    with check (author_id = (select nullif(pg_catalog.current_setting('app.user_id', true), '')::uuid));

drop policy if exists author_update_policy on public.comments;
create policy author_update_policy on public.comments
    as restrictive
    for update
    to app_user
    using (author_id = (select nullif(pg_catalog.current_setting('app.user_id', true), '')::uuid));

drop policy if exists author_delete_policy on public.comments;
create policy author_delete_policy on public.comments
    as restrictive
    for delete
    to app_user
    using (author_id = (select nullif(pg_catalog.current_setting('app.user_id', true), '')::uuid));

comment on policy author_insert_policy on public.comments is 'Nobody writes in another''s name.';
comment on policy author_update_policy on public.comments is 'Only the author changes a comment.';
comment on policy author_delete_policy on public.comments is 'Only the author deletes a comment.';
