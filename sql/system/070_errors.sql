-- Errors: what went wrong in requests and in the daemons, grouped by what they have in common.
--
-- Every daemon hands over what it noticed, several in one call of fraiseql.record_errors(). An error is known by its
-- fingerprint within an environment, and has one row of tb_error_group; each time that it happened is a row of
-- tb_error_occurrence. Of a storm only some are kept in full, and a row stands for several then ("occurrences"):
-- counts stay exact. The view tb_error_log has one row for each time, whatever was kept, and is what people ask:
--
--     select error_type, error_message, count(*) from tb_error_log where occurred_at > now() - interval '1 hour'
--      group by 1, 2 order by 3 desc;
--     update tb_error_log set status = 'investigating', assigned_to = 'ann' where error_id = '…';
--
-- What is asked over and over is counted as it comes, by hour and by day. Occurrences and hours are kept for six
-- months, days for two years, unless fraiseql.partitioned_tables says otherwise; groups as long as anything of them.
--
-- They hold statements of clients, addresses and names of users, whatever tenant they are of: nobody reads them but
-- whom the owner lets.

-- An error's id follows from what it is, so that whoever reports one can tell the id before it is recorded.
create or replace function fraiseql.error_id(fingerprint text, environment text)
    returns uuid
    language sql immutable strict parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to($2 || E'\n' || $1, 'UTF8')), 'hex'), 32)::uuid
$$;

comment on function fraiseql.error_id(text, text) is 'The id of an error: SHA-256 of its environment, a line feed and its fingerprint, cut.';

create table if not exists fraiseql.tb_error_group (
    error_id            uuid primary key,
    error_fingerprint   text collate "C" not null,
    environment         text collate "C" not null,
    fingerprint_version smallint not null default 1,
    error_type          text collate "C" not null,
    error_message       text collate "C" not null,
    sqlstate            text check (sqlstate ~ '^[0-9A-Z]{5}$'),
    operation           text,
    path                text,
    severity            text not null check (severity in ('debug', 'info', 'warning', 'error', 'critical')),
    status              text not null default 'unresolved'
                        check (status in ('unresolved', 'resolved', 'ignored', 'investigating')),
    occurrence_count    bigint not null,
    first_seen          timestamptz not null,
    last_seen           timestamptz not null,
    first_release       text,
    last_release        text,
    last_trace_id       text,
    assigned_to         text,
    resolved_at         timestamptz,
    resolved_by         text,
    resolution_notes    text,
    reopened_at         timestamptz,
    reopen_count        integer not null default 0,
    tags                jsonb not null default '[]' check (pg_catalog.jsonb_typeof(tags) = 'array'),
    unique (error_fingerprint, environment)
) with (fillfactor = 70);

create index if not exists tb_error_group_status_idx on fraiseql.tb_error_group (status, error_id);

comment on table fraiseql.tb_error_group is 'Errors: one row for each fingerprint and environment.';
comment on column fraiseql.tb_error_group.error_fingerprint is 'Digest of what occurrences have in common; it survives releases.';
comment on column fraiseql.tb_error_group.fingerprint_version is 'Of the way it is made: another way, other groups.';
comment on column fraiseql.tb_error_group.error_type is 'The code, as clients see it in extensions.code.';
comment on column fraiseql.tb_error_group.error_message is 'What was said, without what differs from time to time: numbers, ids, quoted values.';
comment on column fraiseql.tb_error_group.operation is 'Name of the GraphQL operation, or of the job.';
comment on column fraiseql.tb_error_group.path is 'Where in the answer, without list indices.';
comment on column fraiseql.tb_error_group.status is 'A resolved one that happens again is unresolved; an ignored one stays so.';
comment on column fraiseql.tb_error_group.occurrence_count is 'How often it happened ever, whatever is still kept.';
comment on column fraiseql.tb_error_group.resolved_at is 'The last time; what happened before does not reopen it.';
comment on column fraiseql.tb_error_group.reopened_at is 'When it last happened again although it was resolved.';
comment on column fraiseql.tb_error_group.tags is 'Anybody''s; the daemon writes none.';

