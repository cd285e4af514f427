-- What plans need beside the demo: functions for mutations, relations; see tests/unit/schema/capture.

-- Rows of a relation with a key, and of one without.
create function public.fn_touch_tasks(task_ids uuid[], statuses public.user_role[] default null)
    returns setof public.v_task language sql volatile as 'select * from public.v_task';
create table public.labels (label text, project_id uuid references public.projects);
create view public.v_label as select label, project_id from public.labels;
grant select on public.v_label to app_user;
create function public.fn_relabel() returns setof public.v_label
    language sql volatile as 'select * from public.v_label';
create function public.fn_one_label() returns public.v_label
    language sql volatile as 'select null::public.v_label';
-- Values: by a cast, of an enum, nothing at all.
create function public.fn_new_interval() returns interval language sql volatile as 'select interval ''1 day''';
create function public.fn_roles() returns public.user_role[] language sql volatile as 'select null::public.user_role[]';
create function public.fn_refresh("quoted ""name" jsonb default null) returns void language sql volatile as '';

-- Many to many.
create table public.tags (id int primary key, word text not null, tenant_id uuid references public.tenants);
create table public.task_tags (task_id uuid references public.tasks, tag_id int references public.tags, weight real,
                               primary key (task_id, tag_id));
create view public.v_tag as select * from public.tags;
create view public.v_task_tag as select * from public.task_tags;
grant select on public.v_tag, public.v_task_tag to app_user;

-- Composite types, in a view and in a table.
create type public.geo as (lat double precision, lon double precision);
create type public.address as (city text, amount numeric, "quoted ""name" int, spot public.geo, route public.geo[]);
create table public.sites (id int primary key, project_id uuid references public.projects, address public.address,
                           stops public.address[]);
create view public.v_place as select * from public.sites;
grant select on public.sites, public.v_place to app_user;
create function public.fn_move_place("to" public.address, via public.address[] default null) returns public.address
    language sql volatile as 'select $1';

-- Outcomes: FraiseQL's composites, with an entity of an exposed relation or without.
create type public.mutation_result as (id uuid, updated_fields text[], status text, message text, object_data jsonb,
                                       extra_metadata jsonb);
create type public.mutation_error_class as enum ('validation', 'conflict', 'not_found');
create type public.app_response as (succeeded boolean, state_changed boolean,
                                    error_class public.mutation_error_class, status_detail text, http_status smallint,
                                    message text, entity_id uuid, entity_type text, entity jsonb, updated_fields text[],
                                    cascade jsonb, error_detail jsonb, metadata jsonb);
create function public.fn_rename_task(id uuid, title text) returns public.mutation_response
    language sql volatile as 'select null::public.mutation_response';
create function public.fn_drop_task(id uuid) returns public.mutation_result
    language sql volatile as 'select null::public.mutation_result';
create function public.fn_close_tag(id int) returns public.app_response
    language sql volatile as 'select null::public.app_response';
create function public.fn_ping() returns public.mutation_result
    language sql volatile as 'select null::public.mutation_result';
create function public.fn_log(lines integer) returns table (line integer, "the ""text""" text)
    language sql volatile as 'select 1, null::text';
create function public.fn_counts(variadic items integer[]) returns setof interval
    language sql volatile as 'select null::interval';
-- Of the query root.
create function public.fn_who(auth_user_id uuid, greeting text default 'I am') returns text language sql stable as 'select null';
create function public.fn_days(since date, variadic more date[]) returns setof interval language sql stable as 'select null::interval';
create function public.fn_stats(out status text, out hours numeric) language sql stable as 'select null::text, null::numeric';
-- Of rows: values, a row, rows, rows of its own.
create function public.fn_project_code(project public.v_project, width integer, pad text default '0') returns text
    language sql stable as 'select null';
create function public.fn_project_days(project public.v_project) returns setof interval language sql stable as 'select null::interval';
create function public.fn_last_task(project public.v_project, auth_user_id uuid) returns public.v_task
    language sql stable as 'select null::public.v_task';
create function public.fn_open_tasks(project public.v_project, above integer default 0) returns setof public.v_task
    language sql stable as 'select null::public.v_task';
create function public.fn_project_hours(public.v_project) returns table (status text, hours numeric)
    language sql stable as 'select null::text, null::numeric';
create function public.fn_brief(task public.v_task) returns text language sql stable as 'select null';
create function public.fn_brief(person public.v_user) returns text language sql stable as 'select null';
create function public.fn_user_manager(person public.v_user) returns public.v_user language sql stable as 'select null::public.v_user';
create function public.fn_user_deputies(person public.v_user) returns setof public.v_user language sql stable as 'select null::public.v_user';
create function public.fn_label_size(label public.v_label) returns integer language sql stable as 'select 1';
create function public.fn_home(id integer) returns public.address language sql stable as 'select null::public.address';
create function public.fn_homes("to" public.address[] default null) returns setof public.address language sql stable
    as 'select null::public.address';
create function public.fn_project_home(project public.v_project) returns public.address language sql stable
    as 'select null::public.address';
create function public.fn_user_route(person public.v_user) returns public.geo[] language sql stable as 'select null::public.geo[]';
create function public.fn_legs(out leg public.geo, out stops public.address[]) language sql stable
    as 'select null::public.geo, null::public.address[]';
create function public.fn_summaries() returns setof public.v_tenant_summary language sql stable as 'select * from public.v_tenant_summary';
create function public.fn_summary() returns public.v_tenant_summary language sql stable as 'select null::public.v_tenant_summary';
create function public.fn_neighbour(of public.v_tenant_summary) returns public.v_tenant_summary
    language sql stable as 'select null::public.v_tenant_summary';
create function public.fn_others(of public.v_tenant_summary) returns setof public.v_tenant_summary
    language sql stable as 'select * from public.v_tenant_summary';

-- Declared documents: of a relation, of a column, in each other.
create view public.v_note as
    select t.id, t.project_id, t.title,
           jsonb_build_object('id', t.id, 'title', t.title, 'word_count', 1) as data, '{}'::jsonb as config
      from public.tasks t;
comment on view public.v_note is $$@fraiseql:type
fields:
  id: ID!
  word_count: Int
  rating: Decimal
  made_at: DateTime
  tags: [String!]
  home: public.address
  author: {name: String!, parent: Note}
  'quoted ''key\': String$$;
comment on column public.v_note.config is '@fraiseql:field
fields: {theme: String, sizes: [Int]}';
grant select on public.v_note to app_user;

-- One jsonb argument, whose shape is a composite type.
create type public.type_file_task_input as (title text, due_on date, place public.geo, stops public.geo[], roles public.user_role[],
                                            more jsonb);
create function public.fn_file_task(auth_tenant_id uuid, payload jsonb default null) returns uuid
    language sql volatile as 'select null::uuid';
