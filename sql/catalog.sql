-- One JSON document that describes what a role may use, for schema_from_catalog(). One statement, no
-- objects of ours, no privileges beyond those everyone has on pg_catalog. PostgreSQL 13 and later.
--
-- $1 text[]  schemas, by name
-- $2 text[]  patterns of views             A pattern may hold * and ?, and is matched against both the
-- $3 text[]  patterns of tables            name and schema.name. Tables are partitioned and foreign ones
-- $4 text[]  patterns of matviews          as well; partitions themselves are left out.
-- $5 text[]  patterns of what to leave out; of functions also name(types) and schema.name(types)
-- $6 text    role whose privileges count; null or empty: the current one
-- $7 text[]  patterns of functions
--
-- The role of requests is told as 1, and its name is last: all before it is the same for roles that may
-- use the same in the same way, which then share a schema.
--
-- "relations" holds those exposed and, unexposed, what their views read, down to the tables: keys,
-- foreign keys and not-null columns are followed there. How is for the reader of "rule" to say.
with recursive
request_role as (
    select r.oid, r.rolname as name,
           pg_catalog.pg_has_role(session_user, r.oid, 'member') as reachable
      from pg_catalog.pg_roles r
     where r.rolname = coalesce(nullif($6::text, ''), current_user::text)
),
patterns as (
    select p.kind,
           pg_catalog.translate(
               pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
                   p.pattern, '\', '\\'), '%', '\%'), '_', '\_'),
               '*?', '%_') as pattern
      from (select 'view', pattern from pg_catalog.unnest($2::text[]) pattern
            union all
            select 'table', pattern from pg_catalog.unnest($3::text[]) pattern
            union all
            select 'matview', pattern from pg_catalog.unnest($4::text[]) pattern
            union all
            select 'exclude', pattern from pg_catalog.unnest($5::text[]) pattern
            union all
            select 'function', pattern from pg_catalog.unnest($7::text[]) pattern) p (kind, pattern)
),
matched as (
    select c.oid, r.oid as role
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     cross join request_role r
     where n.nspname = any ($1::text[])
       and c.relkind in ('r', 'p', 'f', 'v', 'm')
       and not c.relispartition
       and exists (select
                     from patterns p
                    where p.kind = case c.relkind when 'v' then 'view' when 'm' then 'matview' else 'table' end
                      and (c.relname like p.pattern or n.nspname || '.' || c.relname like p.pattern))
       and not exists (select
                         from patterns p
                        where p.kind = 'exclude'
                          and (c.relname like p.pattern or n.nspname || '.' || c.relname like p.pattern))
       and pg_catalog.has_schema_privilege(r.oid, n.oid, 'usage')
),
exposed as (
    select m.oid, m.role, p.readable
      from matched m
     cross join lateral (select pg_catalog.has_table_privilege(m.role, m.oid, 'select') as readable) p
     where p.readable or pg_catalog.has_any_column_privilege(m.role, m.oid, 'select')
),
-- Which relations a view reads, wherever in its query.
uses as materialized (
    select distinct w.ev_class as oid, u.oid as used
      from pg_catalog.pg_rewrite w
      join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                                 and d.objid = w.oid
                                 and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      join pg_catalog.pg_class u on u.oid = d.refobjid and u.relkind in ('r', 'p', 'f', 'v', 'm')
     where w.rulename = '_RETURN' and d.refobjid <> w.ev_class
),
reached as (
    select e.oid from exposed e
    union
    select u.used from reached r join uses u on u.oid = r.oid
),
used_by as (
    select u.oid, pg_catalog.json_agg(u.used order by u.used) as used
      from uses u
     where u.oid in (select r.oid from reached r)
     group by u.oid
),
-- What the role may change: all columns of a relation, or some; and what the relation lets be changed
-- at all (bits of pg_relation_is_updatable(): 4 update, 8 insert, 16 delete). A foreign table is not
-- asked: its wrapper may be broken.
changes as (
    select r.oid, q.oid as role, x.allowed,
           -- Without triggers: passed on to the table that a view is of.
           c.relkind = 'v' and pg_catalog.pg_relation_is_updatable(c.oid, false) & 12 = 12 as passed_on,
           x.allowed & 8 > 0 and pg_catalog.has_table_privilege(q.oid, r.oid, 'insert') as inserts,
           x.allowed & 4 > 0 and pg_catalog.has_table_privilege(q.oid, r.oid, 'update') as updates,
           x.allowed & 16 > 0 and pg_catalog.has_table_privilege(q.oid, r.oid, 'delete') as deletes
      from reached r
      join pg_catalog.pg_class c on c.oid = r.oid
     cross join request_role q
     cross join lateral (select case c.relkind when 'v' then pg_catalog.pg_relation_is_updatable(c.oid, true)
                                               when 'm' then 0
                                               else 28 end as allowed) x
),
-- Columns that may hold nulls from before they were declared not to (18 and later).
not_validated as (
    select c.conrelid as oid, c.conkey[1] as num
      from pg_catalog.pg_constraint c
     where c.contype = 'n' and not c.convalidated
),
columns as (
    select a.attrelid as oid,
           pg_catalog.json_agg(pg_catalog.json_build_object(
               'num', a.attnum,
               'name', a.attname,
               'type', a.atttypid,
               'notNull', nullif(a.attnotnull and v.oid is null, false),
               'comment', d.description,
               'select', case when e.readable then true
                              when e.readable is not null
                              then nullif(pg_catalog.has_column_privilege(e.role, a.attrelid, a.attnum, 'select'),
                                          false) end,
               -- Where not all columns may be.
               'insert', case when w.allowed & 8 > 0 and not w.inserts
                              then nullif(pg_catalog.has_column_privilege(w.role, a.attrelid, a.attnum, 'insert'),
                                          false) end,
               'update', case when w.allowed & 4 > 0 and not w.updates
                              then nullif(pg_catalog.has_column_privilege(w.role, a.attrelid, a.attnum, 'update'),
                                          false) end,
               'default', nullif(a.atthasdef and a.attgenerated = '', false),
               'identity', nullif(a.attidentity, ''),
               -- Nobody writes to it: generated, or worked out by the view.
               'fixed', nullif(a.attgenerated <> '' or w.passed_on
                               and not pg_catalog.pg_column_is_updatable(a.attrelid, a.attnum, false), false))
               order by a.attnum) as columns
      from changes w
      join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum > 0 and not a.attisdropped
      left join exposed e on e.oid = w.oid
      left join not_validated v on v.oid = a.attrelid and v.num = a.attnum
      left join pg_catalog.pg_description d on d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                           and d.objoid = a.attrelid
                                           and d.objsubid = a.attnum
     group by a.attrelid
),
keys as (
    select i.indrelid as oid,
           pg_catalog.json_agg(pg_catalog.json_build_object(
               'primary', nullif(i.indisprimary, false),
               'deferrable', nullif(not i.indimmediate, false),
               'columns', pg_catalog.to_json((i.indkey::smallint[])[0:i.indnkeyatts - 1]))
               order by i.indisprimary desc, n.relname) as keys
      from reached r
      join pg_catalog.pg_index i on i.indrelid = r.oid
      join pg_catalog.pg_class n on n.oid = i.indexrelid
     where i.indisunique and i.indisvalid and not i.indisexclusion
       and i.indpred is null and i.indexprs is null
     group by i.indrelid
),
-- Under row security: which columns an index of all rows begins with, or has behind that one.
indexed as (
    select i.indrelid as oid,
           pg_catalog.json_agg(distinct i.indkey[0]) as leading,
           pg_catalog.json_agg(distinct i.indkey[1]) filter (where i.indnkeyatts > 1 and i.indkey[1] > 0) as second
      from reached r
      join pg_catalog.pg_class c on c.oid = r.oid and c.relrowsecurity
      join pg_catalog.pg_index i on i.indrelid = r.oid
     where i.indisvalid and i.indpred is null and i.indkey[0] > 0
     group by i.indrelid
),
-- Policies that cast a setting which reads '' once it was set, and what they should be.
brittle as (
    select p.polrelid as oid,
           pg_catalog.json_agg(pg_catalog.json_build_object(
               'name', p.polname,
               'fix', pg_catalog.format('alter policy %I on %I.%I using (%s)', p.polname, n.nspname, c.relname,
                                        pg_catalog.regexp_replace(x.qual, e.cast_setting,
                                                                  '(nullif(current_setting(\1), ''''))::', 'g')))
               order by p.polname) as policies
      from reached r
      join pg_catalog.pg_policy p on p.polrelid = r.oid
      join pg_catalog.pg_class c on c.oid = r.oid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     cross join (values ('\(current_setting\(([^()]*)\)\)::(?!text|character varying)')) e (cast_setting)
     cross join lateral (select pg_catalog.pg_get_expr(p.polqual, p.polrelid) as qual) x
     where x.qual ~ e.cast_setting
     group by p.polrelid
),
foreign_keys as (
    select c.conrelid as oid,
           pg_catalog.json_agg(pg_catalog.json_build_object(
               'name', c.conname,
               'columns', pg_catalog.to_json(c.conkey),
               'to', c.confrelid,
               'toColumns', pg_catalog.to_json(c.confkey),
               'toPrimary', nullif(i.indisprimary, false),
               'valid', nullif(c.convalidated, false),
               -- First in an index, or behind one column that row security compares.
               'indexed', nullif(exists (select
                                           from pg_catalog.pg_index x
                                          where x.indrelid = c.conrelid and x.indisvalid and x.indpred is null
                                            and (x.indkey::smallint[])
                                                [0:pg_catalog.cardinality(c.conkey) - 1 + t.relrowsecurity::int]
                                                @> c.conkey), false))
               order by c.conname) as foreign_keys
      from reached r
      join pg_catalog.pg_constraint c on c.conrelid = r.oid
      join pg_catalog.pg_class t on t.oid = r.oid
      left join pg_catalog.pg_index i on i.indexrelid = c.conindid
     where c.contype = 'f' and c.conparentid = 0
       -- A foreign key of a period (18 and later) does not lead to one row.
       and coalesce(pg_catalog.to_jsonb(c) ->> 'conperiod', 'false') = 'false'
     group by c.conrelid
),
relations as (
    select c.oid, c.relowner as owner, c.relrowsecurity as rls, c.relforcerowsecurity as forced, o.invoker,
           pg_catalog.json_build_object(
               'oid', c.oid,
               'exposed', nullif(e.oid is not null, false),
               'kind', c.relkind,
               'schema', n.nspname,
               'name', c.relname,
               'sql', pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
               'comment', d.description,
               'owner', case c.relowner when q.oid then 1 else c.relowner end,
               -- Or some column of it; row security is another question.
               'readable', nullif(pg_catalog.has_any_column_privilege(q.oid, c.oid, 'select'), false),
               'insert', nullif(g.inserts, false),
               'update', nullif(g.updates, false),
               'delete', nullif(g.deletes, false),
               -- "on conflict" is not for views that change what they show by triggers.
               'upsert', nullif(c.relkind in ('r', 'p') or g.passed_on, false),
               'rls', nullif(c.relrowsecurity, false),
               'forceRls', nullif(c.relforcerowsecurity, false),
               'policies', nullif(c.relrowsecurity
                                  and exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid), false),
               'invoker', nullif(o.invoker, false),
               'barrier', nullif(o.barrier, false),
               -- Of those that read with their owner's rights, which may have to be made anew.
               'definition', case when c.relkind = 'v' and not o.invoker
                                  then pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), '; ') end,
               -- Rows of heirs are read with their parent's, but are not in its indexes.
               'heirs', nullif(c.relkind = 'r' and c.relhassubclass, false),
               'columns', a.columns,
               'keys', k.keys,
               'foreignKeys', f.foreign_keys,
               'leading', x.leading,
               'second', x.second,
               'large', nullif(x.oid is not null and c.reltuples >= 100000, false),
               'brittle', b.policies,
               'uses', u.used,
               'rule', case when c.relkind in ('v', 'm') then w.ev_action::text end) as document,
           n.nspname, c.relname
      from changes g
      join pg_catalog.pg_class c on c.oid = g.oid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     cross join request_role q
     cross join lateral (select c.reloptions is not null
                                and exists (select
                                              from pg_catalog.pg_options_to_table(c.reloptions) o
                                             where o.option_name = 'security_invoker'
                                               and o.option_value::boolean) as invoker,
                                c.reloptions is not null
                                and exists (select
                                              from pg_catalog.pg_options_to_table(c.reloptions) o
                                             where o.option_name = 'security_barrier'
                                               and o.option_value::boolean) as barrier) o
      left join exposed e on e.oid = c.oid
      left join columns a on a.oid = c.oid
      left join keys k on k.oid = c.oid
      left join foreign_keys f on f.oid = c.oid
      left join indexed x on x.oid = c.oid
      left join brittle b on b.oid = c.oid
      left join used_by u on u.oid = c.oid
      left join pg_catalog.pg_rewrite w on w.ev_class = c.oid and w.rulename = '_RETURN'
      left join pg_catalog.pg_description d on d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                           and d.objoid = c.oid
                                           and d.objsubid = 0
),
-- Functions that the role may call, and procedures, but triggers, which nobody calls. Told apart by oid,
-- described by arrays of the catalog: nothing is read out of text.
functions as (
    select p.prorettype as returns, a.types,
           pg_catalog.json_build_object(
               'oid', p.oid,
               'schema', n.nspname,
               'name', p.proname,
               'sql', pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)
                      || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
               'definer', nullif(p.prosecdef, false),
               'searchPath', nullif(exists (select
                                              from pg_catalog.unnest(p.proconfig) s (setting)
                                             where s.setting like 'search\_path=%'
                                               and s.setting not like '%$user%'), false),
               'comment', d.description,
               'procedure', nullif(p.prokind = 'p', false),
               -- A call by name could mean another one as well: the rows of a relation are taken for nothing else.
               'overloaded', nullif(exists (
                   select
                     from pg_catalog.pg_proc o
                     left join pg_catalog.pg_type x on x.oid = (p.proargtypes::oid[])[0]
                     left join pg_catalog.pg_type y on y.oid = (o.proargtypes::oid[])[0]
                    where o.pronamespace = p.pronamespace
                      and o.proname = p.proname
                      and o.oid <> p.oid
                      and not coalesce('c' in (x.typtype, y.typtype) and 'p' not in (x.typtype, y.typtype)
                                       and x.oid <> y.oid, false)), false),
               'volatility', p.provolatile,
               'returns', p.prorettype,
               'row', nullif(t.typrelid, 0),
               'set', nullif(p.proretset, false),
               'defaults', nullif(p.pronargdefaults, 0),
               'arguments', a.arguments) as document,
           n.nspname, p.proname, p.oid
      from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      join pg_catalog.pg_type t on t.oid = p.prorettype
     cross join request_role r
     cross join lateral (
         select pg_catalog.array_agg(a.type) as types,
                pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', nullif(p.proargnames[a.num], ''),
                    'mode', coalesce(p.proargmodes[a.num], 'i'),
                    'type', a.type)
                    order by a.num) as arguments
           from pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality a (type, num)) a
      left join pg_catalog.pg_description d on d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                                           and d.objoid = p.oid
                                           and d.objsubid = 0
     where n.nspname = any ($1::text[])
       and p.prokind in ('f', 'p')
       and p.prorettype not in ('pg_catalog.trigger'::pg_catalog.regtype,
                                'pg_catalog.event_trigger'::pg_catalog.regtype)
       and exists (select
                     from patterns x
                    where x.kind = 'function'
                      and (p.proname like x.pattern or n.nspname || '.' || p.proname like x.pattern))
       and not exists (select
                         from patterns x
                        cross join lateral (values ('('
                                                    || pg_catalog.oidvectortypes(p.proargtypes)
                                                    || ')')) s (types)
                        where x.kind = 'exclude'
                          and (p.proname like x.pattern
                               or n.nspname || '.' || p.proname like x.pattern
                               or p.proname || s.types like x.pattern
                               or n.nspname || '.' || p.proname || s.types like x.pattern))
       and pg_catalog.has_schema_privilege(r.oid, n.oid, 'usage')
       and pg_catalog.has_function_privilege(r.oid, p.oid, 'execute')
),
types_used as (
    select distinct a.atttypid as oid
      from reached r
      join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    union
    select x.oid
      from functions f
     cross join lateral pg_catalog.unnest(f.types || f.returns) x (oid)
    union
    -- Composite types that a comment may name as the shape of a document, and those of FraiseQL's schema app.
    select c.reltype
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'c'
       and (n.nspname = any ($1::text[])
            or n.nspname = 'app'
            or exists (select
                         from functions f
                        where pg_catalog.strpos(f.document ->> 'comment', n.nspname || '.' || c.relname) > 0))
    union
    -- Enum types that the file of type definitions may name.
    select t.oid
      from pg_catalog.pg_type t
      join pg_catalog.pg_namespace n on n.oid = t.typnamespace
     where t.typtype = 'e' and n.nspname = any ($1::text[])
    union
    select x.oid
      from types_used u
      join pg_catalog.pg_type t on t.oid = u.oid
      left join pg_catalog.pg_class c on c.oid = t.typrelid and c.relkind = 'c'
     cross join lateral (values (t.typbasetype), (t.typelem)
                         union all
                         select a.atttypid
                           from pg_catalog.pg_attribute a
                          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) x (oid)
     where x.oid <> 0
),
-- The = of a type's order.
comparable as (
    select o.opcintype as oid, p.proleakproof as leakproof, q.oprnamespace as operators
      from pg_catalog.pg_opclass o
      join pg_catalog.pg_am m on m.oid = o.opcmethod and m.amname = 'btree'
      join pg_catalog.pg_amop e on e.amopfamily = o.opcfamily and e.amopstrategy = 3
                               and e.amoplefttype = o.opcintype and e.amoprighttype = o.opcintype
      join pg_catalog.pg_operator q on q.oid = e.amopopr
      join pg_catalog.pg_proc p on p.oid = q.oprcode
     where o.opcdefault
),
types as (
    select pg_catalog.json_agg(pg_catalog.json_build_object(
               'oid', t.oid,
               'schema', n.nspname,
               'name', t.typname,
               'kind', t.typtype,
               -- With -1, for no modifier: "character" and "bit" alone would be those of length 1.
               'sql', case when n.nspname = 'pg_catalog' then pg_catalog.format_type(t.oid, -1)
                           when e.oid is not null
                           then pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(e.typname) || '[]'
                           else pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname) end,
               'element', e.oid,
               'base', nullif(t.typbasetype, 0),
               'relation', nullif(t.typrelid, 0),
               'notNull', nullif(t.typnotnull, false),
               'default', nullif(t.typdefault is not null, false),
               'comment', d.description,
               'labels', case when t.typtype = 'e'
                              then (select pg_catalog.json_agg(l.enumlabel order by l.enumsortorder)
                                      from pg_catalog.pg_enum l
                                     where l.enumtypid = t.oid) end,
               -- Of composite types; the rows of relations are another matter.
               'attributes', a.attributes,
               'comparable', nullif(c.leakproof is not null, false),
               'leakproof', nullif(c.leakproof, false),
               'operators', case when c.operators <> 'pg_catalog'::pg_catalog.regnamespace
                                 then c.operators::pg_catalog.regnamespace::text end)
               order by n.nspname, t.typname) as types
      from types_used u
      join pg_catalog.pg_type t on t.oid = u.oid
      join pg_catalog.pg_namespace n on n.oid = t.typnamespace
      left join pg_catalog.pg_type e on e.oid = t.typelem and e.typarray = t.oid
      left join pg_catalog.pg_description d on d.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass
                                           and d.objoid = t.oid
                                           and d.objsubid = 0
      left join lateral (
          select pg_catalog.json_agg(pg_catalog.json_build_object(
                     'num', a.attnum,
                     'name', a.attname,
                     'type', a.atttypid,
                     'comment', x.description)
                     order by a.attnum) as attributes
            from pg_catalog.pg_class r
            join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
            left join pg_catalog.pg_description x on x.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                                 and x.objoid = a.attrelid
                                                 and x.objsubid = a.attnum
           where r.oid = t.typrelid and r.relkind = 'c') a on true
      -- A type without operators of its own may use those of one that it is stored like (varchar, cidr).
      left join lateral (
          select o.leakproof, o.operators
            from (select o.leakproof, o.operators, 0 as distance
                    from comparable o
                   where o.oid = case t.typtype
                                 when 'e' then 'pg_catalog.anyenum'::pg_catalog.regtype::oid
                                 when 'r' then 'pg_catalog.anyrange'::pg_catalog.regtype::oid
                                 when 'm' then 4537
                                 when 'c' then 'pg_catalog.record'::pg_catalog.regtype::oid
                                 else case when e.oid is not null
                                           then 'pg_catalog.anyarray'::pg_catalog.regtype::oid
                                           else t.oid end end
                  union all
                  select o.leakproof, o.operators, 1
                    from pg_catalog.pg_cast b
                    join comparable o on o.oid = b.casttarget
                   where b.castsource = t.oid and b.castmethod = 'b' and b.castcontext = 'i') o
           order by o.distance, o.leakproof
           limit 1) c on true
),
-- Row security is for everyone but the owner, unless forced, and those who bypass it; a view reads as
-- its owner unless it has security_invoker.
acting as (
    select r.oid, 1 as told from request_role r
    union
    select r.owner, r.owner::bigint from relations r where r.owner not in (select q.oid from request_role q)
),
members as (
    select pg_catalog.json_agg(pg_catalog.json_build_array(a.told, o.told) order by a.told, o.told) as members
      from acting a
     cross join (select x.oid, x.told from acting x where x.oid in (select r.owner from relations r where r.rls and not r.forced)) o
     where pg_catalog.pg_has_role(a.oid, o.oid, 'usage')
),
-- Who has a policy that lets rows be read: restrictive ones only take away.
policies as (
    select pg_catalog.json_agg(pg_catalog.json_build_array(r.oid, a.told) order by r.oid, a.told) as policies
      from relations r
     cross join acting a
     where r.rls
       and exists (select
                     from pg_catalog.pg_policy p
                    where p.polrelid = r.oid
                      and p.polpermissive
                      and p.polcmd in ('*', 'r')
                      and exists (select
                                    from pg_catalog.unnest(p.polroles) x (oid)
                                   where x.oid = 0 or pg_catalog.pg_has_role(a.oid, x.oid, 'usage')))
)
select pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
           'role', (select 1 from request_role r),
           'unreachable', (select nullif(not r.reachable, false) from request_role r),
           'version', (select pg_catalog.current_setting('server_version_num')::int / 10000 from request_role r),
           'relations', (select pg_catalog.json_agg(r.document order by r.nspname, r.relname) from relations r),
           'functions', (select pg_catalog.json_agg(f.document order by f.nspname, f.proname, f.oid) from functions f),
           'types', (select t.types from types t),
           'bypass', (select pg_catalog.json_agg(a.told order by a.told)
                        from acting a
                        join pg_catalog.pg_roles r on r.oid = a.oid
                       where r.rolsuper or r.rolbypassrls),
           'members', (select m.members from members m),
           'policies', (select p.policies from policies p),
           'roleSql', (select pg_catalog.quote_ident(r.name) from request_role r)))::text as catalog
