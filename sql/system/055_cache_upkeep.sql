-- The result cache's figures, and what keeps it small.
--
--     select key, hit_count, miss_count, hit_rate_pct from fraiseql.cache_stats order by miss_count desc;
--     select * from fraiseql.cache_advice;
--     select * from fraiseql.clean_cache();
--     select fraiseql.trim_cache(5 * 1024 * 1024 * 1024::bigint);

-- Figures -------------------------------------------------------------------------------------------------------

create table if not exists fraiseql.cache_stats (
    key          text primary key check (key ~ '#[0-9a-f]{8}$'),
    operation    text not null default '',
    tenant       text,
    hit_count    bigint not null default 0,
    miss_count   bigint not null default 0,
    stale_count  bigint not null default 0,
    bypass_count bigint not null default 0,
    store_count  bigint not null default 0,
    bytes        bigint not null default 0,
    hit_us       bigint not null default 0,
    miss_us      bigint not null default 0,
    ttl_s        integer,
    updated_at   timestamptz not null default pg_catalog.now(),
    hit_rate_pct numeric generated always as
        (pg_catalog.round(hit_count::numeric / nullif(hit_count + miss_count, 0) * 100, 2)) stored
) with (fillfactor = 70);

comment on table fraiseql.cache_stats is 'How the result cache serves each operation, of all daemons together.';
comment on column fraiseql.cache_stats.key is 'The operation''s name, # and eight digits of its document''s hash.';
comment on column fraiseql.cache_stats.operation is 'The operation''s name; empty: it has none.';
comment on column fraiseql.cache_stats.tenant is 'Whose requests these are, where that is told apart.';
comment on column fraiseql.cache_stats.hit_count is 'Requests answered from the cache.';
comment on column fraiseql.cache_stats.miss_count is 'Requests for which nothing was there that held.';
comment on column fraiseql.cache_stats.stale_count is 'Those of hit_count whose answer had expired already.';
comment on column fraiseql.cache_stats.bypass_count is 'Requests that did not ask the cache.';
comment on column fraiseql.cache_stats.store_count is 'Answers put into the cache.';
comment on column fraiseql.cache_stats.bytes is 'Length of the answers put into the cache, in sum.';
comment on column fraiseql.cache_stats.hit_us is 'Time that hits took, in sum, in microseconds.';
comment on column fraiseql.cache_stats.miss_us is 'Time that misses took, in sum, in microseconds.';
comment on column fraiseql.cache_stats.ttl_s is 'How long its answers are fresh, as told last, in seconds.';
comment on column fraiseql.cache_stats.updated_at is 'When a daemon told so last.';
comment on column fraiseql.cache_stats.hit_rate_pct is 'hit_count of both in percent; null: there were none.';

-- Rows are taken in the order of their keys, so that daemons wait for each other and do not lock each other up.
create or replace function fraiseql.cache_stats_add(deltas jsonb) returns void
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    insert into fraiseql.cache_stats as s (key, operation, tenant, hit_count, miss_count, stale_count, bypass_count,
                                           store_count, bytes, hit_us, miss_us, ttl_s)
    select d.key, coalesce(max(d.operation), ''), max(d.tenant), coalesce(sum(d.hit_count), 0),
           coalesce(sum(d.miss_count), 0), coalesce(sum(d.stale_count), 0), coalesce(sum(d.bypass_count), 0),
           coalesce(sum(d.store_count), 0), coalesce(sum(d.bytes), 0), coalesce(sum(d.hit_us), 0),
           coalesce(sum(d.miss_us), 0), max(d.ttl_s)
      from jsonb_to_recordset($1)
               d (key text, operation text, tenant text, hit_count bigint, miss_count bigint, stale_count bigint,
                  bypass_count bigint, store_count bigint, bytes bigint, hit_us bigint, miss_us bigint, ttl_s integer)
     group by d.key
     order by d.key
        on conflict (key) do update
           set operation = excluded.operation,
               tenant = coalesce(excluded.tenant, s.tenant),
               hit_count = s.hit_count + excluded.hit_count,
               miss_count = s.miss_count + excluded.miss_count,
               stale_count = s.stale_count + excluded.stale_count,
               bypass_count = s.bypass_count + excluded.bypass_count,
               store_count = s.store_count + excluded.store_count,
               bytes = s.bytes + excluded.bytes,
               hit_us = s.hit_us + excluded.hit_us,
               miss_us = s.miss_us + excluded.miss_us,
               ttl_s = coalesce(excluded.ttl_s, s.ttl_s),
               updated_at = pg_catalog.now()
