-- Partitions by time: made ahead, so that every row finds one, and dropped when nobody keeps them any longer.
--
-- Tables that are partitioned by range of a date or a time are registered with how long a partition is, how many
-- are made ahead and how many are kept; the daemon (jobs.partitions, jobs.retention) calls for each of them
--
--     select fraiseql.ensure_partitions('fraiseql.otel_traces');
--     select fraiseql.drop_old_partitions('fraiseql.otel_traces');
--
-- and so may whoever wants. Bounds are midnights in UTC. What finds no partition goes to the default one, from
-- which it is moved as soon as its partition is made: select * from fraiseql.partition_status tells of such rows.
-- An administrator changes the numbers by update fraiseql.partitioned_tables set keep = 12 where …; keep = null
-- keeps all.
--
-- The functions run with the rights of who installed them, since only a table's owner may partition it; so they
-- do it to registered tables only, and only the owner registers.

create table if not exists fraiseql.partitioned_tables (
    parent regclass primary key,
    unit   text not null check (unit in ('day', 'week', 'month')),
    ahead  integer not null check (ahead between 0 and 1000),
    keep   integer check (keep between 0 and 100000)
);

comment on table fraiseql.partitioned_tables is 'Tables whose partitions are made and dropped as time goes by.';
comment on column fraiseql.partitioned_tables.parent is 'The table, partitioned by range of one date, timestamp or timestamptz.';
comment on column fraiseql.partitioned_tables.unit is 'How long a partition is; weeks begin on Mondays.';
comment on column fraiseql.partitioned_tables.ahead is 'How many are made ahead of the present one.';
comment on column fraiseql.partitioned_tables.keep is 'A partition is dropped when all of it is older than so many; null: never.';

create or replace function fraiseql.partitions_of(parent regclass)
    returns table (partition regclass, lower_bound timestamptz, upper_bound timestamptz, is_default boolean)
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO'
as $$
    select b.oid::regclass,
           case when b.bound like '%FROM (MINVALUE)%' then '-infinity'
                else pg_catalog.substring(b.bound, 'FROM \(''([^'']*)''\)')::timestamptz end,
           case when b.bound like '%TO (MAXVALUE)%' then 'infinity'
                else pg_catalog.substring(b.bound, 'TO \(''([^'']*)''\)')::timestamptz end,
           b.bound = 'DEFAULT'
      from (select c.oid, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as bound
              from pg_catalog.pg_inherits i
              join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition
             where i.inhparent = $1 and not i.inhdetachpending) b
$$;

comment on function fraiseql.partitions_of(regclass) is 'A table''s partitions by range of time, with their bounds as the catalog has them.';

create or replace function fraiseql.registered_partitions(parent regclass)
    returns fraiseql.partitioned_tables
    language plpgsql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    registered fraiseql.partitioned_tables;
begin
    select t.* into registered from fraiseql.partitioned_tables t where t.parent = $1;
    if not found then
        raise exception 'table "%" is not registered for partitions', $1 using errcode = 'undefined_object',
            hint = 'Its owner calls fraiseql.register_partitions().';
    end if;
    return registered;
end
$$;

comment on function fraiseql.registered_partitions(regclass) is 'How a table is registered; an error if it is not.';

create or replace function fraiseql.create_partition(parent regclass, at timestamptz)
    returns text
    language plpgsql volatile strict parallel unsafe security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO' set lock_timeout = '5s'
as $$
declare
    registered constant fraiseql.partitioned_tables := fraiseql.registered_partitions($1);
    starts       timestamptz := pg_catalog.date_trunc(registered.unit, $2);
    ends         timestamptz := starts + ('1 ' || registered.unit)::interval;
    default_part regclass;
    key          name;
    table_name   name;
    schema_name  name;
    owner_name   name;
    unlogged     boolean;
    part_name    text;
    suffix       text;
    tries        integer := 0;
