-- One short text that changes when the catalog changes as far as sql/catalog.sql reads it, and rarely
-- else: every row of the catalog is a new one, with a new xmin, when it is changed. It may change
-- without need (VACUUM FULL, REINDEX, objects of no concern to us), and then costs a look.
--
-- What comes with PostgreSQL (oids below 16384) and temporary objects are left out. Views read tables
-- of any schema, so all schemas count.
with
namespaces as (
    select n.oid, n.xmin
      from pg_catalog.pg_namespace n
     where n.nspname !~ '^pg_(temp|toast)' and (n.oid >= 16384 or n.nspname = 'public')
),
relations as (
    select c.oid, c.xmin
      from pg_catalog.pg_class c
     where c.relkind in ('r', 'p', 'f', 'v', 'm', 'c') and c.relnamespace in (select n.oid from namespaces n)
),
parts (catalog, a, b, xmin) as (
    select 1, n.oid::bigint, 0, n.xmin from namespaces n
    union all
    select 2, r.oid::bigint, 0, r.xmin from relations r
    union all
    select 3, a.attrelid::bigint, a.attnum::integer, a.xmin
      from pg_catalog.pg_attribute a
     where a.attnum > 0 and a.attrelid in (select r.oid from relations r)
    union all
    select 4, c.oid::bigint, 0, c.xmin
      from pg_catalog.pg_constraint c
     where c.conrelid in (select r.oid from relations r)
    union all
    select 5, i.indexrelid::bigint, 0, i.xmin
      from pg_catalog.pg_index i
     where i.indrelid in (select r.oid from relations r)
    union all
    select 6, w.oid::bigint, 0, w.xmin
      from pg_catalog.pg_rewrite w
     where w.ev_class in (select r.oid from relations r)
    union all
    select 7, p.oid::bigint, 0, p.xmin
      from pg_catalog.pg_policy p
     where p.polrelid in (select r.oid from relations r)
    union all
    select 8, p.oid::bigint, 0, p.xmin
      from pg_catalog.pg_proc p
     where p.pronamespace in (select n.oid from namespaces n)
    union all
    select 9, t.oid::bigint, 0, t.xmin
      from pg_catalog.pg_type t
     where t.typnamespace in (select n.oid from namespaces n)
    union all
    select 10, e.oid::bigint, 0, e.xmin from pg_catalog.pg_enum e
    union all
    select 11, d.objoid::bigint, d.objsubid, d.xmin
      from pg_catalog.pg_description d
     where d.objoid >= 16384
    union all
    select 12, o.oid::bigint, 0, o.xmin from pg_catalog.pg_opclass o where o.oid >= 16384
    union all
    select 13, c.oid::bigint, 0, c.xmin from pg_catalog.pg_cast c where c.oid >= 16384
    union all
    select 14, m.roleid::bigint, m.member::integer, m.xmin from pg_catalog.pg_auth_members m
    union all
    -- A view, whose rows have no xmin.
    select 15, r.oid::bigint, r.rolsuper::integer * 2 + r.rolbypassrls::integer, '0'::pg_catalog.xid
      from pg_catalog.pg_roles r
)
select pg_catalog.count(*)::text || ' '
       || coalesce(pg_catalog.sum(pg_catalog.hashtextextended(
              p.catalog || ' ' || p.a || ' ' || p.b || ' ' || p.xmin::text, 0)), 0)::text as fingerprint
  from parts p