$$;

comment on function fraiseql.cache_stats_add(jsonb) is
    'Adds figures: an array of objects whose members are named as the columns of cache_stats; key is required.';

create or replace function fraiseql.cache_hits_add(hits jsonb) returns bigint
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    with told as (
        select h.key::uuid as key, h.value::bigint as n from jsonb_each_text($1) h),
    free as (
        select e.key from fraiseql.cache_entries e where e.key in (select t.key from told t) for update skip locked),
    added as (
        update fraiseql.cache_entries e
           set hits = e.hits + t.n
          from told t join free f using (key)
         where e.key = t.key
        returning 1)
    select count(*) from added
$$;

comment on function fraiseql.cache_hits_add(jsonb) is
    'Adds to entries'' hits, from an object of key and number; entries in use are passed over. Returns how many.';

create table if not exists fraiseql.cache_access_log (
    at          timestamptz not null default pg_catalog.clock_timestamp(),
    key         text not null,
    operation   text not null default '',
    tenant      text not null default '',
    outcome     text not null check (outcome in ('hit', 'miss', 'stale', 'bypass', 'store')),
    age_ms      bigint,
    duration_us bigint,
    trace_id    text,
    status      text generated always as (case outcome when 'stale' then 'hit' else outcome end) stored,
    accessed_at timestamptz generated always as (at) stored
) partition by range (at);

create table if not exists fraiseql.cache_access_log_default partition of fraiseql.cache_access_log default;
create index if not exists cache_access_log_at_idx on fraiseql.cache_access_log using brin (at);
create index if not exists cache_access_log_accessed_at_idx on fraiseql.cache_access_log using brin (accessed_at);

comment on table fraiseql.cache_access_log is 'Requests and the result cache, where that is logged, by day.';
comment on column fraiseql.cache_access_log.at is 'When; partitions are by it.';
comment on column fraiseql.cache_access_log.key is 'As in cache_stats.';
comment on column fraiseql.cache_access_log.outcome is 'What became of it; store: an answer was kept that no request waited for.';
comment on column fraiseql.cache_access_log.age_ms is 'How old the answer was that was sent.';
comment on column fraiseql.cache_access_log.duration_us is 'How long the request took.';
comment on column fraiseql.cache_access_log.trace_id is 'Of the request''s trace.';
comment on column fraiseql.cache_access_log.status is 'The outcome; an answer that had expired is a hit as well.';
comment on column fraiseql.cache_access_log.accessed_at is 'The same as at.';

-- If requests of an entry come at random, a share of lambda * ttl / (1 + lambda * ttl) of them are hits; from the share there
-- is follows what share another TTL would give, unless changes end the answers before.
create or replace view fraiseql.cache_advice as
    select s.key, s.operation, s.hit_count + s.miss_count as requests, s.hit_rate_pct, s.ttl_s,
           case when s.hit_count > 0
                then least(86400, pg_catalog.ceil(s.ttl_s * 7.0 / 3 * s.miss_count / s.hit_count))::integer
           end as suggested_ttl_s,
           70.00 as expected_hit_rate_pct,
           pg_catalog.round(s.miss_us / nullif(s.miss_count, 0)::numeric / 1000, 3) as miss_ms,
           pg_catalog.round(s.hit_us / nullif(s.hit_count, 0)::numeric / 1000, 3) as hit_ms,
           case when s.hit_count = 0 then 'nothing is asked twice within its TTL: cache it much longer, or not at all'
                when s.hit_us * s.miss_count >= s.miss_us * s.hit_count then 'hits are no faster than misses: do not cache it'
                when s.ttl_s is null then 'its TTL is not known'
                when s.ttl_s * 7.0 / 3 * s.miss_count / s.hit_count > 86400 then 'no TTL below a day would help'
                else 'raise its TTL'
           end as advice
      from fraiseql.cache_stats s
     where s.hit_count + s.miss_count >= 100
       and s.hit_rate_pct < 60
     order by s.miss_us desc;

