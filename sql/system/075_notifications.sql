-- Notifications of errors: who is told, what is due, and what became of each.
--
-- An error is told of on its 1st, 10th, 100th and 1000th occurrence, and so on as errors.notifications says. It is
-- counted from 1 again when it had not occurred for errors.notifications.window, or was resolved. Channels are those of
-- the daemons' configuration, and those of tb_error_notification_config:
--
--     insert into tb_error_notification_config (severity, channel_type, channel_config)
--     values ('{critical}', 'webhook', '{"url": "https://hooks.example.com/errors", "hmac_secret": "…"}');
--
-- Of all daemons one at a time looks what is due (plan_notifications), which writes rows of tb_error_notification_log;
-- whoever comes first claims one (claim_notification), sends it, and notes what became of it (finish_notification). A row
-- that was claimed by a daemon which has gone since can be claimed again after a while: what was sent but not noted is
-- sent again, with the same notification_id.
--
-- Rows of the log are kept for six months, unless fraiseql.partitioned_tables says otherwise. channel_config holds secrets:
-- nobody reads it but whom the owner lets; the daemon by its functions only.

create table if not exists fraiseql.tb_error_notification_config (
    config_id            uuid primary key default pg_catalog.gen_random_uuid(),
    error_fingerprint    text,
    error_type           text,
    severity             text[] check (severity <@ array['debug', 'info', 'warning', 'error', 'critical']),
    environment          text[],
    min_occurrence_count integer not null default 1,
    enabled              boolean not null default true,
    channel_type         text not null check (channel_type in ('webhook', 'slack', 'email', 'notify')),
    channel_config       jsonb not null check (pg_catalog.jsonb_typeof(channel_config) = 'object'),
    rate_limit_minutes   integer not null default 60 check (rate_limit_minutes >= 0),
    message_template     text,
    created_at           timestamptz not null default pg_catalog.now(),
    created_by           text,
    last_triggered       timestamptz,
    schedule             bigint[] check (1 <= all (schedule)),
    then_every           bigint check (then_every >= 0)
);

comment on table fraiseql.tb_error_notification_config is 'Channels besides those of the daemons'' configuration, and which errors they are for.';
comment on column fraiseql.tb_error_notification_config.error_fingerprint is 'Only of this; null: of any. So are error_type, severity and environment.';
comment on column fraiseql.tb_error_notification_config.min_occurrence_count is 'Not before it has occurred so often ever.';
comment on column fraiseql.tb_error_notification_config.channel_config is
    'webhook: url, headers, hmac_secret, payload_template. slack: webhook_url, channel, username. email: to, subject, template. notify: channel.';
comment on column fraiseql.tb_error_notification_config.rate_limit_minutes is 'Least time between two notifications of one error; what falls due meanwhile is told of as one.';
comment on column fraiseql.tb_error_notification_config.message_template is 'Text (of webhooks: JSON) in which {{name}} stands for a value; null: the daemon''s.';
comment on column fraiseql.tb_error_notification_config.last_triggered is 'When it was last due.';
comment on column fraiseql.tb_error_notification_config.schedule is 'Which occurrences are told of; null: as errors.notifications.schedule.';
comment on column fraiseql.tb_error_notification_config.then_every is 'Beyond them: every so many, 0: none; null: as errors.notifications.then_every.';

create table if not exists fraiseql.tb_error_notification_log (
    notification_id  uuid not null default pg_catalog.gen_random_uuid(),
    config_id        uuid,
    error_id         uuid not null,
    sent_at          timestamptz not null default pg_catalog.clock_timestamp(),
    channel_type     text not null,
    recipient        text not null,
    status           text not null default 'pending' check (status in ('pending', 'sent', 'failed')),
    error_message    text,
    channel          text not null,
    threshold        bigint not null,
    occurrence_count bigint not null,
    reopened         boolean not null default false,
    attempts         integer not null default 0,
    next_attempt_at  timestamptz not null default pg_catalog.clock_timestamp(),
    finished_at      timestamptz,
    daemon           text,
    primary key (notification_id, sent_at)
) partition by range (sent_at);

