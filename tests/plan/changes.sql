-- Privileges and tables for plans that change rows, beside those of the demo; see
-- tests/unit/schema/capture.

grant insert, update, delete on public.v_project, public.v_task, public.v_user to app_user;
grant insert, update, delete on public.projects, public.tasks, public.users to app_user;

-- A key of two columns, one generated, one that is always numbered, one of which only some may be set.
create table public.memberships (
    user_id    uuid not null references public.users (id),
    "group ""of" text not null,
    number     bigint generated always as identity,
    since      date not null default current_date,
    label      text generated always as (pg_catalog.upper("group ""of")) stored,
    secret     text,
    constraint memberships_key primary key (user_id, "group ""of"),
    unique (number) deferrable
);
grant select, delete, insert (user_id, "group ""of", since), update (since) on public.memberships to app_user;
