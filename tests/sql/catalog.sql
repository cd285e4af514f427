-- The catalog query says what a role may read, and what views rest on.
--
--     psql -X -v ON_ERROR_STOP=1 -f tests/sql/catalog.sql
--
-- Run in the project's directory, as a superuser in any database that can be spared for a moment:
-- everything is made in one transaction that is rolled back. What a schema makes of the document is
-- tested in tests/unit/schema/catalog_test.c.

\set QUIET on
\o /dev/null
\set catalog `cat sql/catalog.sql`
begin;
\ir ../unit/schema/fixture.sql
\ir ../support/checks.sql

-- Without a dollar in front, for statements of plpgsql to find.
prepare catalog (text[], text[], text[], text[], text[], text, text[]) as :catalog;
create temporary table document (catalog text);
create function pg_temp.relation(name text) returns json language sql stable as
$$
    select r from document, json_array_elements(catalog::json -> 'relations') r where r ->> 'name' = $1
$$;
create function pg_temp.column(relation text, name text) returns json language sql stable as
$$
    select c from json_array_elements(pg_temp.relation($1) -> 'columns') c where c ->> 'name' = $2
$$;
create function pg_temp.exposed() returns text language sql stable as
$$
    select string_agg(r ->> 'name', ' ' order by r ->> 'name')
      from document, json_array_elements(catalog::json -> 'relations') r
     where (r ->> 'exposed')::boolean
$$;

\o
\t on
\pset format unaligned

-- Patterns, kinds and privileges.
execute catalog ('{shop}', '{v_order*}', '{people,secrets,events*}', '{*}', '{*_line}', 'shop_user', '{}')
\gset
insert into document values (:'catalog');
\o /dev/null
select checks.is(pg_temp.exposed(), 'events mv_company_count people v_order v_order_tag',
                 'what is exposed is what patterns say, less what is excluded, forbidden, or a partition');
select checks.is(pg_temp.relation('orders') ->> 'exposed', null, 'a table below a view is there, unexposed');
select checks.is(pg_temp.relation('secrets') ->> 'name', null, 'a table without privileges is not there');
select checks.is((select string_agg(c ->> 'name', ' ') from json_array_elements(pg_temp.relation('people') -> 'columns') c
                   where (c ->> 'select')::boolean),
                 'id company_id manager_id email', 'columns without privileges are told');
select checks.is(pg_temp.column('people', 'secret_nick') ->> 'select', null, 'a column without privilege is not to be read');
select checks.is(pg_temp.relation('people') ->> 'keys', '[{"primary":true,"columns":[1]},{"columns":[2,4]}]',
                 'keys are told with their columns, the primary one first');
select checks.is(pg_temp.relation('events') ->> 'kind', 'p', 'a partitioned table is one');
select checks.is(json_array_length(pg_temp.relation('events') -> 'foreignKeys'), 1,
                 'foreign keys of partitioned tables are told once');
select checks.is(pg_temp.relation('events') -> 'foreignKeys' -> 0 ->> 'columns', '[3,4]', 'foreign keys are told with their columns');
select checks.is(pg_temp.relation('events') -> 'foreignKeys' -> 0 ->> 'toPrimary', 'true', 'and whether they reference the primary key');
select checks.is(pg_temp.column('orders', 'dropped') ->> 'name', null, 'dropped columns are not there');
select checks.is(pg_temp.column('orders', 'line count') ->> 'num', '14', 'and the others keep their numbers');
select checks.is(left(pg_temp.relation('v_order') ->> 'rule', 8), '({QUERY ', 'a view comes with its query');
select checks.is(pg_temp.relation('mv_company_count') ->> 'keys', '[{"columns":[1]}]', 'unique indexes of materialized views are keys');
select checks.is((select string_agg(t ->> 'name', ' ' order by t ->> 'name')
                    from document, json_array_elements(catalog::json -> 'types') t where t ->> 'schema' = 'shop'),
                 '_order_status email order_status spot', 'types are told down to elements and bases');
select checks.is((select t ->> 'labels' from document, json_array_elements(catalog::json -> 'types') t where t ->> 'name' = 'order_status'),
                 '["NEW","in progress","in-progress","true","2nd"]', 'enums are told with their labels in order');
select checks.is((select string_agg(t ->> 'name', ' ' order by t ->> 'name')
                    from document, json_array_elements(catalog::json -> 'types') t where not coalesce((t ->> 'comparable')::boolean, false)),
                 'email json', 'types that cannot be compared are told');
delete from document;