create index if not exists tb_error_notification_log_error_id_idx on fraiseql.tb_error_notification_log (error_id, sent_at desc);
create index if not exists tb_error_notification_log_channel_idx on fraiseql.tb_error_notification_log (channel, sent_at);
create index if not exists tb_error_notification_log_pending_idx on fraiseql.tb_error_notification_log (next_attempt_at)
    where status = 'pending';

comment on table fraiseql.tb_error_notification_log is 'Notifications and what became of them; a partition for each month.';
comment on column fraiseql.tb_error_notification_log.config_id is 'The row of tb_error_notification_config; null: a channel of the daemons'' configuration.';
comment on column fraiseql.tb_error_notification_log.sent_at is 'When it fell due and was first to be sent; finished_at is when it was, or was given up.';
comment on column fraiseql.tb_error_notification_log.recipient is 'The host, the addresses or the channel; nothing that is secret.';
comment on column fraiseql.tb_error_notification_log.status is 'pending: to be sent, or sent again; failed: given up.';
comment on column fraiseql.tb_error_notification_log.error_message is 'Why the last attempt failed.';
comment on column fraiseql.tb_error_notification_log.channel is 'Its name in the configuration, or config_id.';
comment on column fraiseql.tb_error_notification_log.threshold is 'Which occurrence it was due on.';
comment on column fraiseql.tb_error_notification_log.occurrence_count is 'How many there were then.';
comment on column fraiseql.tb_error_notification_log.attempts is 'How often it was claimed.';
comment on column fraiseql.tb_error_notification_log.next_attempt_at is 'Not before; while it is being sent: when others may.';
comment on column fraiseql.tb_error_notification_log.daemon is 'Host and process that claimed it last.';

-- What was counted when it was last looked, and from where on; one row for each error.
create table if not exists fraiseql.tb_error_notification_state (
    error_id     uuid primary key references fraiseql.tb_error_group on delete cascade,
    base_count   bigint not null,
    seen_count   bigint not null,
    last_seen    timestamptz not null,
    reopen_count integer not null,
    reopened     boolean not null,
    is_open      boolean not null
) with (fillfactor = 70);

-- How far each channel has been told.
create table if not exists fraiseql.tb_error_notification_told (
    error_id   uuid references fraiseql.tb_error_group on delete cascade,
    channel    text not null,
    told_count bigint not null,
    told_at    timestamptz not null,
    primary key (error_id, channel)
);

create table if not exists fraiseql.tb_error_notification_look (
    one       boolean primary key default true check (one),
    looked_at timestamptz not null
);

comment on table fraiseql.tb_error_notification_state is 'Errors as they were when it was last looked what is due; thresholds count from base_count.';
comment on column fraiseql.tb_error_notification_state.is_open is 'Something may be due: it has occurred since, or waits.';
comment on table fraiseql.tb_error_notification_told is 'Up to which count of an error each channel has been told.';
comment on table fraiseql.tb_error_notification_look is 'When it was last looked what is due, by whichever daemon.';

do $$
begin
    perform fraiseql.register_partitions('fraiseql.tb_error_notification_log', 'month', 3, 6);
end
$$;

create or replace function fraiseql.notification_threshold(before bigint, after bigint, schedule bigint[], then_every bigint)
    returns bigint
    language sql immutable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select greatest(case when $3[width_bucket($2, $3)] > $1 then $3[width_bucket($2, $3)] end,
                    case when $4 > 0 and $2 / $4 * $4 > greatest($1, coalesce($3[cardinality($3)], 0)) then $2 / $4 * $4 end)
$$;

comment on function fraiseql.notification_threshold(bigint, bigint, bigint[], bigint) is
    'The last occurrence after the one and up to the other that is to be told of: one of the schedule, which is ascending, or beyond it every so many; null: none.';