create table if not exists fraiseql.tb_error_occurrence (
    occurrence_id       uuid not null default pg_catalog.gen_random_uuid(),
    error_id            uuid not null,
    occurred_at         timestamptz not null,
    occurrences         integer not null default 1 check (occurrences > 0),
    message             text,
    release_version     text,
    request_id          text,
    trace_id            text,
    span_id             text,
    stack_trace         text,
    request_context     jsonb not null default '{}',
    user_context        jsonb not null default '{}',
    application_context jsonb not null default '{}',
    breadcrumbs         jsonb not null default '[]',
    primary key (occurrence_id, occurred_at)
) partition by range (occurred_at);

create index if not exists tb_error_occurrence_occurred_at_idx on fraiseql.tb_error_occurrence (occurred_at);
create index if not exists tb_error_occurrence_several_idx on fraiseql.tb_error_occurrence (occurred_at) where occurrences > 1;
create index if not exists tb_error_occurrence_error_id_idx on fraiseql.tb_error_occurrence (error_id, occurred_at desc);
create index if not exists tb_error_occurrence_trace_id_idx on fraiseql.tb_error_occurrence (trace_id) where trace_id is not null;
create index if not exists tb_error_occurrence_request_id_idx on fraiseql.tb_error_occurrence (request_id) where request_id is not null;

comment on table fraiseql.tb_error_occurrence is 'Each time that an error happened; a partition for each month.';
comment on column fraiseql.tb_error_occurrence.occurrences is 'How many it stands for: more than 1 where not each of a storm was kept.';
comment on column fraiseql.tb_error_occurrence.message is 'What was said this time, in PostgreSQL''s words if it raised it.';
comment on column fraiseql.tb_error_occurrence.request_id is 'As in the log, and in X-Request-Id of the answer.';
comment on column fraiseql.tb_error_occurrence.trace_id is 'As in otel_traces, if the request was traced.';
comment on column fraiseql.tb_error_occurrence.stack_trace is 'Which functions PostgreSQL was in, the innermost first.';
comment on column fraiseql.tb_error_occurrence.request_context is 'Method, path, operation, document, variables (as errors.capture_variables says), client.';
comment on column fraiseql.tb_error_occurrence.user_context is 'tenant_id, user_id, role.';
comment on column fraiseql.tb_error_occurrence.application_context is 'Which daemon, of which version.';
comment on column fraiseql.tb_error_occurrence.breadcrumbs is 'The stages of the request and how long each took.';

-- How often by hour and by day, which answers most questions without reading occurrences.
create table if not exists fraiseql.tb_error_hour (
    hour        timestamptz not null,
    error_id    uuid not null,
    occurrences bigint not null,
    primary key (hour, error_id)
) partition by range (hour);

create table if not exists fraiseql.tb_error_day (
    day         date not null,
    error_id    uuid not null,
    occurrences bigint not null,
    primary key (day, error_id)
) partition by range (day);

create index if not exists tb_error_hour_error_id_idx on fraiseql.tb_error_hour (error_id, hour);
create index if not exists tb_error_day_error_id_idx on fraiseql.tb_error_day (error_id, day);

comment on table fraiseql.tb_error_hour is 'How often each error happened by hour, in UTC; a partition for each month.';
comment on table fraiseql.tb_error_day is 'How often each error happened by day, in UTC; a partition for each month.';

do $$
begin
    perform fraiseql.register_partitions('fraiseql.tb_error_occurrence', 'month', 3, 6);
    perform fraiseql.register_partitions('fraiseql.tb_error_hour', 'month', 3, 6);
    perform fraiseql.register_partitions('fraiseql.tb_error_day', 'month', 3, 24);
end
$$;

-- Recording.
--
-- batch is an array of objects:
--
--     occurrence_id   uuid: what was recorded under it already is not recorded again, so a batch may be sent twice
--     fingerprint, fingerprint_version, environment, type, message, sqlstate, operation, path, severity: of the group
--     occurred_at, count (1), detail, release, request_id, trace_id, span_id, stack_trace, request_context,
--     user_context, application_context, breadcrumbs: of the occurrence
--
-- Only fingerprint and type are needed. The groups that it added to are returned, with the count before and after:
-- for each count, of all calls of all daemons exactly one passes it. Whoever acts upon that does so in the same
-- statement: insert into … select … from fraiseql.record_errors($1).
create or replace function fraiseql.record_errors(batch jsonb)
    returns table (error_id uuid, count_before bigint, count_after bigint, reopened boolean)
    language plpgsql volatile strict parallel unsafe security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
