-- The demo's write side, and what is easier said in SQL than through views. A volatile function is a
-- mutation, a stable one a query field; one that takes a row of a view is a field of its type.
--
-- All run with the rights of the request role, so row-level security holds inside them. Arguments are
-- written with the function's name before them, where a column could be meant.

set client_min_messages = warning;

-- FraiseQL's answer of a mutation that has more to say than the changed row. Its columns are fixed.
do $$
begin
    if pg_catalog.to_regtype('public.mutation_response') is null then
        create type public.mutation_response as (
            status         text,
            message        text,
            entity_id      text,
            entity_type    text,
            entity         jsonb,
            updated_fields text[],
            cascade        jsonb,
            metadata       jsonb
        );
    end if;
end
$$;

comment on type public.mutation_response is 'Outcome of a mutation, with the entity it was about.';

create or replace function public.fn_create_project(
    name        text,
    description text default null,
    owner_id    uuid default null,
    budget      numeric default null,
    due_date    date default null,
    labels      text[] default '{}'
) returns public.v_project
    language plpgsql volatile parallel unsafe security invoker
    set search_path = ''
as $$
declare
    created uuid;
    result  public.v_project;
    allowed integer;
begin
    -- Locked, so that two requests cannot both take the last free place.
    select s.max_projects
      into allowed
      from public.tenant_settings s
     where s.tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid
       for update;
    if allowed <= (select count(*) from public.projects p where p.status <> 'ARCHIVED') then
        raise exception 'the tenant has all % projects it may have', allowed
            using hint = 'Archive a project first.';
    end if;

    insert into public.projects (name, description, owner_id, budget, due_date, labels)
    values (fn_create_project.name, fn_create_project.description,
            coalesce(fn_create_project.owner_id,
                     nullif(current_setting('app.user_id', true), '')::uuid),
            fn_create_project.budget, fn_create_project.due_date,
            coalesce(fn_create_project.labels, '{}'))
    returning id into created;

    select * into strict result from public.v_project v where v.id = created;
    return result;
end
$$;

comment on function public.fn_create_project(text, text, uuid, numeric, date, text[]) is
    'Creates a project; it belongs to the user who asks, unless an owner is given.';

create or replace function public.fn_archive_project(project_id uuid) returns public.v_project
    language plpgsql volatile parallel unsafe security invoker
    set search_path = ''
as $$
declare
    result public.v_project;
begin
    update public.projects p
       set status = 'ARCHIVED',
           updated_at = now()
     where p.id = fn_archive_project.project_id;
    if not found then
        raise exception 'project "%" does not exist', fn_archive_project.project_id
            using errcode = 'no_data_found';
    end if;

    update public.tasks t
       set status = 'CANCELLED',
           updated_at = now()
     where t.project_id = fn_archive_project.project_id
       and t.status not in ('DONE', 'CANCELLED');

    select * into strict result from public.v_project v where v.id = fn_archive_project.project_id;
    return result;
end
$$;

comment on function public.fn_archive_project(uuid) is
    'Archives a project and cancels those of its tasks that are not done.';

create or replace function public.fn_create_task(
    project_id     uuid,
    title          text,
    description    text default null,
    assignee_id    uuid default null,
    priority       integer default 3,
    estimate_hours numeric default null,
    due_date       date default null,
    labels         text[] default '{}',
    attributes     jsonb default '{}'
) returns public.v_task
    language plpgsql volatile parallel unsafe security invoker
    set search_path = ''
as $$
declare
    project_status text;
    created        uuid;
    result         public.v_task;
begin
    select p.status into project_status from public.projects p where p.id = fn_create_task.project_id;
    if not found then
        raise exception 'project "%" does not exist', fn_create_task.project_id
            using errcode = 'no_data_found';
    end if;
    if project_status = 'ARCHIVED' then
        raise exception 'cannot add a task to an archived project';
    end if;

    insert into public.tasks (project_id, title, description, assignee_id, priority, estimate_hours,
                              due_date, labels, attributes)
    values (fn_create_task.project_id, fn_create_task.title, fn_create_task.description,
            fn_create_task.assignee_id, coalesce(fn_create_task.priority, 3),
            fn_create_task.estimate_hours, fn_create_task.due_date,
            coalesce(fn_create_task.labels, '{}'), coalesce(fn_create_task.attributes, '{}'))
    returning id into created;

    select * into strict result from public.v_task v where v.id = created;
    return result;
end
$$;

comment on function public.fn_create_task(uuid, text, text, uuid, integer, numeric, date, text[], jsonb) is
    'Adds a task to a project.';

create or replace function public.fn_update_task_status(task_id uuid, status text)
    returns public.mutation_response
    language plpgsql volatile parallel unsafe security invoker
    set search_path = ''
as $$
declare
    before   text;
    response public.mutation_response;
