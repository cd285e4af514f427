-- Idempotency keys: a mutation that comes again with its key is answered as it was the first time, and
-- not made again.
--
-- Keys that have expired are taken over when they come again; what else is left of them is deleted by
--
--     select fraiseql.forget_idempotency_keys()
--
-- to be called every now and then, by the owner.
--
-- Nobody but the owner has any privilege on the table. Who may call the functions has to know the digest of
-- who asks (tenant, subject and role), so that nobody gets another's answer; and there is no list of them.

create table if not exists fraiseql.idempotency_key (
    scope      text not null check (scope ~ '^[0-9a-f]{64}$'),
    key        text not null check (pg_catalog.octet_length(key) between 1 and 255),
    request    text not null check (request ~ '^[0-9a-f]{64}$'),
    response   text,
    created_at timestamptz not null default pg_catalog.now(),
    expires_at timestamptz not null,
    primary key (scope, key)
);

create index if not exists idempotency_key_expires_at_idx on fraiseql.idempotency_key (expires_at);

comment on table fraiseql.idempotency_key is 'Answers to mutations that came with an idempotency key.';
comment on column fraiseql.idempotency_key.scope is 'Digest of who asked: tenant, subject and role.';
comment on column fraiseql.idempotency_key.key is 'The key, as it was sent.';
comment on column fraiseql.idempotency_key.request is 'Digest of what was asked: the document, the operation''s name, the variables.';
comment on column fraiseql.idempotency_key.response is 'The answer; null only within the transaction that makes it.';
comment on column fraiseql.idempotency_key.created_at is 'When it was asked.';
comment on column fraiseql.idempotency_key.expires_at is 'When the key may be used for something else.';

create or replace function fraiseql.claim_idempotency_key(scope text, key text, request text, ttl interval)
    returns boolean
    language sql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
    with claimed as (
        insert into fraiseql.idempotency_key as k (scope, key, request, expires_at)
        values ($1, $2, $3, pg_catalog.now() + $4)
            on conflict (scope, key)
            do update set request = excluded.request,
                          response = null,
                          created_at = excluded.created_at,
                          expires_at = excluded.expires_at
                    where k.expires_at <= pg_catalog.now()
        returning 1)
    select exists (select from claimed)
$$;

comment on function fraiseql.claim_idempotency_key(text, text, text, interval) is
    'Takes a key that is free or expired; false: it is used. Waits for a transaction that has just taken it.';

create or replace function fraiseql.store_idempotent_response(scope text, key text, response text)
    returns void
    language sql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
    update fraiseql.idempotency_key k
       set response = $3
     where k.scope = $1 and k.key = $2 and k.response is null
$$;

comment on function fraiseql.store_idempotent_response(text, text, text) is
    'Keeps the answer, in the transaction that claimed the key.';

create or replace function fraiseql.idempotent_response(scope text, key text)
    returns table (request text, response text)
    language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
as $$
    select k.request, k.response
      from fraiseql.idempotency_key k
     where k.scope = $1 and k.key = $2 and k.expires_at > pg_catalog.now()
$$;

comment on function fraiseql.idempotent_response(text, text) is 'What was asked with a key, and answered.';

create or replace function fraiseql.forget_idempotency_keys(most integer default 10000)
    returns bigint
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    with expired as (
        select k.scope, k.key
          from fraiseql.idempotency_key k
         where k.expires_at <= pg_catalog.now()
         order by k.expires_at
         limit $1
           for update skip locked),
    deleted as (
        delete from fraiseql.idempotency_key k
         using expired e
         where k.scope = e.scope and k.key = e.key
        returning 1)
    select pg_catalog.count(*) from deleted
$$;

comment on function fraiseql.forget_idempotency_keys(integer) is
    'Deletes keys that have expired, at most so many; returns their number.';

revoke all on table fraiseql.idempotency_key from public;
revoke all on function fraiseql.claim_idempotency_key(text, text, text, interval),
                       fraiseql.store_idempotent_response(text, text, text),
                       fraiseql.idempotent_response(text, text),
                       fraiseql.forget_idempotency_keys(integer)
    from public;

-- They are called in the transaction of the mutation, so by the role that it runs as.
do $$
declare
    role_name name;
begin
    foreach role_name in array pg_catalog.current_setting('fraiseql.request_roles')::name[] loop
        execute pg_catalog.format('grant usage on schema fraiseql to %I', role_name);
        execute pg_catalog.format(
            'grant execute on function fraiseql.claim_idempotency_key(text, text, text, interval),
                                       fraiseql.store_idempotent_response(text, text, text),
                                       fraiseql.idempotent_response(text, text)
             to %I', role_name);
    end loop;
end
$$;