#variable_conflict use_column
declare
    noticed  constant timestamptz := pg_catalog.clock_timestamp();
    -- Names of operations are the clients', so there may be any number of groups: from here on the new ones are one.
    crowded  constant boolean := (select pg_catalog.count(*) >= 10000 from (select from fraiseql.tb_error_group limit 10000) g);
    -- Which is recorded under this.
    others   constant text := 'others';
begin
    return query
    with elements as materialized (
        select coalesce(b.occurrence_id, pg_catalog.gen_random_uuid()) as occurrence_id,
               fraiseql.error_id(k.fingerprint, k.environment) as error_id,
               k.environment, k.fingerprint, k.other,
               coalesce(b.fingerprint_version, 1) as fingerprint_version, b.type,
               coalesce(b.message, '') as message, nullif(b.sqlstate, '') as sqlstate, b.operation, b.path,
               coalesce(b.severity, 'error') as severity, coalesce(b.occurred_at, noticed) as occurred_at,
               coalesce(b.count, 1) as occurrences, b.detail, b.release, b.request_id, b.trace_id, b.span_id,
               b.stack_trace, b.request_context, b.user_context, b.application_context, b.breadcrumbs
          from pg_catalog.jsonb_to_recordset($1) as b (
                   occurrence_id uuid, fingerprint text, fingerprint_version smallint, environment text, type text,
                   message text, sqlstate text, operation text, path text, severity text, occurred_at timestamptz,
                   count integer, detail text, release text, request_id text, trace_id text, span_id text,
                   stack_trace text, request_context jsonb, user_context jsonb, application_context jsonb,
                   breadcrumbs jsonb),
               lateral (select coalesce(b.environment, 'production') as environment,
                               crowded and not exists (
                                   select from fraiseql.tb_error_group g
                                    where g.error_id = fraiseql.error_id(b.fingerprint, coalesce(b.environment, 'production')))
                                   as other offset 0) e,
               lateral (select e.environment, e.other, case when e.other then others else b.fingerprint end as fingerprint) k
    ), inserted as (
        insert into fraiseql.tb_error_occurrence
               (occurrence_id, error_id, occurred_at, occurrences, message, release_version, request_id, trace_id, span_id,
                stack_trace, request_context, user_context, application_context, breadcrumbs)
        select e.occurrence_id, e.error_id, e.occurred_at, e.occurrences, coalesce(e.detail, e.message), e.release, e.request_id,
               e.trace_id, e.span_id, e.stack_trace, coalesce(e.request_context, '{}'), coalesce(e.user_context, '{}'),
               coalesce(e.application_context, '{}'), coalesce(e.breadcrumbs, '[]')
          from elements e
         order by e.occurred_at
            on conflict do nothing
        returning error_id, occurred_at, occurrences
    ), counts as (
        select i.error_id, pg_catalog.sum(i.occurrences)::bigint as occurrences,
               pg_catalog.min(i.occurred_at) as first_seen, pg_catalog.max(i.occurred_at) as last_seen
          from inserted i
         group by i.error_id
    ), latest as (
        select distinct on (e.error_id) e.*
          from elements e
         order by e.error_id, e.occurred_at desc
    ), groups as (
        -- In one order, here and below, so that daemons do not wait for each other in a circle.
        insert into fraiseql.tb_error_group as g
               (error_id, error_fingerprint, environment, fingerprint_version, error_type, error_message, sqlstate, operation,
                path, severity, occurrence_count, first_seen, last_seen, first_release, last_release, last_trace_id)
        select c.error_id, l.fingerprint, l.environment, l.fingerprint_version,
               case when l.other then 'OTHERS' else l.type end,
               case when l.other then 'of kinds that were new when there were 10,000 already' else l.message end,
               case when not l.other then l.sqlstate end, case when not l.other then l.operation end,
               case when not l.other then l.path end, l.severity, c.occurrences, c.first_seen, c.last_seen, l.release, l.release,
               l.trace_id
          from counts c
          join latest l on l.error_id = c.error_id
         order by c.error_id
            on conflict (error_id) do update
               set occurrence_count = g.occurrence_count + excluded.occurrence_count,
                   first_seen = least(g.first_seen, excluded.first_seen),
                   last_seen = greatest(g.last_seen, excluded.last_seen),
                   last_release = case when excluded.last_seen >= g.last_seen then excluded.last_release else g.last_release end,
                   last_trace_id = case when excluded.last_seen >= g.last_seen then excluded.last_trace_id
                                        else g.last_trace_id end,
                   status = case when g.status = 'resolved' and excluded.last_seen > g.resolved_at then 'unresolved'
                                 else g.status end,
                   reopened_at = case when g.status = 'resolved' and excluded.last_seen > g.resolved_at then noticed
                                      else g.reopened_at end,
                   reopen_count = g.reopen_count
                                  + case when g.status = 'resolved' and excluded.last_seen > g.resolved_at then 1 else 0 end
        returning g.error_id, g.occurrence_count, coalesce(g.reopened_at = noticed, false) as reopened
    ), hours as (
        insert into fraiseql.tb_error_hour as h (hour, error_id, occurrences)
        select pg_catalog.date_trunc('hour', i.occurred_at), i.error_id, pg_catalog.sum(i.occurrences)
          from inserted i
         group by 1, 2
         order by 2, 1
            on conflict (hour, error_id) do update set occurrences = h.occurrences + excluded.occurrences
    ), days as (
        insert into fraiseql.tb_error_day as d (day, error_id, occurrences)
        select i.occurred_at::date, i.error_id, pg_catalog.sum(i.occurrences)
          from inserted i
         group by 1, 2
         order by 2, 1
            on conflict (day, error_id) do update set occurrences = d.occurrences + excluded.occurrences
    )
    select g.error_id, g.occurrence_count - c.occurrences, g.occurrence_count, g.reopened
      from groups g
      join counts c on c.error_id = g.error_id;
