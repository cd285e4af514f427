-- Functions, and relations of odd names, for functions.test.mjs.

create domain public.rating as int check (value between 1 and 5);
create function public.fn_add(a int, b int default 10) returns int language sql stable as 'select a + b';
create function public.fn_rate(stars public.rating default 3) returns int language sql immutable as 'select stars * 10';
create function public.fn_total(first int, variadic numbers int[]) returns bigint language sql immutable
  as 'select first + coalesce((select sum(n) from unnest(numbers) n), -1)';
create function public.fn_role(role public.user_role default 'billing contact') returns public.user_role
  language sql stable as 'select role';
create function public.fn_words(sentence text) returns text[] language sql stable as $$ select string_to_array(sentence, ' ') $$;
create function public.fn_numbers(upto int) returns setof int language sql stable
  as 'select nullif(n, 3) from generate_series(1, upto) n';
create function public.fn_wait() returns interval language sql stable as $$ select interval '1 day 2 hours' $$;
create function public.fn_doc(doc json default '{"a": 1}') returns json language sql stable as 'select doc';
create function public.fn_who(auth_user_id uuid, greeting text default 'I am') returns text
  language sql stable as $$ select concat_ws(' ', greeting, auth_user_id) $$;
create function public.fn_stats(since date default '1970-01-01') returns table (status text, n bigint, "hours ""spent""" numeric)
  language sql stable as $$
    select t.status, count(*), sum(t.estimate_hours) from public.v_task t where t.created_at >= since group by 1 order by 2 desc, 1 $$;
create function public.fn_extent(project uuid, out first date, out last date) language sql stable
  as $$ select min(t.due_date), max(t.due_date) from public.v_task t where t.project_id = project $$;
create function public.fn_divide(inout a int, inout b int) language sql immutable as 'select a / b, a % b';
create function public.fn_unnamed(out int, out text) language sql stable as $$ select 1, 'x' $$;
create function public.fn_project_of(task_id uuid) returns public.v_project language plpgsql stable as $$
  declare found_one public.v_project;
  begin
    select p.* into found_one from public.v_project p join public.v_task t on t.project_id = p.id where t.id = task_id;
    return found_one;
  end $$;
create function public.fn_no_user() returns public.v_user language sql stable as 'select null::public.v_user';
create function public.fn_by_priority(lowest int default 1) returns setof public.v_task language plpgsql stable as $$
  begin return query select * from public.v_task t where t.priority >= lowest order by t.priority desc, t.title, t.id; end $$;
create function public.fn_write() returns int language plpgsql stable as $$ begin return public.fn_really_write(); end $$;
create function public.fn_really_write() returns int language plpgsql volatile as $$
  begin update public.projects set name = 'written'; return 1; end $$;
create function public.fn_fail(state text, message text) returns int language plpgsql stable
  as $$ begin raise exception using errcode = state, message = message; end $$;

create function public.fn_project_label(project public.v_project, prefix text default '#', width int default 3) returns text
  language plpgsql stable as $$
  begin
    perform pg_stat_force_next_flush();
    return prefix || left(project.name, width);
  end $$;
create function public.fn_owner_mail(public.v_project) returns text language sql stable
  as 'select u.email from public.v_user u where u.id = $1.owner_id';
create function public.fn_last_task(project public.v_project) returns public.v_task language sql stable
  as 'select t from public.v_task t where t.project_id = project.id order by t.created_at desc, t.id limit 1';
create function public.fn_open_tasks(project public.v_project, lowest int default 0) returns setof public.v_task
  language sql stable as $$ select t.* from public.v_task t where t.project_id = project.id and t.priority >= lowest
                            and t.status not in ('DONE', 'CANCELLED') order by t.priority desc, t.title, t.id $$;
create function public.fn_project_hours(project public.v_project) returns table (status text, hours numeric)
  language sql stable as $$ select t.status, sum(t.estimate_hours) from public.v_task t where t.project_id = project.id
                            group by 1 order by 1 $$;
create function public.fn_project_span(project public.v_project, out first date, out last date) language sql stable
  as $$ select min(t.due_date), max(t.due_date) from public.v_task t where t.project_id = project.id $$;
create function public.fn_initials(person public.v_user, variadic more text[]) returns setof text language sql stable
  as $$ select left(w, 1) from unnest(string_to_array(person.name, ' ') || more) w $$;
create function public.fn_sibling(task public.v_task) returns public.v_task language sql stable
  as 'select t from public.v_task t where t.project_id = task.project_id and t.id > task.id order by t.id limit 1';
create function public.fn_mine(task public.v_task, auth_user_id uuid) returns boolean language sql stable
  as 'select task.assignee_id is not distinct from auth_user_id';
create function public.fn_brief(task public.v_task) returns text language sql immutable as 'select left(task.title, 5)';
create function public.fn_brief(person public.v_user) returns text language sql immutable as 'select left(person.name, 5)';
create function public.fn_refuse_null(person public.v_user) returns text language plpgsql stable called on null input
  as $$ begin if person.id is null then raise exception 'called without a row'; end if; return person.name; end $$;

create table public.odd (id int primary key, "t1" int, "row" text, "order_1" text, "select ""x""" text);
insert into public.odd values (1, 10, 'r', 'o', 'é'), (2, null, null, null, null), (3, 30, 'rr', 'oo', 'xx');
create view public.v_odd with (security_invoker) as select * from public.odd;
grant select on public.odd, public.v_odd to app_user;
create function public."fn_say ""it"" ü"(odd public.v_odd, "a ""b"" ß" text default 'ß') returns text language sql stable
  as $$ select concat_ws('|', odd.t1, odd."row", odd.order_1, odd."select ""x""", $2) $$;
