-- The demo's data: the same rows with the same keys each time. Rows that are there are left alone.
--
-- Keys are 00000000-0000-4000-80KK-NNNNNNNNNNNN, with KK the kind (00 tenant, 01 user, 02 project,
-- 03 task, 04 comment) and N a number in hexadecimal that starts at 1. Documents and tests rely on these:
--
--     tenant   00000000-0000-4000-8000-000000000001  Acme, the largest: 60 users, 60 projects
--     tenant   00000000-0000-4000-8000-000000000002  Globex
--     tenant   00000000-0000-4000-8000-00000000000c  Zenith, the smallest: 2 users, 1 project
--     user     00000000-0000-4000-8001-000000000001  ada@acme.example, Ada Lovelace, role owner
--     user     00000000-0000-4000-8001-000000000002  grace@acme.example, Grace Hopper, role admin
--     user     00000000-0000-4000-8001-00000000003d  ada@globex.example, Ada Lovelace of Globex
--     project  00000000-0000-4000-8002-000000000001  "Website relaunch" of Acme, owned by Ada,
--                                                    storage_bytes 2^53 + 1
--     task     00000000-0000-4000-8003-000000000001  "Draft the announcement", its first, of Grace
--     comment  00000000-0000-4000-8004-000000000001  on that task, by Ada
--
-- 12 tenants, 300 users, 300 projects, about 4000 tasks, 3000 comments. All times follow 2024-03-01.

set client_min_messages = warning;
-- Dates below are written and computed in this zone whatever the session's is.
set timezone = 'UTC';

create or replace function pg_temp.demo_id(kind integer, number bigint) returns uuid
    language sql immutable parallel safe
as $$
    select ('00000000-0000-4000-80' || lpad(to_hex(kind), 2, '0') || '-'
            || lpad(to_hex(number), 12, '0'))::uuid
$$;

-- A number below modulus that looks random and depends on nothing but its arguments.
create or replace function pg_temp.demo_number(seed text, modulus integer) returns integer
    language sql immutable parallel safe
as $$
    select (('x' || substr(md5(seed), 1, 7))::bit(28)::integer) % modulus
$$;

create or replace function pg_temp.demo_pick(seed text, choices text[]) returns text
    language sql immutable parallel safe
as $$
    select choices[1 + pg_temp.demo_number(seed, cardinality(choices))]
$$;

-- How large each tenant is; first_user and first_project number through all tenants.
create temporary table demo_tenant on commit preserve rows as
select n, pg_temp.demo_id(0, n) as id, name, slug, plan, users, projects,
       1 + coalesce(sum(users) over before, 0)::integer as first_user,
       1 + coalesce(sum(projects) over before, 0)::integer as first_project
  from (values (1, 'Acme', 'acme', 'ENTERPRISE', 60, 60),
               (2, 'Globex', 'globex', 'ENTERPRISE', 50, 50),
               (3, 'Initech', 'initech', 'ENTERPRISE', 40, 45),
               (4, 'Café Noir', 'cafe-noir', 'TEAM', 35, 40),
               (5, 'Umbrella', 'umbrella', 'TEAM', 30, 30),
               (6, 'Stark & Söhne', 'stark', 'TEAM', 25, 25),
               (7, 'Wayne', 'wayne', 'TEAM', 20, 18),
               (8, '東京電子', 'tokyo', 'TEAM', 15, 14),
               (9, 'O''Hare', 'ohare', 'TEAM', 10, 9),
               (10, 'Tyrell', 'tyrell', 'FREE', 8, 5),
               (11, 'Hooli', 'hooli', 'FREE', 5, 3),
               (12, 'Zenith', 'zenith', 'FREE', 2, 1)) as t (n, name, slug, plan, users, projects)
window before as (order by n rows between unbounded preceding and 1 preceding);

insert into public.tenants (id, name, slug, plan, region, seats, created_at)
select id, name, slug, plan,
       case when n in (4, 6, 8) then 'eu-west-1' else 'us-east-1' end,
       users + 5,
       timestamptz '2024-03-01 09:00:00+00' + (n - 1) * interval '5 days 3 hours'
  from demo_tenant
    on conflict do nothing;

