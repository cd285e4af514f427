-- The result cache: answers, and which relations have changed since they were made.
--
-- An answer is kept with the snapshot that it cannot be newer than, and with the relations that it was read from.
-- Triggers note for each transaction which relations it has changed, and of which tenants. An answer holds until it
-- expires, or until a change of one of its relations is committed that its snapshot does not see: so it is exact,
-- whoever changes rows, and a transaction that was under way when the answer was made counts as soon as it commits.
--
--     select fraiseql.track_changes('projects', 'tenant_id');   -- or: fraiseqld db install --cache-triggers
--     select fraiseql.note_change('project_summary');           -- after a refresh of a materialized view
--     select fraiseql.purge_cache(operation => 'Projects');
--     select * from fraiseql.clean_cache();                     -- every minute or so, until it returns less than a batch
--
-- Answers are in an UNLOGGED table: a crash empties it, and on a standby it cannot be read. Changes are not: a
-- transaction that was prepared before a crash is committed after it, when answers may have been made that do not see
-- it; in an UNLOGGED table its note would be gone. That costs a transaction a hundred bytes or two of WAL for each
-- relation that it changes.

create unlogged table if not exists fraiseql.cache_entries (
    key         uuid primary key,
    tenant      text not null default '',
    by_tenant   boolean not null default false,
    operation   text not null,
    relations   oid[] not null,
    snapshot    pg_snapshot not null,
    created_at  timestamptz not null default pg_catalog.now(),
    expires_at  timestamptz not null,
    stale_until timestamptz not null,
    bytes       integer not null,
    cost_us     integer,
    hits        bigint not null default 0,
    value       text not null
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05,
        autovacuum_vacuum_cost_delay = 0);

create index if not exists cache_entries_stale_until_idx on fraiseql.cache_entries (stale_until);

do $$
begin
    alter table fraiseql.cache_entries alter column value set compression lz4;
exception when feature_not_supported or invalid_parameter_value then
    -- A server built without it compresses as it does by default.
    null;
end
$$;

comment on table fraiseql.cache_entries is 'Answers of the result cache. Whoever reads it reads every tenant''s.';
comment on column fraiseql.cache_entries.key is 'Digest of what was asked, and by whom as far as that matters.';
comment on column fraiseql.cache_entries.tenant is 'Whose it is; empty: nobody''s.';
comment on column fraiseql.cache_entries.by_tenant is 'It was read from rows of that tenant, and of none.';
comment on column fraiseql.cache_entries.operation is 'The operation''s name.';
comment on column fraiseql.cache_entries.relations is 'What it was read from: fraiseql.base_tables() of its relations.';
comment on column fraiseql.cache_entries.snapshot is 'Taken before the answer''s own: what it sees, the answer has seen.';
comment on column fraiseql.cache_entries.expires_at is 'Until when it is fresh.';
comment on column fraiseql.cache_entries.stale_until is 'Until when it may be sent while a new one is made, or cannot be.';
comment on column fraiseql.cache_entries.bytes is 'Length of the value, uncompressed.';
comment on column fraiseql.cache_entries.cost_us is 'What it took the database to make it, in microseconds.';
comment on column fraiseql.cache_entries.hits is 'How often it was sent, as far as daemons told: see fraiseql.cache_hits_add().';

create table if not exists fraiseql.cache_changes (
    relation   oid not null,
    tenant     text not null,
    xid        xid8 not null,
    changed_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (relation, tenant, xid)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1,
        autovacuum_vacuum_cost_delay = 0);

-- For answers that are no tenant's: they are concerned by everybody's changes.
create index if not exists cache_changes_relation_xid_idx on fraiseql.cache_changes (relation, xid);

comment on table fraiseql.cache_changes is 'Which transactions have changed which relations.';
comment on column fraiseql.cache_changes.relation is 'The relation; of a partitioned table its root.';
comment on column fraiseql.cache_changes.tenant is 'Whose rows; empty: the relation''s rows do not say; *: anybody''s.';
comment on column fraiseql.cache_changes.xid is 'The transaction.';
comment on column fraiseql.cache_changes.changed_at is 'When it did so first; it commits later.';

create table if not exists fraiseql.cache_horizons (
    sampled_at timestamptz primary key default pg_catalog.clock_timestamp(),
    snapshot   pg_snapshot not null
);