comment on view fraiseql.cache_advice is
    'Operations whose answers are found in less than 60 % of 100 requests or more, and the TTL that would give 70 %.';

-- Cleaning ------------------------------------------------------------------------------------------------------------

-- No answer is kept for longer than a week (sql/cache_store.sql), nor stored an hour after its snapshot was taken.
create or replace function fraiseql.prune_cache_changes() returns bigint
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    long_ago pg_snapshot;
    before pg_snapshot;
    pruned bigint;
    superseded bigint;
begin
    select h.snapshot into long_ago from fraiseql.cache_horizons h
     where h.sampled_at < clock_timestamp() - interval '7 days 1 hour' order by h.sampled_at desc limit 1;
    select h.snapshot into before from fraiseql.cache_horizons h order by h.sampled_at desc limit 1;

    -- What every answer that is there has seen.
    delete from fraiseql.cache_changes c where c.xid < pg_snapshot_xmin(long_ago);
    get diagnostics pruned = row_count;

    -- A transaction that had ended before a snapshot, where another one made the same change and began after it: an answer
    -- that has not seen the first cannot have seen the second, which therefore says enough.
    with latest as (
        select c.relation, c.tenant, max(c.xid) as xid
          from fraiseql.cache_changes c
         group by c.relation, c.tenant
        having max(c.xid) >= pg_snapshot_xmax(before) and count(*) > 1)
    delete from fraiseql.cache_changes c
     using latest l
     where c.relation = l.relation and c.tenant = l.tenant and c.xid < pg_snapshot_xmin(before);
    get diagnostics superseded = row_count;

    insert into fraiseql.cache_horizons (snapshot) values (pg_current_snapshot()) on conflict do nothing;
    -- One an hour is enough of those that are for later.
    delete from fraiseql.cache_horizons h
     where h.sampled_at < clock_timestamp() - interval '10 minutes'
       and exists (select from fraiseql.cache_horizons o
                    where o.sampled_at < h.sampled_at and date_trunc('hour', o.sampled_at) = date_trunc('hour', h.sampled_at));
    delete from fraiseql.cache_horizons h
     where h.sampled_at < (select max(o.sampled_at) from fraiseql.cache_horizons o
                            where o.sampled_at < clock_timestamp() - interval '7 days 1 hour');
    return pruned + superseded;
end
$$;

comment on function fraiseql.prune_cache_changes() is 'Deletes notes of changes that no answer depends on; returns their number.';

create or replace function fraiseql.clean_cache(batch integer default 5000, out entries bigint, out changes bigint)
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    with expired as (
        select e.key
          from fraiseql.cache_entries e
         where e.stale_until <= now()
         order by e.stale_until
         limit $1
           for update skip locked)
    delete from fraiseql.cache_entries e using expired x where e.key = x.key;
    get diagnostics entries = row_count;
    -- Of daemons that were killed.
    delete from fraiseql.cache_flights f where f.until < now() - interval '1 minute';

    changes := 0;
    if pg_try_advisory_xact_lock(hashtextextended('fraiseql.prune_cache_changes', 0))
       and not exists (select from fraiseql.cache_horizons h where h.sampled_at > clock_timestamp() - interval '1 minute') then
        changes := fraiseql.prune_cache_changes();
    end if;
end
$$;

comment on function fraiseql.clean_cache(integer) is
    'Deletes answers that have expired, at most so many, and once a minute notes of changes; returns both numbers.';

create or replace function fraiseql.purge_cache(operation text default null, tenant text default null,
                                                relation regclass default null, key uuid default null) returns bigint
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    tables oid[] := (select case c.relkind when 'v' then fraiseql.base_tables($3) else array[coalesce(pg_partition_root($3)::oid, $3::oid)] end
                       from pg_class c where c.oid = $3);
    purged bigint;
begin
    if $1 is null and $2 is null and $3 is null and $4 is null then
        select count(*) into purged from fraiseql.cache_entries;
        perform fraiseql.tell_change();
        truncate fraiseql.cache_entries;
        return purged;
    end if;
    delete from fraiseql.cache_entries e
     where ($1 is null or e.operation = $1 or starts_with(e.operation, $1 || '#'))
       and ($2 is null or e.tenant = $2)
       and (tables is null or e.relations && tables)
       and ($4 is null or e.key = $4);
    get diagnostics purged = row_count;
    perform fraiseql.tell_change();
    return purged;