begin
    response.entity_id := fn_update_task_status.task_id::text;
    response.entity_type := 'Task';
    if fn_update_task_status.status is null
       or fn_update_task_status.status not in ('TODO', 'IN_PROGRESS', 'REVIEW', 'DONE', 'CANCELLED') then
        response.status := 'validation:status';
        response.message := 'the status of a task is TODO, IN_PROGRESS, REVIEW, DONE or CANCELLED';
        return response;
    end if;

    select t.status into before from public.tasks t where t.id = fn_update_task_status.task_id for update;
    if not found then
        response.status := 'not_found:task';
        response.message := 'the task does not exist';
        return response;
    end if;
    if before = fn_update_task_status.status then
        response.status := 'noop:unchanged';
        response.message := 'the task has this status already';
        return response;
    end if;

    update public.tasks t
       set status = fn_update_task_status.status,
           completed_at = case when fn_update_task_status.status = 'DONE' then now() end,
           updated_at = now()
     where t.id = fn_update_task_status.task_id;

    select to_jsonb(v) into strict response.entity
      from public.v_task v
     where v.id = fn_update_task_status.task_id;
    response.status := 'updated';
    response.message := format('the task went from %s to %s', before, fn_update_task_status.status);
    response.updated_fields := array['status', 'completed_at', 'updated_at'];
    response.metadata := jsonb_build_object('previous_status', before);
    return response;
end
$$;

comment on function public.fn_update_task_status(uuid, text) is
$$Moves a task to another status.
@fraiseql:mutation
name: updateTaskStatus
success_type: Task$$;

create or replace function public.fn_assign_task(task_id uuid, assignee_id uuid default null)
    returns public.v_task
    language plpgsql volatile parallel unsafe security invoker
    set search_path = ''
as $$
declare
    result public.v_task;
begin
    update public.tasks t
       set assignee_id = fn_assign_task.assignee_id,
           updated_at = now()
     where t.id = fn_assign_task.task_id;
    if not found then
        raise exception 'task "%" does not exist', fn_assign_task.task_id
            using errcode = 'no_data_found';
    end if;

    select * into strict result from public.v_task v where v.id = fn_assign_task.task_id;
    return result;
end
$$;

comment on function public.fn_assign_task(uuid, uuid) is
    'Gives a task to a user, or to nobody when no user is given.';

-- auth_user_id is filled from the token's claim and is no argument of the mutation.
create or replace function public.fn_add_comment(auth_user_id uuid, task_id uuid, body text)
    returns public.v_comment
    language plpgsql volatile parallel unsafe security invoker
    set search_path = ''
as $$
declare
    created uuid;
    result  public.v_comment;
begin
    perform from public.tasks t where t.id = fn_add_comment.task_id;
    if not found then
        raise exception 'task "%" does not exist', fn_add_comment.task_id
            using errcode = 'no_data_found';
    end if;

    insert into public.comments (task_id, author_id, body)
    values (fn_add_comment.task_id, fn_add_comment.auth_user_id, fn_add_comment.body)
    returning id into created;

    select * into strict result from public.v_comment v where v.id = created;
    return result;
end
$$;

comment on function public.fn_add_comment(uuid, uuid, text) is
    'Adds a comment to a task, written by the user who asks.';

create or replace function public.fn_delete_comment(comment_id uuid) returns boolean
    language plpgsql volatile parallel unsafe security invoker
    set search_path = ''
as $$
begin
    delete from public.comments c where c.id = fn_delete_comment.comment_id;
    return found;
end
$$;

comment on function public.fn_delete_comment(uuid) is
    'Deletes a comment of the user who asks; false if there is none of that key.';

create or replace function public.fn_current_user() returns public.v_user
    language sql stable parallel safe security invoker
    set search_path = ''
as $$
    select v
      from public.v_user v
     where v.id = nullif(current_setting('app.user_id', true), '')::uuid
$$;

comment on function public.fn_current_user() is 'The user who asks.';

create or replace function public.fn_search_tasks(words text, max_results integer default 20)
    returns setof public.v_task
    language sql stable parallel safe security invoker
    set search_path = ''
    rows 20
as $$
    select v.*
      from public.v_task v
     where to_tsvector('pg_catalog.english', v.title || ' ' || coalesce(v.description, ''))
           @@ websearch_to_tsquery('pg_catalog.english', fn_search_tasks.words)
     order by v.updated_at desc, v.id
     limit least(greatest(fn_search_tasks.max_results, 0), 100)
$$;

comment on function public.fn_search_tasks(text, integer) is
    'Tasks whose title or description has the words, the most recently changed first; at most 100.';

create or replace function public.fn_progress(project public.v_project) returns numeric
    language sql stable parallel safe security invoker
    set search_path = ''
as $$
    select round(count(*) filter (where t.status = 'DONE')
                 / nullif(count(*) filter (where t.status <> 'CANCELLED'), 0)::numeric, 3)
      from public.tasks t
     where t.project_id = (fn_progress.project).id
$$;

comment on function public.fn_progress(public.v_project) is
    'Part of the project''s tasks that is done, from 0 to 1; null when there are none.';

do $$
declare
    signature regprocedure;
begin
    foreach signature in array array[
        'public.fn_create_project(text, text, uuid, numeric, date, text[])',
        'public.fn_archive_project(uuid)',
        'public.fn_create_task(uuid, text, text, uuid, integer, numeric, date, text[], jsonb)',
        'public.fn_update_task_status(uuid, text)',
        'public.fn_assign_task(uuid, uuid)',
        'public.fn_add_comment(uuid, uuid, text)',
        'public.fn_delete_comment(uuid)',
        'public.fn_current_user()',
        'public.fn_search_tasks(text, integer)',
        'public.fn_progress(public.v_project)']::regprocedure[]
    loop
        execute format('revoke execute on function %s from public', signature);
        execute format('grant execute on function %s to app_user', signature);
    end loop;
end
$$;

grant usage on type public.mutation_response to app_user;