end
$$;

comment on function fraiseql.record_errors(jsonb) is
    'Records occurrences, an array of objects; returns the groups added to, with the count before and after, and whether it was reopened.';

-- What becomes of an error.

create or replace function fraiseql.set_error_status(p_error_id uuid, p_status text, p_by text, p_notes text default null)
    returns boolean
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    update fraiseql.tb_error_group g
       set status = $2,
           resolved_at = case when $2 = 'resolved' then pg_catalog.clock_timestamp() else g.resolved_at end,
           resolved_by = case when $2 = 'resolved' then $3 else g.resolved_by end,
           resolution_notes = case when $4 is not null or $2 = 'resolved' then $4 else g.resolution_notes end,
           assigned_to = case when $2 = 'investigating' then coalesce($3, g.assigned_to) else g.assigned_to end
     where g.error_id = $1;
    return found;
end
$$;

comment on function fraiseql.set_error_status(uuid, text, text, text) is
    'Sets an error''s status: who did it, and notes. False: there is no such error.';

create or replace function fraiseql.resolve_error(p_error_id uuid, p_resolved_by text, p_resolution_notes text default null)
    returns boolean
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select fraiseql.set_error_status($1, 'resolved', $2, $3)
$$;

comment on function fraiseql.resolve_error(uuid, text, text) is 'Sets an error resolved, until it happens again. False: there is no such error.';

-- What people ask.
--
-- Every occurrence is a row; those that stand for several, which are few and found by an index of their own, come
-- as often again as they stand for more than one. So the most is read as a plain table is, in the order of an index if
-- that is asked for. (PostgreSQL expects ten rows of unnest(); of generate_series() it would expect a thousand, and
-- compile the query for that.)
create or replace view fraiseql.tb_error_log as
    select g.error_id,
           g.error_fingerprint,
           g.error_type,
           g.error_message,
           o.stack_trace,
           o.request_context,
           o.application_context,
           o.user_context,
           g.first_seen,
           o.occurred_at as last_seen,
           g.occurrence_count,
           g.status,
           g.assigned_to,
           g.resolved_at,
           g.resolved_by,
           g.resolution_notes,
           o.trace_id,
           o.span_id,
           g.severity,
           g.tags,
           g.environment,
           o.release_version,
           o.occurred_at,
           o.occurrence_id,
           o.request_id,
           o.message,
           g.sqlstate,
           g.operation,
           g.path,
           o.breadcrumbs
      from (select p.error_id, p.occurred_at, p.occurrence_id, p.message, p.release_version, p.request_id, p.trace_id,
                   p.span_id, p.stack_trace, p.request_context, p.user_context, p.application_context, p.breadcrumbs
              from fraiseql.tb_error_occurrence p
            union all
            select m.error_id, m.occurred_at, m.occurrence_id, m.message, m.release_version, m.request_id, m.trace_id,
                   m.span_id, m.stack_trace, m.request_context, m.user_context, m.application_context, m.breadcrumbs
              from (select s.*, pg_catalog.unnest(pg_catalog.array_fill(0, array[s.occurrences - 1]))
                      from fraiseql.tb_error_occurrence s
                     where s.occurrences > 1) m) o
      join fraiseql.tb_error_group g on g.error_id = o.error_id;