end
$$;

comment on function fraiseql.purge_cache(text, text, regclass, uuid) is
    'Deletes answers: of an operation, of a tenant, from a relation, or one; what is null does not matter. Returns their number.';

create or replace function fraiseql.trim_cache(max_bytes bigint) returns bigint
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    -- A page of a table has room for some; what is free in it counts as used until autovacuum has been there.
    pages bigint := pg_relation_size('fraiseql.cache_entries') / 8192;
    percent float8 := least(100, 100.0 * 2000 / greatest(pages, 1));
    total bigint;
    row_bytes float8;
    live float8;
    surplus bigint;
    trimmed bigint;
begin
    select count(*), avg(pg_column_size(e.value) + 180) into live, row_bytes
      from fraiseql.cache_entries e tablesample system (percent);
    live := live * 100 / percent;
    total := live * row_bytes;
    if total is null or total <= $1 then
        return 0;
    end if;
    surplus := ceil((total - $1) / row_bytes);
    with oldest as (
        select e.key
          from fraiseql.cache_entries e
         order by e.stale_until
         limit surplus
           for update skip locked)
    delete from fraiseql.cache_entries e using oldest o where e.key = o.key;
    get diagnostics trimmed = row_count;
    return trimmed;
end
$$;

comment on function fraiseql.trim_cache(bigint) is
    'Deletes answers that would expire soonest until what is left takes no more bytes; returns their number.';

-- As FraiseQL has it -----------------------------------------------------------------------------------------------

create or replace function fraiseql.setup_table_invalidation(relation regclass, domain text default null,
                                                             tenant_column name default 'tenant_id') returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    root regclass := coalesce(pg_partition_root($1), $1);
    col name := (select a.attname from pg_attribute a where a.attrelid = root and a.attname = $3 and not a.attisdropped);
begin
    perform fraiseql.track_changes(root, col);
    insert into fraiseql.cache_domains (relation, domain, tenant_column)
    values (root, coalesce($2, (select regexp_replace(c.relname, '^tb_', '') from pg_class c where c.oid = root)), col)
        on conflict on constraint cache_domains_pkey do update
           set domain = excluded.domain, tenant_column = excluded.tenant_column;
    perform pg_notify('fraiseqld', 'schema');
end
$$;

comment on function fraiseql.setup_table_invalidation(regclass, text, name) is
    'Has changes of a table noted, and names it for cascade rules; without a name, as the table is named, less "tb_".';

create or replace view fraiseql.domain_version as
    select c.tenant as tenant_id, d.domain, max(c.xid::text::bigint) as version
      from fraiseql.cache_domains d
      join fraiseql.cache_changes c on c.relation = d.relation
     group by c.tenant, d.domain;

comment on view fraiseql.domain_version is
    'The last transaction that changed a domain''s tables, by tenant; none: not within a week.';

revoke all on table fraiseql.cache_stats, fraiseql.cache_access_log, fraiseql.cache_access_log_default,
                    fraiseql.cache_advice, fraiseql.domain_version
    from public;
revoke all on function fraiseql.cache_stats_add(jsonb), fraiseql.cache_hits_add(jsonb), fraiseql.prune_cache_changes(),
                       fraiseql.clean_cache(integer), fraiseql.purge_cache(text, text, regclass, uuid),
                       fraiseql.trim_cache(bigint), fraiseql.setup_table_invalidation(regclass, text, name)
    from public;

do $$
declare
    login name := nullif(pg_catalog.current_setting('fraiseql.grant_to', true), '');
begin
    if login is not null then
        execute pg_catalog.format('grant select, insert, update, delete on table fraiseql.cache_stats to %I', login);
        execute pg_catalog.format('grant select, insert on table fraiseql.cache_access_log to %I', login);
        execute pg_catalog.format('grant select on table fraiseql.cache_advice, fraiseql.domain_version to %I', login);
        execute pg_catalog.format('grant execute on function fraiseql.cache_stats_add(jsonb), fraiseql.cache_hits_add(jsonb),
                                       fraiseql.prune_cache_changes(), fraiseql.clean_cache(integer),
                                       fraiseql.purge_cache(text, text, regclass, uuid), fraiseql.trim_cache(bigint)
                                   to %I', login);
    end if;
end
$$;