-- Row security, and who it does not hold.
\o
execute catalog ('{shop}', '{*}', '{*}', '{}', '{people}', 'shop_user', '{}')
\gset
insert into document values (:'catalog');
\o /dev/null
select checks.is(pg_temp.relation('companies') ->> 'rls', 'true', 'row security is told');
select checks.is(pg_temp.relation('companies') ->> 'policies', null, 'a table without policies shows nothing');
select checks.is(pg_temp.relation('v_invoker') ->> 'invoker', 'true', 'security_invoker is told however it is spelt');
select checks.is(pg_temp.relation('v_company') ->> 'invoker', null, 'and its absence');
select checks.is((select count(*) from document, json_array_elements(catalog::json -> 'members') m
                   where m ->> 0 = 'shop_owner'::regrole::oid::text and m ->> 1 = 'shop_owner'::regrole::oid::text),
                 1::bigint, 'owners have their own rights');
select checks.is((select count(*) from document, json_array_elements(catalog::json -> 'members') m
                   where m ->> 0 = 'shop_user'::regrole::oid::text), 0::bigint, 'and others do not');
select checks.is(pg_temp.relation('v_company') ->> 'definition' like '%FROM shop.companies%', true,
                 'a view that reads as its owner comes with its definition');
select checks.is(pg_temp.relation('v_invoker') ->> 'definition', null, 'and others do not');
select checks.is(pg_temp.relation('companies') ->> 'sql', 'shop.companies', 'relations have names for statements');
select checks.is((select catalog::json ->> 'roleSql' from document), 'shop_user', 'and so has the role');
select checks.is((select (catalog::json ->> 'version')::int from document),
                 current_setting('server_version_num')::int / 10000, 'the version is told');
select checks.is((select catalog::json ->> 'policies' from document), null, 'no policy is no policy');
select checks.is(pg_temp.relation('notes') ->> 'heirs', 'true', 'a table with heirs is told');
select checks.is(pg_temp.relation('companies') ->> 'comment', E'Somebody to sell to.\n@fraiseql:type\nkey: id', 'comments are told whole');
delete from document;

-- Who has a policy: permissive ones for reading, of the role, of one it has the rights of, or of all.
create role audit_group;
create role audit_member in role audit_group;
create role audit_stranger noinherit in role audit_group;
create schema audit;
grant usage on schema audit to public;
create table audit.of_all (id int);
create table audit.of_group (id int);
create table audit.writes (id int);
create table audit.narrows (id int);
create table audit.disabled (id int);
create policy p on audit.of_all using (true);
create policy p on audit.of_group for select to audit_group using (true);
create policy p on audit.writes for insert with check (true);
create policy p on audit.narrows as restrictive using (true);
create policy p on audit.disabled using (true);
alter table audit.of_all enable row level security;
alter table audit.of_group enable row level security;
alter table audit.writes enable row level security;
alter table audit.narrows enable row level security;
grant select on all tables in schema audit to public;
create table audit.targets (id int primary key);
create table audit.refers (tenant int, a int references audit.targets, b int references audit.targets, c int references audit.targets,
                           d int references audit.targets);
create index on audit.refers (a);
create index on audit.refers (tenant, b);
create index on audit.refers (c) where c > 1;
create index on audit.refers (tenant, a, d);
alter table audit.refers enable row level security;
grant select on audit.targets, audit.refers to public;
create view audit.v_barrier with (security_barrier = yes) as select id from audit.of_all;
grant select on audit.v_barrier to public;
create function audit.fn_loose() returns int language sql security definer as 'select 1';
create function audit.fn_pinned() returns int language sql security definer set search_path = '' as 'select 1';
create function audit.fn_user() returns int language sql security definer set search_path = "$user", public as 'select 1';
create procedure audit.fn_procedure() language sql as '';
create function audit.fn_twice(a int) returns int language sql as 'select 1';
create function audit.fn_twice(a text) returns int language sql as 'select 1';
create function audit.fn_of(a audit.targets) returns int language sql as 'select 1';
create function audit.fn_of(a audit.refers) returns int language sql as 'select 1';
create function audit.fn_of(a int) returns int language sql as 'select 1';
create function audit.fn_of_any(a audit.targets) returns int language sql as 'select 1';
create function audit.fn_of_any(a anyelement) returns int language sql as 'select 1';
create function audit.fn_other(a int, "b c" text) returns int language sql set searchxpath.x = '' as 'select 1';
-- Of the request's role, which is told as 1.
create function pg_temp.policies() returns text language sql stable as
$$
    select string_agg((p ->> 0)::oid::regclass::text, ' ' order by (p ->> 0)::oid::regclass::text)
      from document, json_array_elements(catalog::json -> 'policies') p
     where p ->> 1 = '1'
