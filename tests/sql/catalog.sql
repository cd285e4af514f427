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
select checks.is(pg_temp.exposed(), 'events mv_company_count people v_order',
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
select checks.is(pg_temp.relation('notes') ->> 'heirs', 'true', 'a table with heirs is told');
select checks.is(pg_temp.relation('companies') ->> 'comment', E'Somebody to sell to.\n@fraiseql:type\nkey: id', 'comments are told whole');
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
select checks.is((select catalog::json ->> 'role' from document), 'shop_user'::regrole::oid::text, 'and is told');
delete from document;
\o
execute catalog ('{shop}', '{*}', '{*}', '{*}', '{}', 'nobody at all', '{}')
\gset
insert into document values (:'catalog');
\o /dev/null
select checks.is((select catalog from document), '{}', 'a role that does not exist may read nothing');
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
