-- Has changes noted of all tables that answers can come from: what `fraiseqld db install --cache-triggers` calls.
--
--     select * from fraiseql.track_exposed(array['public'], array['app_user'], array['app.tenant_id']);

-- The column that a policy compares with the tenant's setting; null: there is none.
create or replace function fraiseql.tenant_column_of(relation regclass, tenant_settings text[]) returns name
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select a.attname
      from pg_policy p
      join pg_attribute a on a.attrelid = p.polrelid and a.attnum > 0 and not a.attisdropped
     where p.polrelid = $1 and p.polpermissive and p.polcmd in ('r', '*')
       and fraiseql.is_tenant_condition(pg_get_expr(p.polqual, p.polrelid), a.attname, $2)
     order by a.attnum
     limit 1
$$;

-- Tables below everything that one of the roles may read in the schemas. A table that may not be given triggers is left
-- alone, with a warning: what is read from it is kept by time only.
create or replace function fraiseql.track_exposed(schemas text[], roles text[], tenant_settings text[])
    returns table (relation regclass, tenant_column name, changed boolean)
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    for relation in
        select distinct b.oid::regclass
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace
         cross join lateral unnest(fraiseql.base_tables(c.oid::regclass)) b (oid)
          join pg_class t on t.oid = b.oid
          join pg_namespace tn on tn.oid = t.relnamespace
         where n.nspname = any ($1)
           and c.relkind in ('r', 'p', 'v', 'm')
           and not c.relispartition
           and t.relkind in ('r', 'p') and t.relpersistence <> 't'
           and tn.nspname not in ('fraiseql', 'pg_catalog', 'information_schema')
           and exists (select from unnest($2) r (name)
                         join pg_roles o on o.rolname = coalesce(nullif(r.name, ''), session_user)
                        where has_table_privilege(o.oid, c.oid, 'select') or has_any_column_privilege(o.oid, c.oid, 'select'))
         order by 1
    loop
        tenant_column := fraiseql.tenant_column_of(relation, $3);
        begin
            changed := fraiseql.track_changes(relation, tenant_column);
        exception when insufficient_privilege then
            raise warning 'changes of table "%" are not noted: %', relation, sqlerrm;
            continue;
        end;
        return next;
    end loop;
end
$$;

comment on function fraiseql.track_exposed(text[], text[], text[]) is
    'Has changes noted of all tables below what the roles may read in the schemas; tenants are told apart by the column that policies compare with one of the settings. An empty name is the login role.';

revoke all on function fraiseql.tenant_column_of(regclass, text[]), fraiseql.track_exposed(text[], text[], text[]) from public;