$$;
create function pg_temp.functions(fact text) returns text language sql stable as
$$
    select string_agg(f ->> 'name', ' ' order by f ->> 'name')
      from document, json_array_elements(catalog::json -> 'functions') f
     where (f ->> $1)::boolean
$$;
\o
execute catalog ('{audit}', '{*}', '{*}', '{}', '{}', 'audit_member', '{*}')
\gset
insert into document values (:'catalog');
\o /dev/null
select checks.is(pg_temp.policies(), 'audit.of_all audit.of_group',
                 'who has a policy is told, of its own, by membership and of all');
select checks.is((select string_agg(k ->> 'name', ' ' order by k ->> 'name')
                    from json_array_elements(pg_temp.relation('refers') -> 'foreignKeys') k where (k ->> 'indexed')::boolean),
                 'refers_a_fkey refers_b_fkey', 'foreign keys are told with whether an index begins with them, or behind the tenant');
select checks.is(pg_temp.relation('v_barrier') ->> 'barrier', 'true', 'a security barrier is told');
select checks.is(pg_temp.functions('definer'), 'fn_loose fn_pinned fn_user', 'security definer is told');
select checks.is(pg_temp.functions('searchPath'), 'fn_pinned', 'and a search_path that does not depend on the user');
select checks.is(pg_temp.functions('procedure'), 'fn_procedure', 'procedures are told');
select checks.is(pg_temp.functions('overloaded'), 'fn_of_any fn_of_any fn_twice fn_twice',
                 'functions of one name are told, but for those that are told apart by the row they take');
select checks.is((select t ->> 'relation' from document, json_array_elements(catalog::json -> 'types') t where t ->> 'name' = 'targets'),
                 'audit.targets'::regclass::oid::text, 'the type of a row comes with its relation');
select checks.is((select f ->> 'sql' from document, json_array_elements(catalog::json -> 'functions') f where f ->> 'name' = 'fn_other'),
                 'audit.fn_other(a integer, "b c" text)', 'functions have names for statements');
delete from document;
\o
execute catalog ('{audit}', '{*}', '{*}', '{}', '{}', 'audit_stranger', '{*}')
\gset
insert into document values (:'catalog');
\o /dev/null
select checks.is(pg_temp.policies(), 'audit.of_all', 'a member that does not inherit has no policy of the group');
delete from document;

-- Functions of one name are told apart by their types, also where one is left out.
\o
execute catalog ('{audit}', '{*}', '{*}', '{}', '{fn_twice(integer),audit.fn_of(audit.*),fn_o*r(*text),fn_of_any}', 'audit_member', '{fn_o*,fn_t*}')
\gset
insert into document values (:'catalog');
\o /dev/null
select checks.is((select string_agg(f ->> 'sql', ' ') from document, json_array_elements(catalog::json -> 'functions') f),
                 'audit.fn_of(a integer) audit.fn_twice(a text)', 'a function is left out by its types');
select checks.is(pg_temp.functions('overloaded'), 'fn_twice', 'and there is still another');
delete from document;

-- It takes no privileges to ask, and asking about nobody or nothing is no error.
\o
set local role shop_user;
execute catalog ('{shop}', '{v_company}', '{}', '{}', '{}', '', '{}')
\gset
reset role;
insert into document values (:'catalog');
\o /dev/null
select checks.is(pg_temp.exposed(), 'v_company', 'an empty role is the current one');
select checks.is((select catalog::json ->> 'role' from document), '1', 'and is told as 1, so that roles of equal rights have equal documents');
delete from document;
\o
execute catalog ('{shop}', '{*}', '{*}', '{*}', '{}', 'nobody at all', '{}')
\gset
insert into document values (:'catalog');
\o /dev/null
select checks.is((select concat(catalog::json -> 'relations', catalog::json -> 'functions') from document), '',
                 'a role that does not exist may read nothing');
delete from document;
\o
execute catalog ('{shop}', '{"v_comp_ny","v%"}', '{}', '{}', '{}', 'shop_user', '{}')
\gset
insert into document values (:'catalog');
\o /dev/null
select checks.is(pg_temp.exposed(), null, 'only * and ? stand for something in a pattern');
delete from document;
\o
execute catalog ('{shop}', '{"v_comp?ny","shop.v_un*"}', '{}', '{}', '{}', 'shop_user', '{}')
\gset
insert into document values (:'catalog');
\o /dev/null
select checks.is(pg_temp.exposed(), 'v_company v_union', 'and patterns may name the schema');
rollback;