insert into public.tenant_settings (tenant_id, locale, timezone, features, branding, max_projects,
                                    storage_quota, updated_at)
select id,
       case n when 4 then 'fr-FR' when 6 then 'de-DE' when 8 then 'ja-JP' else 'en-US' end,
       case n when 4 then 'Europe/Paris' when 6 then 'Europe/Berlin' when 8 then 'Asia/Tokyo'
              else 'America/New_York' end,
       case plan when 'ENTERPRISE' then '{sso,audit,reports}' when 'TEAM' then '{reports}'
                 else '{}' end::text[],
       jsonb_build_object('color', '#' || substr(md5('color' || n), 1, 6),
                          'logo', jsonb_build_object('url', 'https://' || slug || '.example/logo.svg',
                                                     'width', 120)),
       case plan when 'ENTERPRISE' then 1000 when 'TEAM' then 100 else 5 end,
       case plan when 'ENTERPRISE' then 10995116277760 when 'TEAM' then 107374182400
                 else 1073741824 end,
       timestamptz '2024-09-01 12:00:00+00' + n * interval '7 hours'
  from demo_tenant
    on conflict do nothing;

with people as (
    select array['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Katherine Johnson', 'Edsger Dijkstra',
                 'Barbara Liskov', 'Kurt Gödel', 'Emmy Noether', 'Paul Erdős', 'Hedy Lamarr',
                 'Donald Knuth', 'Radia Perlman', 'Ken Thompson', 'Margaret Hamilton', 'Dennis Ritchie',
                 'Frances Allen', 'Niklaus Wirth', 'Karen Jones', 'Tony Hoare', 'Mary Jackson',
                 'John Backus', 'Lynn Conway', 'Vint Cerf', 'Shafi Goldwasser', 'Leslie Lamport',
                 'Sofja Kowalewskaja', 'Michael Stonebraker', 'Evelyn Boyd', 'Edgar Codd',
                 'Ángela Ruiz'] as names
)
insert into public.users (id, tenant_id, email, name, role, active, skills, preferences, hourly_rate,
                          last_seen_at, created_at)
select pg_temp.demo_id(1, t.first_user + i),
       t.id,
       translate(lower(split_part(person.name, ' ', 1)), 'á', 'a')
           || case when i >= cardinality(names) then (1 + i / cardinality(names))::text else '' end
           || '@' || t.slug || '.example',
       person.name || case when i >= cardinality(names) then ' II' else '' end,
       case when i = 0 then 'owner' when i in (1, 11) then 'admin' when i = 7 then 'billing contact'
            else 'member' end::public.user_role,
       pg_temp.demo_number('active' || i || t.n, 12) > 0 or i < 2,
       (array['sql', 'c', 'design', 'sales', 'writing', 'research', 'support'])
           [1 + i % 5 : 1 + i % 5 + pg_temp.demo_number('skills' || i || t.n, 3)],
       jsonb_build_object('theme', case when i % 3 = 0 then 'dark' else 'light' end,
                          'notify', jsonb_build_object('mail', i % 2 = 0, 'push', i % 4 = 0)),
       case when i % 5 < 4 then 45 + pg_temp.demo_number('rate' || i || t.n, 9000) / 100.0 end,
       case when i % 9 < 8 then timestamptz '2024-09-30 08:00:00+00'
                - pg_temp.demo_number('seen' || i || t.n, 200000) * interval '10.5 seconds' end,
       timestamptz '2024-03-01 10:00:00+00' + (t.n - 1) * interval '5 days 3 hours'
           + i * interval '1 day 1 hour'
  from people
 cross join demo_tenant t
 cross join generate_series(0, t.users - 1) as i
 cross join lateral (select names[1 + i % cardinality(names)]) as person (name)
    on conflict do nothing;

insert into public.projects (id, tenant_id, owner_id, name, description, status, budget, due_date, labels,
                             settings, storage_bytes, created_at, updated_at)
