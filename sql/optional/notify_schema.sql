-- Tells the daemon, by NOTIFY, of every change that may touch the schema it serves. Optional; install it
-- once in each database, as a superuser, or on a managed service as its administrator:
--
--     psql -X -v ON_ERROR_STOP=1 --single-transaction -f sql/optional/notify_schema.sql DATABASE
--
-- Notifications are sent at commit, and equal ones of one transaction once. Can be run again. Where event
-- triggers are not allowed: schema.reload.poll_interval, or `notify fraiseqld, 'schema'` at the end of
-- each migration. A transaction that notifies cannot be prepared (two-phase commit). To remove it: drop schema fraiseqld_notify cascade.

create schema if not exists fraiseqld_notify;

create or replace function fraiseqld_notify.schema_changed() returns event_trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    -- Temporary objects are nobody's business.
    if tg_event = 'ddl_command_end' then
        if not exists (select
                         from pg_catalog.pg_event_trigger_ddl_commands() c
                        where c.schema_name is distinct from 'pg_temp') then
            return;
        end if;
    elsif not exists (select from pg_catalog.pg_event_trigger_dropped_objects() o where not o.is_temporary) then
        return;
    end if;
    perform pg_catalog.pg_notify('fraiseqld', 'schema');
end
$$;

comment on function fraiseqld_notify.schema_changed() is 'Tells fraiseqld that the catalog has changed.';

drop event trigger if exists fraiseqld_schema_changed;
create event trigger fraiseqld_schema_changed on ddl_command_end
    execute function fraiseqld_notify.schema_changed();

drop event trigger if exists fraiseqld_schema_dropped;
create event trigger fraiseqld_schema_dropped on sql_drop
    execute function fraiseqld_notify.schema_changed();