begin
    if not pg_catalog.isfinite($2) then
        raise exception 'a partition begins at some time' using errcode = 'invalid_parameter_value';
    end if;
    -- Whoever comes second finds what the first has made.
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('fraiseql.partitions', $1::oid::bigint));
    select c.relname into part_name
      from fraiseql.partitions_of($1) p
      join pg_catalog.pg_class c on c.oid = p.partition
     where not p.is_default and p.lower_bound <= $2 and $2 < p.upper_bound;
    if found then
        return part_name;
    end if;

    -- Partitions of another length may leave only a part of it.
    select greatest(starts, pg_catalog.max(p.upper_bound) filter (where p.upper_bound <= $2)),
           least(ends, pg_catalog.min(p.lower_bound) filter (where p.lower_bound > $2))
      into starts, ends
      from fraiseql.partitions_of($1) p
     where not p.is_default;
    select p.partition into default_part from fraiseql.partitions_of($1) p where p.is_default;
    select a.attname, c.relname, n.nspname, pg_catalog.pg_get_userbyid(c.relowner),
           coalesce(d.relpersistence, c.relpersistence) = 'u'
      into strict key, table_name, schema_name, owner_name, unlogged
      from pg_catalog.pg_partitioned_table t
      join pg_catalog.pg_class c on c.oid = t.partrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_attribute a on a.attrelid = t.partrelid and a.attnum = t.partattrs[0]
      left join pg_catalog.pg_class d on d.oid = default_part
     where t.partrelid = $1;

    suffix := pg_catalog.to_char(starts, case registered.unit when 'day' then '"_"YYYY"_"MM"_"DD'
                                                              when 'week' then '"_"IYYY"_w"IW'
                                                              else '"_"YYYY"_"MM' end);
    loop
        part_name := pg_catalog.left(table_name, 63 - pg_catalog.length(suffix)) || suffix;
        exit when pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema_name, part_name)) is null;
        tries := tries + 1;
        suffix := pg_catalog.regexp_replace(suffix, '_x\d+$', '') || '_x' || tries;
    end loop;

    -- Attached, it does not lock the table; only the default partition, which has to prove that it has none of its rows.
    execute pg_catalog.format('create %s table %I.%I (like %s including defaults including constraints including generated'
                              ' including storage including compression)',
                              case when unlogged then 'unlogged' else '' end, schema_name, part_name, $1);
    execute pg_catalog.format('alter table %I.%I owner to %I', schema_name, part_name, owner_name);
    execute pg_catalog.format('lock table only %s in share update exclusive mode', $1);
    if default_part is not null then
        execute pg_catalog.format('lock table only %s in access exclusive mode', default_part);
        perform fraiseql.move_default_rows($1, default_part, pg_catalog.format('%I.%I', schema_name, part_name)::regclass,
                                           key, starts, ends);
    end if;
    execute pg_catalog.format('alter table %s attach partition %I.%I for values from (%L) to (%L)',
                              $1, schema_name, part_name, starts, ends);
    return part_name;
end
$$;

comment on function fraiseql.create_partition(regclass, timestamptz) is
    'Makes the partition that holds a time, unless there is one; returns its name. Rows of it in the default partition are moved.';

create or replace function fraiseql.move_default_rows(parent regclass, source regclass, target regclass, key name,
                                                      starts timestamptz, ends timestamptz)
    returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
    columns   text;
    found_any boolean;
begin
    execute pg_catalog.format('select exists (select from %s where %I >= $1 and %I < $2)', $2, $4, $4)
       into found_any using $5, $6;
    if not found_any then
        return;
    end if;
    if exists (select from pg_catalog.pg_constraint c where c.contype = 'f' and c.confrelid = $1) then
        raise exception 'rows of the default partition "%" cannot be moved: others reference them', $2
            using errcode = 'dependent_objects_still_exist';
    end if;
    select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by a.attnum) into columns
      from pg_catalog.pg_attribute a
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
    execute pg_catalog.format('with moved as (delete from %s where %I >= $1 and %I < $2 returning %s)'
                              ' insert into %s (%s) select %s from moved',
                              $2, $4, $4, columns, $3, columns, columns)
      using $5, $6;
end
$$;

comment on function fraiseql.move_default_rows(regclass, regclass, regclass, name, timestamptz, timestamptz) is
    'Moves rows of a time from the default partition to a table that is about to be attached.';

create or replace function fraiseql.ensure_partitions_until(parent regclass, until timestamptz)
    returns integer
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
    before   bigint;
    at       timestamptz := pg_catalog.now();
