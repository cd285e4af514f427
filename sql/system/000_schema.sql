-- The schema of what the daemon keeps in the database, and which of these files it was made by.
--
-- These files are applied, in the order of their names and in one transaction, by `fraiseqld db install`, which
-- `--dry-run` prints instead, for psql. Each can be run again. Who they are for is said by two settings of the
-- transaction: fraiseql.grant_to, the role that the daemon logs in as (empty: the role that installs), and
-- fraiseql.request_roles, an array of those that requests run as.

create schema if not exists fraiseql;

comment on schema fraiseql is 'What fraiseqld keeps in the database.';

create table if not exists fraiseql.system_file (
    name       text primary key,
    digest     text not null check (digest ~ '^[0-9a-f]{64}$'),
    version    text not null,
    applied_at timestamptz not null default pg_catalog.now()
);

comment on table fraiseql.system_file is 'The files that this schema was made by.';
comment on column fraiseql.system_file.name is 'The file''s name.';
comment on column fraiseql.system_file.digest is 'SHA-256 of the file, in hexadecimal.';
comment on column fraiseql.system_file.version is 'Of the fraiseqld that applied it.';
comment on column fraiseql.system_file.applied_at is 'When it was applied last.';

revoke all on table fraiseql.system_file from public;

do $$
begin
    if pg_catalog.current_setting('fraiseql.grant_to', true) <> '' then
        execute pg_catalog.format('grant usage on schema fraiseql to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
        execute pg_catalog.format('grant select on table fraiseql.system_file to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
    end if;
end
$$;
