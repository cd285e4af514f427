-- Persisted queries: documents that clients have sent with their hash, for all daemons of this database.
--
-- The daemon adds rows in batches, and notes now and then which are used. Rows that nobody has used for long are
-- deleted by fraiseql.forget_persisted_queries(), which the daemon calls too.

create table if not exists fraiseql.persisted_queries (
    hash         bytea primary key,
    query        text not null,
    created_at   timestamptz not null default pg_catalog.now(),
    last_used_at timestamptz not null default pg_catalog.now(),
    check (hash = pg_catalog.sha256(pg_catalog.convert_to(query, 'UTF8')))
);

create index if not exists persisted_queries_last_used_at_idx on fraiseql.persisted_queries (last_used_at);

comment on table fraiseql.persisted_queries is 'Documents that clients have registered by their hash.';
comment on column fraiseql.persisted_queries.hash is 'SHA-256 of the document''s text in UTF-8.';
comment on column fraiseql.persisted_queries.query is 'The document.';
comment on column fraiseql.persisted_queries.created_at is 'When a client sent it first.';
comment on column fraiseql.persisted_queries.last_used_at is 'When it was used last, give or take a day.';

create or replace function fraiseql.forget_persisted_queries(unused_for interval, most integer default 10000)
    returns bigint
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    with old as (
        select q.hash
          from fraiseql.persisted_queries q
         where q.last_used_at < pg_catalog.now() - $1
         order by q.last_used_at
         limit $2
           for update skip locked),
    deleted as (
        delete from fraiseql.persisted_queries q
         using old o
         where q.hash = o.hash
        returning 1)
    select pg_catalog.count(*) from deleted
$$;

comment on function fraiseql.forget_persisted_queries(interval, integer) is
    'Deletes documents that were not used for so long, at most so many; returns their number.';

revoke all on table fraiseql.persisted_queries from public;
revoke all on function fraiseql.forget_persisted_queries(interval, integer) from public;

do $$
begin
    if pg_catalog.current_setting('fraiseql.grant_to', true) <> '' then
        execute pg_catalog.format('grant select, insert, update, delete on table fraiseql.persisted_queries to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
        execute pg_catalog.format('grant execute on function fraiseql.forget_persisted_queries(interval, integer) to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
    end if;
end
$$;