comment on view fraiseql.tb_error_log is 'A row for each time that an error happened, with its group''s columns. Its group''s status can be updated.';
comment on column fraiseql.tb_error_log.last_seen is 'This occurrence''s own time.';
comment on column fraiseql.tb_error_log.occurrence_count is 'How often the error happened ever.';

create or replace function fraiseql.update_error_log()
    returns trigger
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    free constant text[] := array['status', 'assigned_to', 'resolved_at', 'resolved_by', 'resolution_notes', 'severity', 'tags'];
begin
    if pg_catalog.to_jsonb(new) - free is distinct from pg_catalog.to_jsonb(old) - free then
        raise exception 'only %s of an error can be updated', pg_catalog.array_to_string(free, ', ')
            using errcode = 'feature_not_supported';
    end if;
    update fraiseql.tb_error_group g
       set status = new.status, assigned_to = new.assigned_to, resolved_by = new.resolved_by,
           resolved_at = case when new.status = 'resolved' and old.status <> 'resolved'
                                   and new.resolved_at is not distinct from old.resolved_at
                              then pg_catalog.clock_timestamp() else new.resolved_at end,
           resolution_notes = new.resolution_notes, severity = new.severity, tags = new.tags
     where g.error_id = old.error_id
       and ((g.status, g.assigned_to, g.resolved_by, g.resolution_notes, g.severity, g.tags)
            is distinct from (new.status, new.assigned_to, new.resolved_by, new.resolution_notes, new.severity, new.tags)
            or new.resolved_at is distinct from old.resolved_at and new.resolved_at is distinct from g.resolved_at);
    return new;
end
$$;

create or replace trigger update_error_log instead of update on fraiseql.tb_error_log
    for each row execute function fraiseql.update_error_log();

create or replace view fraiseql.v_active_errors as
    select g.error_id,
           g.error_type,
           g.error_message,
           g.severity,
           g.occurrence_count,
           g.first_seen,
           g.last_seen,
           g.environment,
           g.last_trace_id as trace_id,
           coalesce(h.occurrences, 0)::bigint as recent_occurrences,
           g.status,
           g.assigned_to,
           g.error_fingerprint
      from fraiseql.tb_error_group g
      left join (select r.error_id, pg_catalog.sum(r.occurrences) as occurrences
                   from fraiseql.tb_error_hour r
                  where r.hour > pg_catalog.now() - interval '24 hours'
                  group by r.error_id) h on h.error_id = g.error_id
     where g.status in ('unresolved', 'investigating') and g.last_seen > pg_catalog.now() - interval '24 hours'
     order by g.last_seen desc;

comment on view fraiseql.v_active_errors is 'Errors of the last 24 hours that nobody has resolved or ignored, the last one first.';
comment on column fraiseql.v_active_errors.recent_occurrences is 'In the present hour and the 23 before.';

create or replace view fraiseql.v_error_trends as
    select h.hour,
           g.error_type,
           g.severity,
           pg_catalog.sum(h.occurrences)::bigint as error_count,
           pg_catalog.count(*) as unique_errors
      from fraiseql.tb_error_hour h
      join fraiseql.tb_error_group g on g.error_id = h.error_id
     where h.hour > pg_catalog.now() - interval '24 hours'
     group by h.hour, g.error_type, g.severity
     order by h.hour desc, 4 desc;

comment on view fraiseql.v_error_trends is 'Errors by hour and type, of the present hour and the 23 before.';