create or replace function fraiseql.notification_channels(channels jsonb, min_interval interval, schedule bigint[], then_every bigint)
    returns table (channel text, config_id uuid, channel_type text, recipient text, fingerprint text, error_type text,
                   severity text[], environment text[], min_count bigint, min_interval interval, schedule bigint[], then_every bigint)
    language sql stable parallel safe security invoker rows 10
    set search_path = pg_catalog, pg_temp
as $$
    select c.name, null, c.type, c.recipient, null, null, c.severities, null, 1, $2, $3, $4
      from jsonb_to_recordset($1) c (name text, type text, recipient text, severities text[])
    union all
    select c.config_id::text, c.config_id, c.channel_type,
           coalesce(case c.channel_type
                        when 'email' then case when jsonb_typeof(c.channel_config -> 'to') = 'array'
                                               then (select string_agg(t, ', ') from jsonb_array_elements_text(c.channel_config -> 'to') t)
                                               else c.channel_config ->> 'to' end
                        when 'notify' then c.channel_config ->> 'channel'
                        else substring(coalesce(c.channel_config ->> 'webhook_url', c.channel_config ->> 'url')
                                       from '^[a-z]+://(?:[^/@]*@)?(\[[^]]*\]|[^/:?#]*)') end, ''),
           c.error_fingerprint, c.error_type, c.severity, c.environment, c.min_occurrence_count,
           c.rate_limit_minutes * interval '1 minute',
           coalesce((select array_agg(t order by t) from unnest(c.schedule) t), case when c.schedule is null then $3 else '{}' end), coalesce(c.then_every, $4)
      from fraiseql.tb_error_notification_config c
     where c.enabled
$$;

comment on function fraiseql.notification_channels(jsonb, interval, bigint[], bigint) is 'The channels given, and those of tb_error_notification_config.';

create or replace function fraiseql.plan_notifications(channels jsonb, schedule bigint[], then_every bigint, min_interval interval,
                                                       "window" interval, max_per_hour integer, look_interval interval,
                                                       out planned bigint, out held_back bigint, out expired bigint)
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set jit = off
as $$
#variable_conflict use_column
declare
    at constant timestamptz := pg_catalog.clock_timestamp();
