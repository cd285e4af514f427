-- pool.sql - 20,000 sets of parameters for the benchmark's operations, one a line:
-- tenant, user, project of the tenant, task of the project, separated by tabs.
-- Users are drawn by a hash of their key, so a tenant appears as often as its size says.
copy (
    with project as (
        select id, tenant_id,
               row_number() over (partition by tenant_id order by id) - 1 as n,
               count(*) over (partition by tenant_id) as of
        from public.projects
    ), drawn as (
        select id, tenant_id, hashtextextended(id::text, 8) & 1073741823 as h
        from public.users order by hashtextextended(id::text, 7) limit 20000
    )
    select d.tenant_id, d.id, p.id,
           (select t.id from public.tasks as t where t.project_id = p.id order by t.id limit 1)
    from drawn as d join project as p on p.tenant_id = d.tenant_id and p.n = d.h % p.of
    order by d.h, d.id
) to stdout