comment on table fraiseql.cache_horizons is 'Which transactions were under way when: what tells which changes concern no answer any more.';

create unlogged table if not exists fraiseql.cache_flights (
    key        uuid primary key,
    claimed_by text not null,
    until      timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

comment on table fraiseql.cache_flights is 'Answers that take long, and that a daemon is making: the others wait, until then at most.';

create table if not exists fraiseql.cache_domains (
    relation      regclass primary key,
    domain        text not null,
    tenant_column name
);

create table if not exists fraiseql.cascade_rules (
    source_domain text not null,
    target_domain text not null check (target_domain <> source_domain),
    rule_type     text not null default 'invalidate' check (rule_type = 'invalidate'),
    primary key (source_domain, target_domain)
);

comment on table fraiseql.cache_domains is 'Names for tables that cascade rules speak of.';
comment on table fraiseql.cascade_rules is 'A change of the source''s tables ends answers made from the target''s, too.';

-- What is tracked ------------------------------------------------------------------------------------------

-- For daemons that keep answers in memory (cache.l1): alter database app set fraiseql.cache_notify = 'fraiseqld', the
-- channel of database.notify. It costs the commit a moment in which no other transaction that notifies commits.
create or replace function fraiseql.tell_change() returns void
    language sql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
    select pg_notify(current_setting('fraiseql.cache_notify'), 'cache')
     where coalesce(current_setting('fraiseql.cache_notify', true), '') <> ''
$$;

comment on function fraiseql.tell_change() is 'Tells daemons that answers have ended, if fraiseql.cache_notify names their channel.';

-- Fires after each statement. The argument is the column that holds the tenant; none: there is none. No name in it is
-- found by a search_path, and it runs as its owner, so that who changes a table needs no privilege here.
create or replace function fraiseql.record_change() returns trigger
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    tenants text[];
    changed boolean;
begin
    if tg_op = 'TRUNCATE' then
        tenants := '{*}';
    elsif tg_nargs = 0 then
        if tg_op = 'INSERT' then
            changed := exists (select from new_rows);
        else
            changed := exists (select from old_rows);
        end if;
        if changed then
            tenants := '{""}';
        end if;
    else
        begin
            if tg_op = 'INSERT' then
                execute format('select array_agg(t) from (select distinct coalesce(%I::text, '''') as t from new_rows limit 65) s',
                               tg_argv[0]) into tenants;
            elsif tg_op = 'DELETE' then
                execute format('select array_agg(t) from (select distinct coalesce(%I::text, '''') as t from old_rows limit 65) s',
                               tg_argv[0]) into tenants;
            else
                execute format('select array_agg(t) from (select coalesce(%1$I::text, '''') as t from old_rows
                                union select coalesce(%1$I::text, '''') from new_rows limit 65) s',
                               tg_argv[0]) into tenants;
            end if;
        exception when undefined_column then
            -- It has been renamed or dropped.
            tenants := '{*}';
        end;
        if cardinality(tenants) > 64 then
            tenants := '{*}';
        end if;
    end if;
    if tenants is not null then
        insert into fraiseql.cache_changes (relation, tenant, xid)
        select coalesce(pg_partition_root(tg_relid), tg_relid), t, pg_current_xact_id() from unnest(tenants) t
            on conflict do nothing;
        perform fraiseql.tell_change();
    end if;
    return null;
end
$$;

comment on function fraiseql.record_change() is 'Notes that a transaction has changed a relation.';

-- Every table that has one of the triggers, and whether it has all of them, in force: AFTER, FOR EACH STATEMENT, on every
-- event, whatever session_replication_role is, without conditions.
create or replace view fraiseql.change_triggers as
    select t.tgrelid as relation,
           case when min(t.tgnargs) = 1
                then pg_catalog.convert_from(pg_catalog.decode(pg_catalog.left(min(pg_catalog.encode(t.tgargs, 'hex')), -2), 'hex'), 'UTF8')
           end as tenant_column,
           coalesce(pg_catalog.bit_or(t.tgtype & 60)
               filter (where t.tgtype & 67 = 0 and t.tgenabled = 'A' and t.tgqual is null and t.tgattr::text = ''), 0) = 60
           and min(t.tgnargs) = max(t.tgnargs)
           and min(pg_catalog.encode(t.tgargs, 'hex')) = max(pg_catalog.encode(t.tgargs, 'hex')) as complete
      from pg_catalog.pg_trigger t
     where not t.tgisinternal
       and t.tgfoid = 'fraiseql.record_change()'::pg_catalog.regprocedure
     group by t.tgrelid;

comment on view fraiseql.change_triggers is 'Tables with triggers that note changes, partitions each for itself.';

create or replace view fraiseql.tracked_relations as
    select c.oid as relation, n.nspname as schema_name, c.relname as relation_name, k.tenant_column
      from fraiseql.change_triggers k
      join pg_catalog.pg_class c on c.oid = k.relation
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where k.complete
       and not c.relispartition
       -- Rows that logical replication applies fire no trigger of a statement.
       and not exists (select from pg_catalog.pg_subscription_rel s
                         join pg_catalog.pg_partition_tree(c.oid) p on p.relid = s.srrelid)
       and not exists (select from pg_catalog.pg_subscription_rel s where s.srrelid = c.oid)
       -- Who writes to a partition fires the partition's triggers only.
       and not exists (select from pg_catalog.pg_partition_tree(c.oid) p
                         left join fraiseql.change_triggers o on o.relation = p.relid
                        where o.complete is not true or o.tenant_column is distinct from k.tenant_column);

comment on view fraiseql.tracked_relations is
    'Tables all of whose changes are noted: every trigger is there and enabled, on every partition.';

-- The column if its values, as text, are equal exactly if they are equal: else which tenant a row belongs to is not
-- for text to say, and a change counts for all of them.
create or replace function fraiseql.tracking_column(relation regclass, tenant_column name) returns name
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select a.attname
      from pg_attribute a
      left join pg_collation c on c.oid = a.attcollation
     where a.attrelid = $1 and a.attname = $2 and a.attnum > 0 and not a.attisdropped
       and a.atttypid in ('uuid'::regtype, 'text'::regtype, 'varchar'::regtype, 'int2'::regtype, 'int4'::regtype,
                          'int8'::regtype, 'name'::regtype)
       and coalesce(c.collisdeterministic, true)
$$;

create or replace function fraiseql.track_table(relation regclass, tenant_column name) returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    kind record;
begin
    for kind in select * from (values ('insert', 'referencing new table as new_rows'),
                                      ('update', 'referencing old table as old_rows new table as new_rows'),
                                      ('delete', 'referencing old table as old_rows'),
                                      ('truncate', '')) k (event, rows) loop
        execute format('create or replace trigger fraiseql_cache_%1$s after %1$s on %2$s %3$s
                        for each statement execute function fraiseql.record_change(%4$s)',
                       kind.event, $1, kind.rows, quote_literal($2));
        execute format('alter table only %1$s enable always trigger fraiseql_cache_%2$s', $1, kind.event);
    end loop;
end
$$;

create or replace function fraiseql.note_change(relation regclass, tenant text default '*') returns void
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    insert into fraiseql.cache_changes (relation, tenant, xid)
    values (coalesce(pg_partition_root($1), $1), $2, pg_current_xact_id())
        on conflict do nothing;
    select fraiseql.tell_change()
$$;

comment on function fraiseql.note_change(regclass, text) is
    'Ends answers made from a relation, when this transaction commits: of one tenant, or of all.';

create or replace function fraiseql.track_changes(relation regclass, tenant_column name default null) returns boolean
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    root regclass := coalesce(pg_partition_root($1), $1);
    col name;
    part regclass;
    changed boolean := false;
begin
    if not exists (select from pg_class c
                    where c.oid = root and c.relkind in ('r', 'p') and c.relpersistence <> 't'
                      and c.relnamespace <> 'fraiseql'::regnamespace and c.relnamespace <> 'pg_catalog'::regnamespace) then
        raise exception using errcode = 'wrong_object_type',
            message = format('cannot track changes of "%s"', root),
            hint = 'Tables can be tracked; of a view those that it reads: fraiseql.base_tables().';
    end if;
    if $2 is not null and not exists (select from pg_attribute a
                                       where a.attrelid = root and a.attname = $2 and a.attnum > 0 and not a.attisdropped) then
        raise exception using errcode = 'undefined_column',
            message = format('column "%s" of table "%s" does not exist', $2, root);
    end if;
    col := fraiseql.tracking_column(root, $2);
    for part in
        select p.oid
          from (select root::oid as oid union select t.relid from pg_partition_tree(root) t) p
          join pg_class c on c.oid = p.oid
         where c.relkind in ('r', 'p')
           and not exists (select from fraiseql.change_triggers k
                            where k.relation = p.oid and k.complete and k.tenant_column is not distinct from col)
         order by p.oid
    loop
        perform fraiseql.track_table(part, col);
        changed := true;
    end loop;
    if changed then
        -- What happened before nobody has seen.
        perform fraiseql.note_change(root);
        perform pg_notify('fraiseqld', 'schema');
    end if;
    return changed;
end
$$;

comment on function fraiseql.track_changes(regclass, name) is
    'Has changes of a table noted, and of its partitions; the column says whose a row is. False: they are already.';

create or replace function fraiseql.untrack_changes(relation regclass) returns boolean
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    root regclass := coalesce(pg_partition_root($1), $1);
    found record;
    changed boolean := false;
begin
    for found in
        select t.tgname, t.tgrelid::regclass as relation
          from (select root::oid as oid union select p.relid from pg_partition_tree(root) p) p
          join pg_trigger t on t.tgrelid = p.oid
         where not t.tgisinternal and t.tgfoid = 'fraiseql.record_change()'::regprocedure
    loop
        execute format('drop trigger %I on %s', found.tgname, found.relation);
        changed := true;
    end loop;
    if changed then
        perform pg_notify('fraiseqld', 'schema');
    end if;
    return changed;
end
$$;

comment on function fraiseql.untrack_changes(regclass) is 'Has changes of a table noted no longer. False: they are not.';

-- Tables that what a relation says depends on: those that a view reads, those that policies look at, the other tables of
-- an inheritance tree, and what cascade rules add. Of partitioned tables the root stands for all. Materialized views
-- are tables here, since they change when they are refreshed, and so are sequences. What functions read is not known.
create or replace function fraiseql.base_tables(relation regclass) returns oid[]
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    with recursive reached (oid) as (
        select $1::oid
        union
        select n.oid
          from reached r
         cross join lateral (
            select d.refobjid
              from pg_class c
              join pg_rewrite w on w.ev_class = c.oid and w.ev_type = '1'
              join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                              and d.refclassid = 'pg_class'::regclass
             where c.oid = r.oid and c.relkind = 'v'
            union all
            select d.refobjid
              from pg_policy p
              join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid
                              and d.refclassid = 'pg_class'::regclass
             where p.polrelid = r.oid
            union all
            select i.inhrelid
              from pg_inherits i
              join pg_class c on c.oid = i.inhrelid and not c.relispartition
             where i.inhparent = r.oid
            union all
            select i.inhparent
              from pg_inherits i
              join pg_class c on c.oid = i.inhrelid and not c.relispartition
             where i.inhrelid = r.oid
            union all
            select s.relation::oid
              from fraiseql.cache_domains t
              join fraiseql.cascade_rules u on u.target_domain = t.domain
              join fraiseql.cache_domains s on s.domain = u.source_domain
             where t.relation = r.oid) n (oid))
    select coalesce(array_agg(distinct coalesce(pg_partition_root(r.oid)::oid, r.oid)), '{}')
      from reached r
      join pg_class c on c.oid = r.oid
     where c.relkind in ('r', 'p', 'f', 'm', 'S')
$$;

comment on function fraiseql.base_tables(regclass) is 'Tables that what a relation says depends on.';

-- Functions that views and policies call, by operators and aggregates, too. What PostgreSQL itself brings is not among them.
create or replace function fraiseql.functions_below(relation regclass) returns oid[]
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    with recursive reached (oid) as (
        select $1::oid
        union
        select d.refobjid
          from reached r
          join pg_class c on c.oid = r.oid
          left join pg_rewrite w on w.ev_class = c.oid and w.ev_type = '1' and c.relkind = 'v'
          left join pg_policy p on p.polrelid = c.oid
          join pg_depend d on d.refclassid = 'pg_class'::regclass
                          and (d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                               or d.classid = 'pg_policy'::regclass and d.objid = p.oid)),
    called (oid) as (
        select coalesce(o.oprcode::oid, d.refobjid)
          from reached r
          left join pg_rewrite w on w.ev_class = r.oid and w.ev_type = '1'
          left join pg_policy p on p.polrelid = r.oid
          join pg_depend d on d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
                          and (d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                               or d.classid = 'pg_policy'::regclass and d.objid = p.oid)
          left join pg_operator o on d.refclassid = 'pg_operator'::regclass and o.oid = d.refobjid)
    select coalesce(array_agg(distinct f.oid), '{}')
      from (select c.oid from called c
             union
            select p.oid
              from called c
              join pg_aggregate a on a.aggfnoid = c.oid
             cross join unnest(array[a.aggtransfn, a.aggfinalfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]) p (oid)
             where p.oid <> 0) f
$$;

comment on function fraiseql.functions_below(regclass) is 'Functions that views and policies below a relation call.';

-- What its text says; of an aggregate, its name.
create or replace function fraiseql.function_text(function oid) returns text
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(pg_get_function_sqlbody(p.oid), nullif(p.prosrc, 'aggregate_dummy'), p.proname) from pg_proc p where p.oid = $1
$$;

comment on function fraiseql.function_text(oid) is 'The body of a function, in whichever of the two ways it is written.';

-- Those that may read tables and settings. One that is called immutable does not, but for one that is so by mistake: who
-- takes current_setting() for that.
create or replace function fraiseql.opaque_functions(relation regclass) returns oid[]
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(f.oid), '{}')
      from unnest(fraiseql.functions_below($1)) b (oid)
      join pg_proc f on f.oid = b.oid
     where f.provolatile <> 'i' or fraiseql.function_text(f.oid) ~* '\mcurrent_setting\M'