begin
    planned := 0;
    held_back := 0;
    expired := 0;
    -- One at a time, and not each daemon as often as if it were alone.
    if not pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('fraiseql.notifications', 0)) then
        return;
    end if;
    insert into fraiseql.tb_error_notification_look as l (looked_at) values (at)
        on conflict (one) do update set looked_at = excluded.looked_at
        where l.looked_at not between at - $7 * 0.9 and at;
    if not found then
        return;
    end if;

    -- What has happened since. Quiet for so long, or resolved meanwhile: counted from 1 again.
    insert into fraiseql.tb_error_notification_state as s (error_id, base_count, seen_count, last_seen, reopen_count, reopened, is_open)
    select g.error_id,
           case when o.error_id is null then 0
                when g.reopen_count > o.reopen_count or g.last_seen > o.last_seen + $5 then o.seen_count
                else o.base_count end,
           g.occurrence_count, g.last_seen, g.reopen_count,
           case when o.error_id is null then g.reopen_count > 0
                when g.reopen_count > o.reopen_count then true
                when g.last_seen > o.last_seen + $5 then false
                else o.reopened end,
           true
      from fraiseql.tb_error_group g
      left join fraiseql.tb_error_notification_state o on o.error_id = g.error_id
     where o.error_id is null or g.occurrence_count <> o.seen_count or g.reopen_count <> o.reopen_count
        on conflict (error_id) do update
           set base_count = excluded.base_count, seen_count = excluded.seen_count, last_seen = excluded.last_seen,
               reopen_count = excluded.reopen_count, reopened = excluded.reopened, is_open = true;

    with due as (
        select g.error_id, c.channel, c.config_id, c.channel_type, c.recipient, s.seen_count, s.reopened, t.threshold, w.waits,
               pg_catalog.row_number() over (partition by c.channel, w.waits
                                             order by (g.severity = 'critical') desc, (g.severity = 'error') desc, w.told_at, g.last_seen)
                   as nth
          from fraiseql.notification_channels($1, $4, $2, $3) c
          join fraiseql.tb_error_group g
            on (c.fingerprint is null or c.fingerprint = g.error_fingerprint)
           and (c.error_type is null or c.error_type = g.error_type)
           and (c.severity is null or g.severity = any (c.severity))
           and (c.environment is null or g.environment = any (c.environment))
           and g.occurrence_count >= c.min_count
          join fraiseql.tb_error_notification_state s on s.error_id = g.error_id
          left join fraiseql.tb_error_notification_told n on n.error_id = g.error_id and n.channel = c.channel,
               lateral (select fraiseql.notification_threshold(greatest(n.told_count - s.base_count, 0), s.seen_count - s.base_count,
                                                               c.schedule, c.then_every) as threshold) t,
               lateral (select coalesce(n.told_at, '-infinity') as told_at, coalesce(n.told_at > at - c.min_interval, false) as waits) w
         where s.is_open
           and g.status not in ('resolved', 'ignored')
           and g.last_seen > at - $5
           and (n.told_count is null or n.told_count < s.seen_count)
           and t.threshold is not null
    ), used as (
        select l.channel, pg_catalog.count(*) as n
          from fraiseql.tb_error_notification_log l
         where l.sent_at > at - interval '1 hour'
         group by l.channel
    ), allowed as (
        select d.*, not d.waits and ($6 <= 0 or d.nth <= $6 - coalesce(u.n, 0)) as is_allowed
          from due d
          left join used u on u.channel = d.channel
    ), logged as (
        insert into fraiseql.tb_error_notification_log
               (config_id, error_id, sent_at, channel_type, recipient, channel, threshold, occurrence_count, reopened, next_attempt_at)
        select a.config_id, a.error_id, at, a.channel_type, a.recipient, a.channel, a.threshold, a.seen_count, a.reopened, at
          from allowed a
         where a.is_allowed
         order by a.nth
        returning error_id, channel, config_id, occurrence_count
    ), told as (
        insert into fraiseql.tb_error_notification_told as t (error_id, channel, told_count, told_at)
        select l.error_id, l.channel, l.occurrence_count, at from logged l
            on conflict (error_id, channel) do update set told_count = excluded.told_count, told_at = excluded.told_at
    ), triggered as (
        update fraiseql.tb_error_notification_config c set last_triggered = at
         where c.config_id in (select l.config_id from logged l)
    ), closed as (
        update fraiseql.tb_error_notification_state s set is_open = false
         where s.is_open and s.error_id not in (select a.error_id from allowed a where not a.is_allowed)
    )
    select (select pg_catalog.count(*) from logged), (select pg_catalog.count(*) from allowed a where not a.is_allowed and not a.waits)
      into planned, held_back;

    -- Of a channel that no daemon has any longer, or after nobody was there for long.
    update fraiseql.tb_error_notification_log l
       set status = 'failed', finished_at = at,
           error_message = pg_catalog.concat_ws('; ', l.error_message, 'no daemon has sent it in time')
     where l.status = 'pending' and l.next_attempt_at <= at and l.sent_at < at - greatest($5, interval '1 day');
    get diagnostics expired = row_count;
end
$$;

comment on function fraiseql.plan_notifications(jsonb, bigint[], bigint, interval, interval, integer, interval) is
    'Writes what is due into tb_error_notification_log: how many, how many were held back by max_per_hour, and how many old ones given up.';