select pg_temp.demo_id(2, number),
       t.id,
       pg_temp.demo_id(1, t.first_user
                          + case when i = 0 then 0 else pg_temp.demo_number('owner' || number, t.users) end),
       case when i = 0 then 'Website relaunch'
            else pg_temp.demo_pick('adjective' || number,
                                   array['New', 'Better', 'Faster', 'Internal', 'Mobile', 'Quarterly', 'Safer'])
                 || ' '
                 || pg_temp.demo_pick('noun' || number,
                                      array['shop', 'intranet', 'app', 'reporting', 'warehouse', 'campaign',
                                            'onboarding', 'search', 'billing', 'help centre', 'résumé tool'])
                 || ' ' || (i + 1) end,
       case when i % 4 < 3 then 'What we promised the customers, '
                || case when i % 2 = 0 then 'step by step.' else E'at last:\n- plan\n- build\n- ship' end end,
       case when i = 0 then 'ACTIVE'
            else pg_temp.demo_pick('status' || number,
                                   array['ACTIVE', 'ACTIVE', 'ACTIVE', 'PLANNED', 'ON_HOLD', 'COMPLETED',
                                         'ARCHIVED']) end,
       case when i % 6 < 5 then 1000 + pg_temp.demo_number('budget' || number, 9900000) / 100.0 end,
       case when i % 5 < 4 then date '2024-10-01' + pg_temp.demo_number('due' || number, 180) end,
       (array['web', 'mobile', 'infra', 'q3', 'q4', 'customer'])
           [1 + i % 4 : 1 + i % 4 + pg_temp.demo_number('labels' || number, 3)],
       jsonb_build_object('board', jsonb_build_object('columns', 3 + i % 3, 'swimlanes', i % 2 = 0),
                          'watchers', jsonb_build_array('ops', 'qa')),
       case when number = 1 then 9007199254740993
            else pg_temp.demo_number('storage' || number, 200000000) * 17::bigint end,
       created_at,
       created_at + pg_temp.demo_number('updated' || number, 2000000) * interval '4.25 seconds'
  from demo_tenant t
 cross join generate_series(0, t.projects - 1) as i
 cross join lateral (select t.first_project + i,
                            timestamptz '2024-03-02 08:30:00+00' + (t.n - 1) * interval '5 days 3 hours'
                                + i * interval '1 day 7 hours') as made (number, created_at)
    on conflict do nothing;

-- Every project has 3 to 24 tasks, numbered through.
create temporary table demo_project on commit preserve rows as
select p.project, t.id as tenant_id, t.first_user, t.users, p.tasks,
       1 + coalesce(sum(p.tasks) over (order by p.project rows between unbounded preceding
                                                              and 1 preceding), 0) as first_task
  from demo_tenant t
 cross join lateral (select project, 3 + pg_temp.demo_number('tasks' || project, 22)
                       from generate_series(t.first_project, t.first_project + t.projects - 1)
                            as project) as p (project, tasks);

insert into public.tasks (id, tenant_id, project_id, assignee_id, title, description, status, priority,
                          estimate_hours, minutes_spent, labels, attributes, due_date, completed_at,
                          created_at, updated_at)
