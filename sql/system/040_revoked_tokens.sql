-- Revoked tokens: which the daemons refuse from now on (auth.revocation.enabled), though they have not expired.
--
--     select fraiseql.revoke_token('jti of the token', expires_at => '2027-01-01');
--     select fraiseql.revoke_subject('sub of a user');
--
-- The functions notify the channel fraiseqld, upon which daemons read the tables again; so does whoever
-- changes them otherwise: notify fraiseqld, 'revoked'. Rows are of no use once the tokens have expired by
-- themselves: fraiseql.forget_revoked_tokens() deletes those.

create table if not exists fraiseql.revoked_tokens (
    jti        text primary key check (jti <> ''),
    revoked_at timestamptz not null default pg_catalog.now(),
    expires_at timestamptz not null
);

create table if not exists fraiseql.revoked_subjects (
    subject    text primary key check (subject <> ''),
    revoked_at timestamptz not null default pg_catalog.now(),
    expires_at timestamptz not null
);

comment on table fraiseql.revoked_tokens is 'Tokens that are refused.';
comment on column fraiseql.revoked_tokens.jti is 'The token''s claim jti.';
comment on column fraiseql.revoked_tokens.revoked_at is 'When that was said.';
comment on column fraiseql.revoked_tokens.expires_at is 'When the token expires by itself.';
comment on table fraiseql.revoked_subjects is 'Whose tokens are refused, if they were issued by then.';
comment on column fraiseql.revoked_subjects.subject is 'The tokens'' claim sub.';
comment on column fraiseql.revoked_subjects.revoked_at is 'Tokens issued up to this second (iat) are refused, and those that do not tell.';
comment on column fraiseql.revoked_subjects.expires_at is 'When all of them have expired by themselves.';

create or replace function fraiseql.revoke_token(jti text,
                                                 expires_at timestamptz default pg_catalog.now() + interval '30 days')
    returns void
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    insert into fraiseql.revoked_tokens as t (jti, expires_at) values ($1, $2)
        on conflict (jti) do update set expires_at = greatest(t.expires_at, excluded.expires_at);
    select pg_catalog.pg_notify('fraiseqld', 'revoked')
$$;

create or replace function fraiseql.revoke_subject(subject text, tokens_last interval default interval '30 days')
    returns void
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    insert into fraiseql.revoked_subjects as s (subject, expires_at) values ($1, pg_catalog.now() + $2)
        on conflict (subject) do update
           set revoked_at = pg_catalog.now(), expires_at = greatest(s.expires_at, excluded.expires_at);
    select pg_catalog.pg_notify('fraiseqld', 'revoked')
$$;

create or replace function fraiseql.forget_revoked_tokens()
    returns bigint
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    with tokens as (delete from fraiseql.revoked_tokens where expires_at <= pg_catalog.now() returning 1),
         subjects as (delete from fraiseql.revoked_subjects where expires_at <= pg_catalog.now() returning 1)
    select (select pg_catalog.count(*) from tokens) + (select pg_catalog.count(*) from subjects)
$$;

comment on function fraiseql.revoke_token(text, timestamptz) is 'Has a token refused until it expires.';
comment on function fraiseql.revoke_subject(text, interval) is
    'Has all tokens refused that were issued to a subject by now; the second argument is how long tokens last.';
comment on function fraiseql.forget_revoked_tokens() is 'Deletes what concerns expired tokens only; returns the number.';

revoke all on table fraiseql.revoked_tokens, fraiseql.revoked_subjects from public;
revoke all on function fraiseql.revoke_token(text, timestamptz), fraiseql.revoke_subject(text, interval),
                       fraiseql.forget_revoked_tokens() from public;

do $$
begin
    if pg_catalog.current_setting('fraiseql.grant_to', true) <> '' then
        execute pg_catalog.format('grant select on table fraiseql.revoked_tokens, fraiseql.revoked_subjects to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
    end if;
end
$$;