$$;

comment on function fraiseql.opaque_functions(regclass) is
    'Functions that views and policies below a relation call, and that may read other tables.';

-- A text that differs between clusters and databases, for keys: a dump restores answers, too, with transactions of
-- another cluster.
create or replace function fraiseql.cache_identity() returns text
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select s.system_identifier || '/' || d.oid
      from pg_control_system() s, pg_database d
     where d.datname = current_database()
$$;

comment on function fraiseql.cache_identity() is 'Which database this is; a part of every key.';

revoke all on table fraiseql.cache_entries, fraiseql.cache_changes, fraiseql.cache_flights, fraiseql.cache_horizons, fraiseql.cache_domains,
                    fraiseql.cascade_rules, fraiseql.change_triggers, fraiseql.tracked_relations
    from public;
revoke all on function fraiseql.record_change(), fraiseql.tell_change(), fraiseql.tracking_column(regclass, name),
                       fraiseql.track_table(regclass, name), fraiseql.note_change(regclass, text),
                       fraiseql.track_changes(regclass, name), fraiseql.untrack_changes(regclass),
                       fraiseql.base_tables(regclass), fraiseql.functions_below(regclass), fraiseql.function_text(oid),
                       fraiseql.opaque_functions(regclass), fraiseql.cache_identity()
    from public;

do $$
declare
    login name := nullif(pg_catalog.current_setting('fraiseql.grant_to', true), '');
begin
    if login is not null then
        execute pg_catalog.format('grant select, insert, update, delete, truncate on table fraiseql.cache_entries to %I', login);
        execute pg_catalog.format('grant select, insert, update, delete on table fraiseql.cache_flights to %I', login);
        execute pg_catalog.format('grant select, insert, delete on table fraiseql.cache_changes, fraiseql.cache_horizons to %I', login);
        execute pg_catalog.format('grant select on table fraiseql.cache_domains, fraiseql.cascade_rules,
                                                         fraiseql.change_triggers, fraiseql.tracked_relations to %I', login);
        execute pg_catalog.format('grant execute on function fraiseql.note_change(regclass, text), fraiseql.tell_change(),
                                       fraiseql.base_tables(regclass), fraiseql.functions_below(regclass),
                                       fraiseql.function_text(oid), fraiseql.opaque_functions(regclass),
                                       fraiseql.cache_identity() to %I', login);
    end if;
end
$$;