select pg_temp.demo_id(3, number),
       p.tenant_id,
       pg_temp.demo_id(2, p.project),
       case when number = 1 then pg_temp.demo_id(1, 2)
            when i % 7 < 6 then pg_temp.demo_id(1, p.first_user + pg_temp.demo_number('assignee' || number,
                                                                                      p.users)) end,
       case when number = 1 then 'Draft the announcement'
            else pg_temp.demo_pick('verb' || number,
                                   array['Draft', 'Review', 'Build', 'Test', 'Measure', 'Fix', 'Translate',
                                         'Ship', 'Document'])
                 || ' the '
                 || pg_temp.demo_pick('object' || number,
                                      array['login page', 'export', 'invoice', 'data model', 'navigation',
                                            'announcement', 'price list', 'back-up', 'crème brûlée recipe',
                                            'search index', 'mail template']) end,
       case when i % 3 > 0 then 'As agreed with the customer; see the "notes" & the 100% list.' end,
       status,
       1 + pg_temp.demo_number('priority' || number, 5),
       case when i % 5 < 4 then (1 + pg_temp.demo_number('estimate' || number, 160)) / 4.0 end,
       case when status = 'TODO' then 0 else pg_temp.demo_number('spent' || number, 2400) end,
       (array['bug', 'feature', 'design', 'urgent', 'later'])
           [1 + i % 4 : i % 4 + pg_temp.demo_number('labels' || number, 3)],
       jsonb_build_object('points', 1 + i % 8, 'customer', case when i % 6 = 0 then 'Größe & Co' end,
                          'checklist', jsonb_build_array(jsonb_build_object('text', 'plan', 'done', true),
                                                         jsonb_build_object('text', 'do', 'done', i % 2 = 0))),
       case when i % 4 < 3 then (created_at + (5 + i) * interval '1 day')::date end,
       case when status = 'DONE'
            then created_at + pg_temp.demo_number('done' || number, 1200000) * interval '1 second' end,
       created_at,
       created_at + case when status = 'TODO' then pg_temp.demo_number('changed' || number, 90000)
                         else pg_temp.demo_number('done' || number, 1200000) end * interval '1 second'
  from (select p.*, i, p.first_task + i as number
          from demo_project p
         cross join generate_series(0, p.tasks - 1) as i) as p
 cross join lateral (
       -- offset keeps these from being computed anew for every use above.
       select case when number = 1 then 'IN_PROGRESS'
                   else pg_temp.demo_pick('status' || number,
                                          array['TODO', 'TODO', 'IN_PROGRESS', 'REVIEW', 'DONE', 'DONE',
                                                'DONE', 'CANCELLED']) end,
              timestamptz '2024-04-01 07:00:00+00' + number * interval '58 minutes 13.25 seconds'
       offset 0) as made (status, created_at)
    on conflict do nothing;

-- Materialized, so that each number is computed once and not for every pair of the join.
with chosen as materialized (
    select number,
           pg_temp.demo_id(3, 1 + case when number = 1 then 0
                                       else pg_temp.demo_number('task' || number, total.tasks) end) as task_id
      from generate_series(1, 3000) as number
     cross join (select sum(tasks)::integer as tasks from demo_project) as total
)
insert into public.comments (id, tenant_id, task_id, author_id, body, edited, reactions, created_at)
select pg_temp.demo_id(4, number),
       t.tenant_id,
       t.id,
       pg_temp.demo_id(1, d.first_user + case when number = 1 then 0
                                              else pg_temp.demo_number('author' || number, d.users) end),
       pg_temp.demo_pick('body' || number,
                         array['Looks good to me.', 'Can we ship this on Friday?', 'Done 🎉',
                               E'Two things:\n1. the "quotes"\n2. the back\\slash', 'Ça marche.',
                               'I measured it again: 12 ms.', 'See <b>the notes</b> & the list.',
                               'Waiting for the customer.', '了解です。']),
       number % 11 = 0,
       case when number % 4 = 0 then jsonb_build_object('👍', number % 5, 'heart', number % 3)
            else '{}' end,
       t.created_at + (1 + pg_temp.demo_number('said' || number, 900000)) * interval '1 second'
  from chosen
  join public.tasks t on t.id = chosen.task_id
  join demo_tenant d on d.id = t.tenant_id
    on conflict do nothing;

drop table demo_project;
drop table demo_tenant;
drop function pg_temp.demo_pick(text, text[]);
drop function pg_temp.demo_number(text, integer);
drop function pg_temp.demo_id(integer, bigint);

refresh materialized view public.v_tenant_project_summary;
analyze public.tenants, public.tenant_settings, public.users, public.projects, public.tasks, public.comments,
        public.v_tenant_project_summary;
reset timezone;

-- Nothing to grant: 10_schema.sql and 30_views.sql have.