begin
    perform fraiseql.registered_partitions($1);
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('fraiseql.partitions', $1::oid::bigint));
    select pg_catalog.count(*) into before from fraiseql.partitions_of($1);
    while at <= $2 loop
        perform fraiseql.create_partition($1, at);
        select p.upper_bound into strict at
          from fraiseql.partitions_of($1) p
         where not p.is_default and p.lower_bound <= at and at < p.upper_bound;
    end loop;
    return (select pg_catalog.count(*) - before from fraiseql.partitions_of($1));
end
$$;

comment on function fraiseql.ensure_partitions_until(regclass, timestamptz) is
    'Makes the partitions that are missing from now to a time; returns how many.';

create or replace function fraiseql.ensure_partitions(parent regclass, ahead integer default null)
    returns integer
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
    registered constant fraiseql.partitioned_tables := fraiseql.registered_partitions($1);
    units      constant integer := coalesce($2, registered.ahead);
begin
    if units < 0 then
        raise exception 'partitions are made ahead, not for the past' using errcode = 'invalid_parameter_value',
            hint = 'fraiseql.create_partition() makes any.';
    end if;
    return fraiseql.ensure_partitions_until($1, pg_catalog.now() + units * ('1 ' || registered.unit)::interval);
end
$$;

comment on function fraiseql.ensure_partitions(regclass, integer) is
    'Makes the present partition and so many ahead (null: as registered), where they are missing; returns how many.';

create or replace function fraiseql.drop_partitions_before(parent regclass, before timestamptz)
    returns integer
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s'
as $$
declare
    old     regclass;
    dropped integer := 0;
begin
    perform fraiseql.registered_partitions($1);
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('fraiseql.partitions', $1::oid::bigint));
    for old in
        select p.partition
          from fraiseql.partitions_of($1) p
         where not p.is_default and p.upper_bound <= least($2, pg_catalog.now())
         order by p.upper_bound
    loop
        begin
            execute pg_catalog.format('alter table %s detach partition %s', $1, old);
            execute pg_catalog.format('drop table %s', old);
            dropped := dropped + 1;
        exception
            when lock_not_available then
                raise warning 'could not drop partition "%": others use the table', old;
                exit;
        end;
    end loop;
    return dropped;
end
$$;

comment on function fraiseql.drop_partitions_before(regclass, timestamptz) is
    'Drops the partitions that end by a time, never the default one nor the present; returns how many. Warns of those that are in use.';

create or replace function fraiseql.drop_old_partitions(parent regclass, keep integer default null)
    returns integer
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
    registered constant fraiseql.partitioned_tables := fraiseql.registered_partitions($1);
    units      constant integer := coalesce($2, registered.keep);
begin
    if units < 0 then
        raise exception 'what lies ahead is not old' using errcode = 'invalid_parameter_value';
    elsif units is null then
        return 0;
    end if;
    return fraiseql.drop_partitions_before($1, pg_catalog.now() - units * ('1 ' || registered.unit)::interval);
end
$$;

comment on function fraiseql.drop_old_partitions(regclass, integer) is
    'Drops the partitions all of which is older than so many units (null: as registered); returns how many.';

create or replace function fraiseql.register_partitions(parent regclass, unit text, ahead integer, keep integer)
    returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    schema_name  name;
    table_name   name;
    unlogged     boolean;
begin
    select n.nspname, c.relname, c.relpersistence = 'u'
      into schema_name, table_name, unlogged
      from pg_catalog.pg_partitioned_table t
      join pg_catalog.pg_class c on c.oid = t.partrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_attribute a on a.attrelid = t.partrelid and a.attnum = t.partattrs[0]
     where t.partrelid = $1 and t.partstrat = 'r' and t.partnatts = 1
       and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype);
    if not found then
        raise exception 'table "%" is not partitioned by range of one date or time', $1 using errcode = 'wrong_object_type';
    end if;
    delete from fraiseql.partitioned_tables t
     where not exists (select from pg_catalog.pg_class c where c.oid = t.parent);
    insert into fraiseql.partitioned_tables (parent, unit, ahead, keep) values ($1, $2, $3, $4)
        on conflict do nothing;
    if not exists (select from fraiseql.partitions_of($1) p where p.is_default) then
        execute pg_catalog.format('create %s table %I.%I partition of %s default', case when unlogged then 'unlogged' else '' end,
                                  schema_name, pg_catalog.left(table_name, 55) || '_default', $1);
    end if;
    perform fraiseql.ensure_partitions($1);
