-- The demo's functions do what their descriptions say.
--
--     psql -X -v ON_ERROR_STOP=1 -f tests/sql/demo_functions.sql
--
-- Run as a superuser; everything is made in one transaction that is rolled back.

\set QUIET on
\o /dev/null
begin;
\ir ../../sql/demo/10_schema.sql
\ir ../../sql/demo/20_policies.sql
\ir ../../sql/demo/30_views.sql
\ir ../../sql/demo/40_functions.sql
\ir ../../sql/demo/50_data.sql
\ir ../support/checks.sql

-- Ada of Acme.
set local session authorization fraiseqld;
set local role app_user;
select set_config('app.current_tenant_id', '00000000-0000-4000-8000-000000000001', true),
       set_config('app.user_id', '00000000-0000-4000-8001-000000000001', true);

do $$
declare
    acme          constant uuid := '00000000-0000-4000-8000-000000000001';
    ada           constant uuid := '00000000-0000-4000-8001-000000000001';
    grace         constant uuid := '00000000-0000-4000-8001-000000000002';
    other_project constant uuid := '00000000-0000-4000-8002-00000000003d';
    other_task    constant uuid := '00000000-0000-4000-8003-000000000f44';
    project       public.v_project;
    second        public.v_project;
    task          public.v_task;
    remark        public.v_comment;
    response      public.mutation_response;
