-- Jobs that daemons run by the clock, and what became of each run.
--
-- A run is claimed by its row: of all daemons of this database, one runs a job at a time that it is due. The claim
-- needs nothing of the session, so it holds behind a pooler too. While a job runs, further runs of it are skipped;
-- a run whose daemon has gone counts as over at expires_at.
--
-- Rows are deleted after 30 days, by the job "retention".

create table if not exists fraiseql.job_runs (
    run           bigint generated always as identity primary key,
    job           text not null,
    scheduled_for timestamptz not null,
    started_at    timestamptz not null default pg_catalog.clock_timestamp(),
    finished_at   timestamptz,
    outcome       text check (outcome in ('done', 'failed', 'timeout', 'skipped', 'lost')),
    detail        text not null default '',
    daemon        text not null,
    expires_at    timestamptz not null,
    unique (job, scheduled_for)
);

create index if not exists job_runs_started_at_idx on fraiseql.job_runs (started_at);
create index if not exists job_runs_running_idx on fraiseql.job_runs (job) where outcome is null;

comment on table fraiseql.job_runs is 'Runs of jobs, of all daemons.';
comment on column fraiseql.job_runs.job is 'The job''s name: fraiseqld jobs list.';
comment on column fraiseql.job_runs.scheduled_for is 'When it was due.';
comment on column fraiseql.job_runs.started_at is 'When it was begun: later by jobs.jitter, or by what ran before.';
comment on column fraiseql.job_runs.finished_at is 'When it was over.';
comment on column fraiseql.job_runs.outcome is 'Null: it runs. skipped: the one before still ran. lost: its daemon never told.';
comment on column fraiseql.job_runs.detail is 'What was done, or what went wrong.';
comment on column fraiseql.job_runs.daemon is 'Host and process that ran it.';
comment on column fraiseql.job_runs.expires_at is 'It can run no longer than that.';

create or replace function fraiseql.claim_job_run(job text, scheduled_for timestamptz, daemon text, timeout interval,
                                                  out run bigint, out outcome text)
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    lasts interval := $4 + interval '10 seconds';
begin
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('fraiseql.job ' || $1, 0));
    update fraiseql.job_runs r set outcome = 'lost', finished_at = r.expires_at
     where r.job = $1 and r.outcome is null and r.expires_at <= pg_catalog.clock_timestamp();
    if exists (select from fraiseql.job_runs r where r.job = $1 and r.scheduled_for = $2) then
        outcome := 'taken';
    elsif exists (select from fraiseql.job_runs r where r.job = $1 and r.outcome is null) then
        insert into fraiseql.job_runs (job, scheduled_for, finished_at, outcome, detail, daemon, expires_at)
        values ($1, $2, pg_catalog.clock_timestamp(), 'skipped', 'the run before is not over', $3, pg_catalog.clock_timestamp());
        outcome := 'skipped';
    else
        insert into fraiseql.job_runs as r (job, scheduled_for, daemon, expires_at)
        values ($1, $2, $3, pg_catalog.clock_timestamp() + lasts)
        returning r.run into run;
        outcome := 'claimed';
    end if;
end
$$;

comment on function fraiseql.claim_job_run(text, timestamptz, text, interval) is
    'Claims a run: claimed, taken by another, or skipped since one is not over.';

create or replace function fraiseql.finish_job_run(run bigint, outcome text, detail text)
    returns void
    language sql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    update fraiseql.job_runs r set outcome = $2, detail = $3, finished_at = pg_catalog.clock_timestamp()
     where r.run = $1 and (r.outcome is null or r.outcome = 'lost')
$$;

comment on function fraiseql.finish_job_run(bigint, text, text) is 'Notes what became of a run.';

create or replace function fraiseql.forget_expired()
    returns bigint
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    deleted bigint := fraiseql.forget_revoked_tokens();
    batch   bigint;
begin
    for i in 1 .. 100 loop
        batch := fraiseql.forget_idempotency_keys();
        deleted := deleted + batch;
        exit when batch < 10000;
    end loop;
    delete from fraiseql.job_runs r where r.started_at < pg_catalog.now() - interval '30 days' and r.outcome is not null;
    get diagnostics batch = row_count;
    deleted := deleted + batch;
    -- Of a file after this one.
    if pg_catalog.to_regprocedure('fraiseql.forget_error_groups()') is not null then
        deleted := deleted + fraiseql.forget_error_groups();
    end if;
    return deleted;
end
$$;

comment on function fraiseql.forget_expired() is
    'Deletes idempotency keys and revocations that have expired, runs of jobs older than 30 days, and errors of which nothing is kept; returns how many.';

revoke all on table fraiseql.job_runs from public;
revoke all on function fraiseql.claim_job_run(text, timestamptz, text, interval),
                       fraiseql.finish_job_run(bigint, text, text), fraiseql.forget_expired()
    from public;

do $$
begin
    if pg_catalog.current_setting('fraiseql.grant_to', true) <> '' then
        execute pg_catalog.format('grant select, insert, update on table fraiseql.job_runs to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
        execute pg_catalog.format('grant execute on function fraiseql.claim_job_run(text, timestamptz, text, interval),
                                                             fraiseql.finish_job_run(bigint, text, text),
                                                             fraiseql.forget_expired() to %I',
                                  pg_catalog.current_setting('fraiseql.grant_to'));
    end if;
end
$$;
