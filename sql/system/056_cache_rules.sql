-- What answers of a statement depend on, found in the catalog: tables, settings, whose rows.
--
--     select * from fraiseql.cache_rule(array['public'], array['v_project'], 'select …', array['app.tenant_id'],
--                                       array['app.tenant_id'], 'app_user');
--
-- What cannot be known counts as read, and as changing. Values of a rule only ever make an answer's key longer, or an
-- answer end sooner, than need be.

-- A function whose text consists of nothing but settings and words that read no table: what is common as
-- current_tenant_id(). Only then is what it reads known.
create or replace function fraiseql.only_reads_settings(function oid) returns boolean
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select p.prosrc <> '' and p.proconfig is null and p.prokind = 'f' and not p.prosecdef and l.lanname in ('sql', 'plpgsql')
       and not exists (select
                         from regexp_matches(regexp_replace(regexp_replace(lower(p.prosrc), '''[^'']*''', ' ', 'g'), '--[^\n]*', ' ', 'g'),
                                             '[^\s();:,.=]+', 'g') w (word)
                        where w.word[1] not in ('select', 'nullif', 'coalesce', 'current_setting', 'pg_catalog', 'cast', 'as',
                                                'uuid', 'text', 'int', 'integer', 'bigint', 'int4', 'int8', 'true', 'false',
                                                'null', 'begin', 'return', 'end'))
      from pg_proc p
      join pg_language l on l.oid = p.prolang
     where p.oid = $1
$$;

-- Is the column equal to the tenant's setting, and nothing else? As policies print: (tenant_id = (NULLIF(
-- current_setting('app.tenant_id'::text, true), ''::text))::uuid), also in a subselect, also by such a function.
create or replace function fraiseql.is_tenant_condition(condition text, tenant_column name, settings text[]) returns boolean
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    with plain (text) as (
        select regexp_replace($1, '::(text|uuid|integer|bigint|character varying)\M|\mSELECT\s|\sAS "?\w+"?(?=\s*\))|[\s()]|pg_catalog\.',
                              '', 'g')),
    called (text) as (
        select regexp_replace(p.text, '^[^=]*=', '') from plain p)
    select p.text ~ ('^"?' || regexp_replace($2, '\W', '\\\&', 'g') || '"?=')
       and (exists (select from unnest($3) s (name)
                     where lower(c.text) in ('current_setting''' || lower(s.name) || ''',true',
                                             'current_setting''' || lower(s.name) || '''',
                                             'nullifcurrent_setting''' || lower(s.name) || ''',true,'''''))
            or exists (select
                         from pg_proc f
                         join pg_namespace n on n.oid = f.pronamespace
                        where f.pronargs = 0
                          and c.text in (quote_ident(f.proname), quote_ident(n.nspname) || '.' || quote_ident(f.proname))
                        having bool_and(fraiseql.only_reads_settings(f.oid)
                                        and exists (select from unnest($3) s (name)
                                                     where regexp_replace(lower(f.prosrc),
                                                               '::\w+|pg_catalog\.|\mselect\M|\mbegin\M|\mreturn\M|\mend\M|[\s();]', '', 'g')
                                                           in ('current_setting''' || lower(s.name) || ''',true',
                                                               'current_setting''' || lower(s.name) || '''',
                                                               'nullifcurrent_setting''' || lower(s.name) || ''',true,''''')))))
      from plain p, called c
$$;

create or replace function fraiseql.cache_rule(schemas text[], names text[], statement text, settings text[],
                                               tenant_settings text[], role text, out identity text, out bases oid[],
                                               out exact boolean, out tenant_type text, out reads boolean[])
    language plpgsql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    relations oid[];
    reached oid[];
    functions oid[];
    opaque oid[];
    texts text;
    who oid[];
    called oid[];
    ways text;
    all_settings boolean;