end
$$;

comment on function fraiseql.register_partitions(regclass, text, integer, integer) is
    'Registers a table and makes its default partition and those ahead. One that is registered keeps its numbers.';

-- What there is.

create or replace function fraiseql.default_partition_rows()
    returns table (parent regclass, partition regclass, row_count bigint)
    language plpgsql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    for parent, partition in
        select t.parent, p.partition
          from fraiseql.partitioned_tables t
          join pg_catalog.pg_class c on c.oid = t.parent,
               fraiseql.partitions_of(t.parent) p
         where p.is_default
    loop
        execute pg_catalog.format('select count(*) from (select from %s limit 100000) r', partition) into row_count;
        return next;
    end loop;
end
$$;

comment on function fraiseql.default_partition_rows() is
    'Rows in default partitions, counted to 100,000: there should be none.';

create or replace view fraiseql.partition_stats as
    select t.parent,
           p.partition,
           p.lower_bound,
           p.upper_bound,
           p.is_default,
           coalesce(nullif(pg_catalog.pg_stat_get_live_tuples(c.oid), 0), greatest(c.reltuples, 0)::bigint) as rows_estimate,
           pg_catalog.pg_total_relation_size(c.oid) as bytes,
           pg_catalog.pg_indexes_size(c.oid) as index_bytes
      from fraiseql.partitioned_tables t,
           fraiseql.partitions_of(t.parent) p
      join pg_catalog.pg_class c on c.oid = p.partition;

comment on view fraiseql.partition_stats is 'Partitions of registered tables: bounds, about how many rows, bytes with indexes.';

create or replace view fraiseql.partition_status as
    select t.parent,
           t.unit,
           t.ahead,
           t.keep,
           s.partitions,
           s.oldest,
           s.covered_until,
           s.ahead_now,
           coalesce(d.row_count, 0) as default_rows
      from fraiseql.partitioned_tables t
      join pg_catalog.pg_class c on c.oid = t.parent
      left join fraiseql.default_partition_rows() d on d.parent = t.parent,
           lateral (select pg_catalog.count(*) filter (where not p.is_default) as partitions,
                           pg_catalog.min(p.lower_bound) as oldest,
                           pg_catalog.max(p.upper_bound) as covered_until,
                           pg_catalog.count(*) filter (where p.lower_bound > pg_catalog.now()) as ahead_now
                      from fraiseql.partitions_of(t.parent) p) s;

comment on view fraiseql.partition_status is
    'Registered tables, how many partitions lie ahead, and how many rows found none: ahead_now of 0 and default_rows call for somebody.';

create or replace function fraiseql.get_partition_stats()
    returns table (table_name text, partition_name text, row_count bigint, total_size text, index_size text,
                   lower_bound timestamptz, upper_bound timestamptz, total_bytes bigint)
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select t.relname, c.relname, s.rows_estimate, pg_catalog.pg_size_pretty(s.bytes),
           pg_catalog.pg_size_pretty(s.index_bytes), s.lower_bound, s.upper_bound, s.bytes
      from fraiseql.partition_stats s
      join pg_catalog.pg_class t on t.oid = s.parent
      join pg_catalog.pg_class c on c.oid = s.partition
     order by t.relname, s.is_default, s.lower_bound
$$;

comment on function fraiseql.get_partition_stats() is 'Partitions of registered tables, for people.';

revoke all on table fraiseql.partitioned_tables, fraiseql.partition_stats, fraiseql.partition_status from public;
revoke all on function fraiseql.partitions_of(regclass), fraiseql.registered_partitions(regclass),
                       fraiseql.create_partition(regclass, timestamptz),
                       fraiseql.move_default_rows(regclass, regclass, regclass, name, timestamptz, timestamptz),
                       fraiseql.ensure_partitions_until(regclass, timestamptz),
                       fraiseql.ensure_partitions(regclass, integer),
                       fraiseql.drop_partitions_before(regclass, timestamptz),
                       fraiseql.drop_old_partitions(regclass, integer),
                       fraiseql.register_partitions(regclass, text, integer, integer),
                       fraiseql.default_partition_rows(), fraiseql.get_partition_stats()
    from public;