begin
    perform checks.is((select email from public.fn_current_user()), 'ada@acme.example', 'the current user is who asks');

    project := public.fn_create_project('Moon landing', budget => 25.5, labels => '{space}');
    perform checks.is((project.tenant_id, project.owner_id), (acme, ada), 'a project is of the tenant and the user who ask');
    perform checks.is((project.status, project.budget, project.labels, project.task_count),
                      ('ACTIVE'::text, 25.50, '{space}'::text[], 0), 'a project has what it was created with');
    perform checks.is((public.fn_create_project('Moon base', owner_id => grace)).owner_id, grace, 'an owner can be given');
    perform checks.fails('select public.fn_create_project('''')', '23514', 'a project has a name');
    perform checks.fails('select public.fn_create_project(''x'', owner_id => ''00000000-0000-4000-8001-00000000003d'')',
                         '42501', 'an owner of another tenant is refused');

    update public.tenant_settings set max_projects = (select count(*) from public.projects where status <> 'ARCHIVED');
    perform checks.fails('select public.fn_create_project(''one too many'')', 'P0001', 'a tenant has no more projects than allowed');
    perform public.fn_archive_project('00000000-0000-4000-8002-000000000001');
    second := public.fn_create_project('fits again');
    perform checks.is(second.name, 'fits again', 'an archived project makes room for another');

    task := public.fn_create_task(project.id, 'Find a rocket', assignee_id => grace, estimate_hours => 400.25,
                                  attributes => '{"stages": 3}');
    perform checks.is((task.project_id, task.assignee_id, task.status, task.priority, task.attributes),
                      (project.id, grace, 'TODO'::text, 3, '{"stages": 3}'::jsonb), 'a task has what it was created with');
    perform checks.is((select task_count from public.v_project where id = project.id), 1, 'a new task is counted');
    perform checks.fails(format('select public.fn_create_task(%L, ''x'')', other_project), 'P0002',
                         'a task of another tenant''s project is refused as of one that does not exist');
    perform checks.fails('select public.fn_create_task(''00000000-0000-4000-8002-000000000001'', ''x'')', 'P0001',
                         'an archived project takes no tasks');
    perform checks.fails(format('select public.fn_create_task(%L, ''x'', priority => 6)', project.id), '23514',
                         'priorities end at 5');

    perform checks.is((public.fn_assign_task(task.id)).assignee_id, null::uuid, 'a task can be taken from everybody');
    perform checks.is((public.fn_assign_task(task.id, ada)).assignee_id, ada, 'a task can be given to a user');
    perform checks.fails(format('select public.fn_assign_task(%L, ''00000000-0000-4000-8001-00000000003d'')', task.id),
                         '42501', 'a task cannot be given to another tenant''s user');
    perform checks.fails(format('select public.fn_assign_task(%L)', other_task), 'P0002',
                         'another tenant''s task is as one that does not exist');

    response := public.fn_update_task_status(task.id, 'DONE');
    perform checks.is((response.status, response.entity_type, response.entity_id, response.entity ->> 'status',
                       response.metadata ->> 'previous_status'),
                      ('updated'::text, 'Task'::text, task.id::text, 'DONE'::text, 'TODO'::text), 'a change of status answers with the task');
    perform checks.is(response.entity -> 'completed_at' <> 'null', true, 'a task that is done has a time of completion');
    perform checks.is((public.fn_update_task_status(task.id, 'DONE')).status, 'noop:unchanged', 'the same status again changes nothing');
    response := public.fn_update_task_status(task.id, 'REVIEW');
    perform checks.is(response.entity -> 'completed_at', 'null'::jsonb, 'a task that is opened again has none');
    perform checks.is((public.fn_update_task_status(task.id, 'LOST')).status, 'validation:status', 'an unknown status is an error');
    perform checks.is((public.fn_update_task_status(other_task, 'DONE')).status, 'not_found:task', 'another tenant''s task is not found');

    perform checks.is(public.fn_progress(project), 0.000, 'a project with one open task is at 0');
    perform public.fn_update_task_status(task.id, 'DONE');
    perform checks.is(public.fn_progress(project), 1.000, 'a project with one task, done, is at 1');
    perform checks.is(public.fn_progress(second), null::numeric, 'a project without tasks has no progress');

    remark := public.fn_add_comment(ada, task.id, 'Found one.');
    perform checks.is((remark.author_id, remark.body, remark.body_length), (ada, 'Found one.'::text, 10), 'a comment is added');
    perform checks.fails(format('select public.fn_add_comment(%L, %L, ''x'')', grace, task.id), '42501', 'but not in another''s name');
    perform checks.fails(format('select public.fn_add_comment(%L, %L, ''x'')', ada, other_task), 'P0002', 'nor on another tenant''s task');
    perform checks.is(public.fn_delete_comment(remark.id), true, 'its author deletes it');
    perform checks.is(public.fn_delete_comment(remark.id), false, 'once');

    perform checks.is((select array_agg(id) from public.fn_search_tasks('rocket -moon')), array[task.id], 'a search finds a word of a title');
    perform checks.is((select count(*) from public.fn_search_tasks('the', -1)), 0::bigint, 'a negative number of results is none');

    -- Two tasks move from one project to another in one statement.
    insert into public.tasks (project_id, title) values (project.id, 'a'), (project.id, 'b');
    update public.tasks set project_id = second.id where project_id = project.id and title in ('a', 'b');
    perform checks.is((select array_agg(task_count order by name desc) from public.v_project where id in (project.id, second.id)),
                      array[2, 1], 'tasks that move are counted where they went');

    project := public.fn_archive_project(second.id);
    perform checks.is((project.status, project.closed), ('ARCHIVED'::text, true), 'a project is archived');
    perform checks.is((select array_agg(distinct status) from public.v_task where project_id = second.id),
                      array['CANCELLED'], 'its open tasks are cancelled');
    perform checks.fails(format('select public.fn_archive_project(%L)', other_project), 'P0002', 'another tenant''s project is not');

    delete from public.tasks where project_id = second.id;
    perform checks.is((select task_count from public.v_project where id = second.id), 0, 'deleted tasks are counted no more');
end
$$;

-- The summary follows when it is refreshed, by the daemon's login and by nobody who asks.
select checks.fails('select public.refresh_tenant_summary()', '42501', 'requests do not refresh the summary');
set local role none;
select public.refresh_tenant_summary();
set local role app_user;
select checks.is((s.project_count, s.total_tasks, cardinality(s.project_ids)),
                 ((select count(*) from public.v_project), (select count(*) from public.v_task), s.project_count::integer),
                 'a refreshed summary counts what there is')
  from public.v_tenant_summary s;

set local session authorization default;
select checks.is((select count(*) from public.projects p
                   where p.task_count <> (select count(*) from public.tasks t where t.project_id = p.id)),
                 0::bigint, 'task_count is right everywhere');
select checks.is((select count(*)
                    from pg_attribute a join pg_class c on c.oid = a.attrelid
                   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm') and a.attnum > 0
                     and not a.attisdropped and col_description(c.oid, a.attnum) is null),
                 0::bigint, 'every column has a description');
select checks.is((select count(*) from pg_proc p
                   where p.pronamespace = 'public'::regnamespace and obj_description(p.oid, 'pg_proc') is null),
                 0::bigint, 'every function has a description');

rollback;
\echo demo_functions: ok