begin
    select coalesce(array_agg(distinct c.oid), '{}') into relations
      from unnest($1, $2) o (schema_name, name)
      join pg_namespace n on n.nspname = o.schema_name
      join pg_class c on c.relnamespace = n.oid and c.relname = o.name and c.relkind in ('r', 'p', 'v', 'm', 'f');
    select coalesce(array_agg(distinct b.oid), '{}') into bases
      from unnest(relations) r (oid), unnest(fraiseql.base_tables(r.oid::regclass)) b (oid);
    with recursive below (oid) as (
        select unnest(relations || bases)
        union
        select d.refobjid
          from below b
          left join pg_rewrite w on w.ev_class = b.oid and w.ev_type = '1'
          left join pg_policy p on p.polrelid = b.oid
          join pg_depend d on d.refclassid = 'pg_class'::regclass
                          and (d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                               or d.classid = 'pg_policy'::regclass and d.objid = p.oid))
    select array_agg(distinct b.oid) into reached from below b;

    select coalesce(array_agg(distinct f.oid), '{}') into functions
      from (select unnest(fraiseql.opaque_functions(r.oid::regclass)) from unnest(relations || bases) r (oid)
             union
            select p.oid
              from unnest($1, $2) o (schema_name, name)
              join pg_namespace n on n.nspname = o.schema_name
              join pg_proc p on p.pronamespace = n.oid and p.proname = o.name
             where p.provolatile <> 'i' or fraiseql.function_text(p.oid) ~* '\mcurrent_setting\M') f (oid);
    select coalesce(array_agg(f.oid), '{}') into opaque
      from unnest(functions) f (oid) where fraiseql.only_reads_settings(f.oid) is not true;

    select lower(concat_ws(E'\n', $3,
               (select string_agg(pg_get_viewdef(r.oid), E'\n' order by r.oid)
                  from unnest(reached) r (oid) join pg_class c on c.oid = r.oid where c.relkind in ('v', 'm')),
               (select string_agg(concat_ws(E'\n', p.polname, p.polcmd, p.polpermissive, p.polroles::text, pg_get_expr(p.polqual, p.polrelid)),
                                  E'\n' order by p.polrelid, p.polname)
                  from pg_policy p where p.polrelid = any (reached)),
               (select string_agg(p.prosrc, E'\n' order by p.oid) from pg_proc p where p.oid = any (functions))))
      into texts;

    -- A name that is put together, or all of them at once.
    all_settings := opaque <> '{}' or texts ~ 'current_setting\s*\(\s*[^''\s]' or texts ~ 'pg_settings|pg_show_all_settings';
    select coalesce(array_agg(all_settings or strpos(texts, quote_literal(lower(s.name))) > 0 order by s.n), '{}') into reads
      from unnest($4) with ordinality s (name, n);

    -- Tables that are all tracked, and nothing that changes with time, with chance or with the catalog.
    exact := cardinality(bases) > 0 and opaque = '{}'
             and not exists (select from unnest(bases) b (oid)
                              where not exists (select from fraiseql.tracked_relations t where t.relation = b.oid))
             and texts !~ '\m(current_date|current_time|current_timestamp|localtime|localtimestamp|session_user|tablesample)\M'
             and texts !~ '\m(pg_\w+|information_schema)\M(?!\s*\.)'
             and texts !~ ('\m(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|age|random|random_normal'
                           '|gen_random_uuid|uuidv4|uuidv7|nextval|currval|lastval|\w+_to_xml\w*|txid_\w+|ts_stat|ts_rewrite'
                           '|lo_\w+|loread|inet_\w+|has_\w+_privilege|row_security_active|\w+_description|to_reg\w+'
                           '|current_query|current_schemas|format_type)\M"?\s*\(')
             and texts !~ '''(now|today|tomorrow|yesterday)''';

    -- As whom tables are read.
    select coalesce(array_agg(distinct a.oid order by a.oid), '{}') into who
      from pg_roles a
     where a.rolname = coalesce(nullif($6, ''), session_user)
        or a.oid in (select c.relowner
                       from unnest(reached) r (oid)
                       join pg_class c on c.oid = r.oid
                      where c.relkind = 'v'
                        and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on',
                                                               'security_invoker=1', 'security_invoker=yes'], false));

    -- Every row that may be seen is of the tenant whose setting this is, for all of them.
    tenant_type := '';
    if exact then
        if exists (select from pg_roles a where a.rolname = coalesce(nullif($6, ''), session_user)) and not exists (
            select
              from unnest(bases) b (oid)
              join pg_class c on c.oid = b.oid
              join fraiseql.tracked_relations t on t.relation = b.oid
              cross join unnest(who) w (oid)
              join pg_roles a on a.oid = w.oid
             where t.tenant_column is null or not c.relrowsecurity or a.rolsuper or a.rolbypassrls
                or (not c.relforcerowsecurity and pg_has_role(a.oid, c.relowner, 'USAGE'))
                or exists (select
                             from pg_policy p
                            where p.polrelid = b.oid and p.polpermissive and p.polcmd in ('r', '*')
                              and exists (select from unnest(p.polroles) m (oid)
                                           where m.oid = 0 or pg_has_role(a.oid, m.oid, 'USAGE'))
                              and fraiseql.is_tenant_condition(pg_get_expr(p.polqual, p.polrelid), t.tenant_column, $5) is not true)) then
            select case when bool_and(x.atttypid = 'uuid'::regtype) then 'uuid'
                        when bool_and(x.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)) then 'integer'
                        when bool_and(x.atttypid in ('text'::regtype, 'varchar'::regtype)) then 'text'
                        else '' end
              into tenant_type
              from unnest(bases) b (oid)
              join fraiseql.tracked_relations t on t.relation = b.oid
              join pg_attribute x on x.attrelid = b.oid and x.attname = t.tenant_column;
        end if;
    end if;
    -- What else decides which rows are seen, and what functions make of them. Pages that a table has moved to (relfilenode)
    -- may hold other values: ALTER TABLE fires no trigger. Nor do partitions that come and go.
    select coalesce(array_agg(distinct f.oid), '{}') into called
      from (select unnest(fraiseql.functions_below(r.oid::regclass)) from unnest(relations || bases) r (oid)
             union
            select p.oid
              from unnest($1, $2) o (schema_name, name)
              join pg_namespace n on n.nspname = o.schema_name
              join pg_proc p on p.pronamespace = n.oid and p.proname = o.name) f (oid);
    ways := concat_ws(E'\n',
               (select string_agg(concat_ws(' ', c.oid, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relfilenode,
                                            c.reloptions::text, c.relacl::text), E'\n' order by c.oid)
                  from pg_class c
                 where c.oid = any (reached || bases)
                    or c.oid in (select t.relid from unnest(bases) b (oid), pg_partition_tree(b.oid::regclass) t)),
               (select string_agg(concat_ws(' ', a.attrelid, a.attnum, a.attacl::text), E'\n' order by a.attrelid, a.attnum)
                  from pg_attribute a where a.attrelid = any (reached || bases) and a.attacl is not null),
               (select string_agg(concat_ws(' ', w.oid, w.rolsuper, w.rolbypassrls,
                                            (select string_agg(m.oid::text, ',' order by m.oid)
                                               from pg_roles m where pg_has_role(w.oid, m.oid, 'USAGE'))), E'\n' order by w.oid)
                  from pg_roles w where w.oid = any (who)),
               (select string_agg(concat_ws(' ', p.oid, p.prosecdef, p.proowner, p.proconfig::text, p.probin, p.proacl::text,
                                            fraiseql.function_text(p.oid)), E'\n' order by p.oid)
                  from pg_proc p where p.oid = any (called)));
    identity := md5(concat_ws('|', texts, ways, relations::text, bases::text, exact, tenant_type, all_settings));
end
$$;

comment on function fraiseql.cache_rule(text[], text[], text, text[], text[], text) is
    'What answers of a statement depend on: its tables; whether changes of all of them are noted; of which type the tenant is, '
    'if its rows are all that can be seen; and which of some settings are read.';

revoke all on function fraiseql.only_reads_settings(oid), fraiseql.is_tenant_condition(text, name, text[]),
                       fraiseql.cache_rule(text[], text[], text, text[], text[], text)
    from public;

do $$
declare
    login name := nullif(pg_catalog.current_setting('fraiseql.grant_to', true), '');
begin
    if login is not null then
        execute pg_catalog.format('grant execute on function fraiseql.only_reads_settings(oid),
                                       fraiseql.is_tenant_condition(text, name, text[]),
                                       fraiseql.cache_rule(text[], text[], text, text[], text[], text) to %I', login);
    end if;
end
$$;
