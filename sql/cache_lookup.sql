-- An answer of the result cache that holds: no row, if there is none. $1: its key, $2: its tenant, empty for none.
select e.value,
       pg_catalog.date_part('epoch', pg_catalog.now() - e.created_at)::integer as age,
       pg_catalog.ceil(pg_catalog.date_part('epoch', e.expires_at - pg_catalog.now()))::integer as ttl,
       case when e.expires_at > pg_catalog.now() then 'fresh' else 'stale' end as state
  from fraiseql.cache_entries e
 where e.key = $1::uuid
   and e.tenant = $2::text
   and e.stale_until > pg_catalog.now()
   and case
       when e.tenant <> '' then
           not exists (select
                         from fraiseql.cache_changes c
                        where c.relation = any (e.relations)
                          and c.tenant = any (array['', '*', $2::text])
                          and c.xid >= pg_catalog.pg_snapshot_xmin(e.snapshot)
                          and not pg_catalog.pg_visible_in_snapshot(c.xid, e.snapshot))
       else
           not exists (select
                         from fraiseql.cache_changes c
                        where c.relation = any (e.relations)
                          and c.xid >= pg_catalog.pg_snapshot_xmin(e.snapshot)
                          and not pg_catalog.pg_visible_in_snapshot(c.xid, e.snapshot))
       end