create or replace function fraiseql.claim_notification(channels text[], busy text[], lease interval, daemon text)
    returns table (notification_id uuid, sent_at timestamptz, channel_type text, channel text, config_id uuid, channel_config jsonb,
                   message_template text, attempt integer, details jsonb)
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO'
as $$
#variable_conflict use_column
begin
    return query
    with next as materialized (
        select l.notification_id, l.sent_at
          from fraiseql.tb_error_notification_log l
         where l.status = 'pending' and l.next_attempt_at <= pg_catalog.clock_timestamp()
           and (l.config_id is not null or l.channel = any ($1)) and l.channel <> all ($2)
         order by l.next_attempt_at
         limit 1
           for update skip locked
    ), claimed as (
        update fraiseql.tb_error_notification_log l
           set attempts = l.attempts + 1, next_attempt_at = pg_catalog.clock_timestamp() + $3, daemon = $4
          from next
         where l.notification_id = next.notification_id and l.sent_at = next.sent_at
        returning l.*
    )
    select l.notification_id, l.sent_at, l.channel_type, l.channel, l.config_id, c.channel_config, c.message_template, l.attempts,
           pg_catalog.jsonb_build_object(
               'notification_id', l.notification_id, 'error_id', l.error_id, 'fingerprint', g.error_fingerprint,
               'error_type', g.error_type, 'message', pg_catalog.left(g.error_message, 2000), 'sqlstate', g.sqlstate,
               'operation', g.operation, 'path', g.path, 'severity', g.severity, 'environment', g.environment,
               'release', g.last_release, 'occurrence_count', coalesce(g.occurrence_count, l.occurrence_count),
               'threshold', l.threshold, 'reopened', l.reopened, 'first_seen', g.first_seen, 'last_seen', g.last_seen,
               'trace_id', g.last_trace_id)
      from claimed l
      left join fraiseql.tb_error_notification_config c on c.config_id = l.config_id
      left join fraiseql.tb_error_group g on g.error_id = l.error_id;
end
$$;

comment on function fraiseql.claim_notification(text[], text[], interval, text) is
    'Claims what is to be sent next on one of the channels (by name; those of the table besides) that are not busy, for a while; no row: nothing.';

create or replace function fraiseql.finish_notification(notification_id uuid, sent_at timestamptz, attempt integer, status text,
                                                        error_message text, pause interval)
    returns boolean
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    update fraiseql.tb_error_notification_log l
       set status = $4, error_message = $5, next_attempt_at = pg_catalog.clock_timestamp() + $6,
           finished_at = case when $4 <> 'pending' then pg_catalog.clock_timestamp() end
     where l.notification_id = $1 and l.sent_at = $2 and l.attempts = $3 and l.status = 'pending';
    return found;
end
$$;

comment on function fraiseql.finish_notification(uuid, timestamptz, integer, text, text, interval) is
    'Notes what became of an attempt; pending: another after a pause. False: somebody else has it by now.';

revoke all on table fraiseql.tb_error_notification_config, fraiseql.tb_error_notification_log, fraiseql.tb_error_notification_state,
                    fraiseql.tb_error_notification_told, fraiseql.tb_error_notification_look
    from public;
revoke all on function fraiseql.notification_threshold(bigint, bigint, bigint[], bigint),
                       fraiseql.notification_channels(jsonb, interval, bigint[], bigint),
                       fraiseql.plan_notifications(jsonb, bigint[], bigint, interval, interval, integer, interval),
                       fraiseql.claim_notification(text[], text[], interval, text),
                       fraiseql.finish_notification(uuid, timestamptz, integer, text, text, interval)
    from public;

do $$
begin
    if pg_catalog.current_setting('fraiseql.grant_to', true) <> '' then
        execute pg_catalog.format('grant select on table fraiseql.tb_error_notification_log to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
        execute pg_catalog.format(
            'grant execute on function fraiseql.plan_notifications(jsonb, bigint[], bigint, interval, interval, integer, interval),
                                       fraiseql.claim_notification(text[], text[], interval, text),
                                       fraiseql.finish_notification(uuid, timestamptz, integer, text, text, interval) to %I',
            pg_catalog.current_setting('fraiseql.grant_to'));
    end if;
end
$$;