create function public.fn_reversed() returns setof public.v_odd language plpgsql stable
  as 'begin return query select * from public.v_odd order by id desc; end';
create function public.fn_self(odd public.v_odd) returns public.v_odd language sql stable as 'select odd';
create function public.fn_keep_odd(wanted int) returns public.v_odd language sql volatile
  as 'select o from public.v_odd o where o.id = wanted';

create table public.pairs (a int, t1 int);
create view public.v_pair with (security_invoker) as select * from public.pairs;
grant select, insert on public.pairs to app_user; grant select on public.v_pair to app_user;
create function public.fn_add_pairs(n int) returns setof public.v_pair language sql volatile
  as 'insert into public.pairs select i, null from generate_series(1, n) i returning *';
create function public.fn_pair_sum(pair public.v_pair) returns int language sql stable as 'select pair.a + coalesce(pair.t1, 100)';
create function public.fn_log(lines int) returns table (line int, text text) language sql volatile
  as $$ select i, 'line ' || i from generate_series(1, lines) i $$;
create function public.fn_counts(n int) returns setof bigint language sql volatile as 'select i::bigint from generate_series(1, n) i';

create procedure public.fn_proc() language sql as '';
create function public.fn_poly(a anyelement) returns int language sql stable as 'select 1';
create function public.fn_table_row(u public.users) returns int language sql stable as 'select 1';
create function public.fn_nothing() returns void language sql stable as '';
create function public.fn_over(a int) returns int language sql stable as 'select 1';
create function public.fn_over(a text) returns int language sql stable as 'select 2';
create function public.fn_projects() returns int language sql stable as 'select 1';
create function public.fn_project_name(project public.v_project) returns text language sql stable as $$ select 'x' $$;
create function public.fn_limited(project public.v_project, "limit" int default 1) returns setof int language sql stable as 'select 1';
create function public.fn_lists() returns setof int[] language sql stable as $$ select '{1}'::int[] $$;

-- What they delete, or hide, and give back.
create function public.fn_drop_tasks(titles text[]) returns setof public.v_task language plpgsql volatile as $$
declare gone public.v_task[];
begin
  gone := array(select v from public.v_task v where v.title = any (titles) order by v.title desc);
  delete from public.comments c where c.task_id in (select t.id from public.tasks t where t.title = any (titles));
  delete from public.tasks t where t.title = any (titles);
  return query select (unnest(gone)).*;
end $$;
create function public.fn_drop_odd(wanted int) returns public.v_odd language sql volatile
  as 'delete from public.odd where id = wanted returning id, t1, "row", order_1, "select ""x"""';
create function public.fn_drop_odd_as_owner(wanted int) returns public.v_odd language sql volatile security definer set search_path = ''
  as 'delete from public.odd where id = wanted returning id, t1, "row", order_1, "select ""x"""';
create function public.fn_their_task(task_id uuid) returns public.v_task language sql volatile security definer set search_path = ''
  as 'select t from public.v_task t where t.id = task_id';
grant delete on public.odd, public.tasks, public.comments to app_user;
create function public.fn_touch_task(task_id uuid, gone boolean) returns public.mutation_response language plpgsql volatile as $$
declare response public.mutation_response;
begin
  response.status := 'updated';
  response.entity_id := task_id::text;
  response.entity_type := 'Task';
  select to_jsonb(v) into response.entity from public.v_task v where v.id = task_id;
  if gone then
    delete from public.comments c where c.task_id = fn_touch_task.task_id;
    delete from public.tasks t where t.id = fn_touch_task.task_id;
  end if;
  return response;
end $$;
comment on function public.fn_touch_task(uuid, boolean) is '@fraiseql:mutation {success_type: Task}';

-- Composite values.
create type public.spot as (city text, lat numeric, "tag ""s""" text[]);
create function public.fn_home(city text default null) returns public.spot language sql stable
  as $$ select (city, 48.40, array['a', null])::public.spot where city is not null $$;
create function public.fn_homes(spots public.spot[]) returns setof public.spot language sql stable as 'select unnest(spots)';
create function public.fn_project_home(project public.v_project) returns public.spot language sql stable
  as $$ select (project.name, project.budget, project.labels)::public.spot $$;
create function public.fn_trip(out start public.spot, out stops public.spot[], out n int) language sql volatile
  as $$ select ('x', null, null)::public.spot, array[('y', 1, '{}')::public.spot, null], 2 $$;

-- A table with a column that is no more.
create table public.crates (id int primary key, gone int, label text);
alter table public.crates drop column gone;
insert into public.crates values (1, 'one'), (2, 'two');
grant select, insert, update, delete on public.crates to app_user;
create function public.fn_crate_size(crate public.crates) returns int language sql stable as 'select length(crate.label)';
create function public.fn_crate_next(crate public.crates) returns public.crates language sql stable
  as 'select c from public.crates c where c.id > crate.id order by c.id limit 1';
create function public.fn_all_crates() returns setof public.crates language sql stable as 'select * from public.crates order by id desc';
create function public.fn_empty_crate(wanted int) returns public.crates language sql volatile
  as 'delete from public.crates where id = wanted returning *';