do $$
begin
    if pg_catalog.current_setting('fraiseql.grant_to', true) <> '' then
        execute pg_catalog.format('grant select on table fraiseql.partitioned_tables, fraiseql.partition_stats,
                                                         fraiseql.partition_status to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
        execute pg_catalog.format(
            'grant execute on function fraiseql.partitions_of(regclass), fraiseql.registered_partitions(regclass),
                                       fraiseql.create_partition(regclass, timestamptz),
                                       fraiseql.ensure_partitions_until(regclass, timestamptz),
                                       fraiseql.ensure_partitions(regclass, integer),
                                       fraiseql.drop_partitions_before(regclass, timestamptz),
                                       fraiseql.drop_old_partitions(regclass, integer),
                                       fraiseql.default_partition_rows(), fraiseql.get_partition_stats()
             to %I', pg_catalog.current_setting('fraiseql.grant_to'));
    end if;
end
$$;

-- For each of the daemon's own tables the same functions by the table's name: with a time or a day (of UTC), and with
-- numbers of the unit that the name is about, whatever the length of the partitions; null: as registered. The table is
-- looked up when they are called.

create or replace function fraiseql.partitioned_table(name text)
    returns regclass
    language plpgsql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    if pg_catalog.to_regclass($1) is null then
        raise exception 'table "%" does not exist', $1 using errcode = 'undefined_table', hint = 'Run fraiseqld db install.';
    end if;
    return pg_catalog.to_regclass($1);
end
$$;

revoke all on function fraiseql.partitioned_table(text) from public;

do $$
declare
    grant_to constant text := pg_catalog.current_setting('fraiseql.grant_to', true);
    options  constant text := 'language sql volatile parallel unsafe security invoker '
                              'set search_path = pg_catalog, pg_temp set timezone = ''UTC''';
    t        record;
    f        record;
begin
    for t in
        select *
          from (values ('error_occurrence', 'fraiseql.tb_error_occurrence', 'month'),
                       ('error_notification_log', 'fraiseql.tb_error_notification_log', 'month'),
                       ('otel_traces', 'fraiseql.otel_traces', 'day'),
                       ('otel_metrics', 'fraiseql.otel_metrics', 'day'),
                       ('cache_access_log', 'fraiseql.cache_access_log', 'day')) v (name, parent, unit)
    loop
        for f in
            select *
              from (values ('create_%s_partition', 'at timestamptz', 'timestamptz', 'text',
                            'fraiseql.create_partition(%s, $1)'),
                           ('create_%s_partition', 'at date', 'date', 'text',
                            'fraiseql.create_partition(%s, $1::timestamp at time zone ''UTC'')'),
                           ('ensure_%s_partitions', '%ss integer default null', 'integer', 'integer',
                            'case when $1 is null then fraiseql.ensure_partitions(%1$s)
                                  else fraiseql.ensure_partitions_until(%1$s, now() + $1 * interval ''1 %2$s'') end'),
                           ('drop_old_%s_partitions', '%ss integer default null', 'integer', 'integer',
                            'case when $1 is null then fraiseql.drop_old_partitions(%1$s)
                                  else fraiseql.drop_partitions_before(%1$s, now() - $1 * interval ''1 %2$s'') end'))
                   v (name, arguments, types, result, body)
        loop
            execute pg_catalog.format('create or replace function fraiseql.%I(%s) returns %s %s as %L',
                                      pg_catalog.format(f.name, t.name), pg_catalog.format(f.arguments, t.unit), f.result, options,
                                      'select ' || pg_catalog.format(f.body, pg_catalog.format('fraiseql.partitioned_table(%L)',
                                                                                               t.parent), t.unit));
            execute pg_catalog.format('revoke all on function fraiseql.%I(%s) from public', pg_catalog.format(f.name, t.name),
                                      f.types);
            if grant_to <> '' then
                execute pg_catalog.format('grant execute on function fraiseql.%I(%s), fraiseql.partitioned_table(text) to %I',
                                          pg_catalog.format(f.name, t.name), f.types, grant_to);
            end if;
        end loop;
    end loop;

    -- A table of a file before this one.
    if exists (select from pg_catalog.pg_partitioned_table p
                where p.partrelid = pg_catalog.to_regclass('fraiseql.cache_access_log')) then
        perform fraiseql.register_partitions('fraiseql.cache_access_log', 'day', 3, 3);
    end if;
end
$$;