create or replace view fraiseql.v_top_errors as
    select g.error_id,
           g.error_type,
           g.error_message,
           g.severity,
           t.occurrences as occurrence_count,
           g.last_seen,
           g.status,
           g.environment,
           g.operation,
           g.error_fingerprint,
           g.occurrence_count as total_count
      from (select d.error_id, pg_catalog.sum(d.occurrences)::bigint as occurrences
              from fraiseql.tb_error_day d
             where d.day > (pg_catalog.now() at time zone 'UTC')::date - 7
             group by d.error_id) t
      join fraiseql.tb_error_group g on g.error_id = t.error_id
     order by t.occurrences desc, g.error_id
     limit 100;

comment on view fraiseql.v_top_errors is 'The 100 errors that happened most often today and on the six days before, in UTC.';

create or replace function fraiseql.get_error_stats(p_hours integer default 24)
    returns table (total_errors bigint, unresolved_errors bigint, unique_error_types bigint, avg_resolution_time_hours numeric)
    language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
    -- Whole hours as counted, and what the period has of the first one.
    with period as (
        select now() - $1 * interval '1 hour' as since, date_trunc('hour', now() - $1 * interval '1 hour') + interval '1 hour' as whole
    ), seen as (
        select c.error_id, sum(c.occurrences) as occurrences
          from (select h.error_id, h.occurrences from period p, fraiseql.tb_error_hour h where h.hour >= p.whole
                union all
                select o.error_id, o.occurrences from period p, fraiseql.tb_error_occurrence o
                 where o.occurred_at >= p.since and o.occurred_at < p.whole) c
         group by c.error_id
    )
    select coalesce(sum(s.occurrences), 0)::bigint,
           count(*) filter (where g.status = 'unresolved'),
           count(distinct g.error_type),
           (select round((extract(epoch from avg(r.resolved_at - greatest(r.first_seen,
                                     case when r.reopened_at < r.resolved_at then r.reopened_at end))) / 3600)::numeric, 2)
              from fraiseql.tb_error_group r, period p
             where r.status = 'resolved' and r.resolved_at >= p.since)
      from seen s
      join fraiseql.tb_error_group g on g.error_id = s.error_id
$$;

comment on function fraiseql.get_error_stats(integer) is
    'Of the last hours: how many errors, of how many unresolved groups and types; and how long those took that were resolved.';

create or replace function fraiseql.forget_error_groups()
    returns bigint
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    deleted bigint;
begin
    delete from fraiseql.tb_error_group g
     where g.status <> 'ignored' and g.last_seen < pg_catalog.now() - interval '1 month'
       and not exists (select from fraiseql.tb_error_occurrence o where o.error_id = g.error_id)
       and not exists (select from fraiseql.tb_error_day d where d.error_id = g.error_id);
    get diagnostics deleted = row_count;
    return deleted;
end
$$;

comment on function fraiseql.forget_error_groups() is
    'Deletes errors of which nothing is kept any longer, but those that are ignored; returns how many.';

revoke all on table fraiseql.tb_error_group, fraiseql.tb_error_occurrence, fraiseql.tb_error_hour, fraiseql.tb_error_day,
                    fraiseql.tb_error_log, fraiseql.v_active_errors, fraiseql.v_error_trends, fraiseql.v_top_errors
    from public;
revoke all on function fraiseql.error_id(text, text), fraiseql.record_errors(jsonb),
                       fraiseql.set_error_status(uuid, text, text, text), fraiseql.resolve_error(uuid, text, text),
                       fraiseql.update_error_log(), fraiseql.get_error_stats(integer), fraiseql.forget_error_groups()
    from public;

do $$
begin
    if pg_catalog.current_setting('fraiseql.grant_to', true) <> '' then
        execute pg_catalog.format('grant select on table fraiseql.tb_error_group, fraiseql.tb_error_occurrence,
                                                         fraiseql.tb_error_hour, fraiseql.tb_error_day, fraiseql.tb_error_log,
                                                         fraiseql.v_active_errors, fraiseql.v_error_trends,
                                                         fraiseql.v_top_errors to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
        execute pg_catalog.format('grant execute on function fraiseql.error_id(text, text), fraiseql.record_errors(jsonb),
                                                             fraiseql.set_error_status(uuid, text, text, text),
                                                             fraiseql.resolve_error(uuid, text, text),
                                                             fraiseql.get_error_stats(integer),
                                                             fraiseql.forget_error_groups() to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
    end if;
end
$$;
