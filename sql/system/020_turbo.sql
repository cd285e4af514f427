-- Registered operations, and how operations are used.
--
-- What is registered every daemon of this database compiles at its start and at every reload
-- (turborouter.warm.from_table), so that the first request of each finds its plan.
--
--     fraiseqld turbo register FILE
--     select fraiseql.register_turbo_query('query Projects { projects { id } }', 'Projects')
--
-- They are documents as clients send them, to the byte; what is here is neither run by itself nor allowed to
-- anybody. A daemon that is running reads the table when it is told to: notify fraiseqld, 'schema'.

create table if not exists fraiseql.turbo_queries (
    hash           bytea not null,
    operation_name text not null default '',
    query          text not null check (query <> ''),
    variables      jsonb check (pg_catalog.jsonb_typeof(variables) = 'object'),
    note           text not null default '',
    created_at     timestamptz not null default pg_catalog.now(),
    primary key (hash, operation_name),
    check (hash = pg_catalog.sha256(pg_catalog.convert_to(query, 'UTF8')))
);

comment on table fraiseql.turbo_queries is 'Operations that are compiled before anybody sends them.';
comment on column fraiseql.turbo_queries.hash is 'SHA-256 of the document''s text in UTF-8.';
comment on column fraiseql.turbo_queries.operation_name is 'Which operation of the document; empty: its only one, which has no name.';
comment on column fraiseql.turbo_queries.query is 'The document.';
comment on column fraiseql.turbo_queries.variables is 'Values of variables as clients send them: they decide which plan is made.';
comment on column fraiseql.turbo_queries.note is 'For people.';
comment on column fraiseql.turbo_queries.created_at is 'When it was registered first.';

create or replace function fraiseql.register_turbo_query(query text, operation_name text default '',
                                                         variables jsonb default null, note text default '')
    returns bytea
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    insert into fraiseql.turbo_queries as q (hash, operation_name, query, variables, note)
    values (pg_catalog.sha256(pg_catalog.convert_to($1, 'UTF8')), $2, $1, $3, $4)
        on conflict (hash, operation_name) do update
           set variables = coalesce(excluded.variables, q.variables),
               note = case excluded.note when '' then q.note else excluded.note end
    returning q.hash
$$;

comment on function fraiseql.register_turbo_query(text, text, jsonb, text) is
    'Registers an operation, or gives one that is other variables or another note; returns its hash.';

create table if not exists fraiseql.turbo_stats (
    hash           bytea not null,
    operation_name text not null,
    hits           bigint not null,
    misses         bigint not null,
    mean_cost_us   double precision,
    last_used_at   timestamptz not null default pg_catalog.now(),
    daemon         text not null,
    primary key (hash, operation_name)
);

create index if not exists turbo_stats_last_used_at_idx on fraiseql.turbo_stats (last_used_at);

comment on table fraiseql.turbo_stats is 'How operations that came more than once were used, of all daemons together.';
comment on column fraiseql.turbo_stats.hash is 'SHA-256 of the document''s text in UTF-8.';
comment on column fraiseql.turbo_stats.operation_name is 'The operation''s name in the document; empty: it has none.';
comment on column fraiseql.turbo_stats.hits is 'Requests whose plan was found.';
comment on column fraiseql.turbo_stats.misses is 'Requests for which one was compiled.';
comment on column fraiseql.turbo_stats.mean_cost_us is 'Time in the database, in microseconds: a mean in which the latest count for an eighth.';
comment on column fraiseql.turbo_stats.last_used_at is 'When it was used last, give or take ten seconds.';
comment on column fraiseql.turbo_stats.daemon is 'Host of the daemon that told so last.';

create or replace view fraiseql.turbo_statistics as
    select coalesce(s.operation_name, q.operation_name) as operation_name,
           pg_catalog.encode(coalesce(s.hash, q.hash), 'hex') as hash,
           coalesce(s.hits, 0) as hits,
           coalesce(s.misses, 0) as misses,
           pg_catalog.round(100.0 * s.hits / nullif(s.hits + s.misses, 0), 2) as hit_rate_pct,
           pg_catalog.round(s.mean_cost_us::numeric, 1) as mean_cost_us,
           s.last_used_at,
           s.daemon,
           q.hash is not null as registered
      from fraiseql.turbo_stats s
      full join fraiseql.turbo_queries q on q.hash = s.hash and q.operation_name = s.operation_name;

comment on view fraiseql.turbo_statistics is 'Operations that were used more than once or are registered, and how often their plans were found.';

revoke all on table fraiseql.turbo_stats, fraiseql.turbo_statistics from public;
revoke all on table fraiseql.turbo_queries from public;
revoke all on function fraiseql.register_turbo_query(text, text, jsonb, text) from public;

do $$
begin
    if pg_catalog.current_setting('fraiseql.grant_to', true) <> '' then
        execute pg_catalog.format('grant select, insert, update, delete on table fraiseql.turbo_queries, fraiseql.turbo_stats to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
        execute pg_catalog.format('grant select on table fraiseql.turbo_statistics to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
        execute pg_catalog.format('grant execute on function fraiseql.register_turbo_query(text, text, jsonb, text) to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
    end if;
end
$$;
