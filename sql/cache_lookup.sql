-- An answer of the result cache that holds, in the columns from the second on: null, if there is none. Where it is not there, or has less
-- than a tenth of its time left, the first is a snapshot that is older than what is read after this. $1: the answer's key, $2: its tenant,
-- empty for none.
select case when (e.expires_at - pg_catalog.now()) * 10 <= e.expires_at - e.created_at is not false
            then pg_catalog.pg_current_snapshot()::text end as snapshot,
       e.value,
       pg_catalog.date_part('epoch', pg_catalog.now() - e.created_at)::integer as age,
       pg_catalog.ceil(pg_catalog.date_part('epoch', e.expires_at - pg_catalog.now()))::integer as ttl
  from (select) one
  left join fraiseql.cache_entries e
    on e.key = $1::uuid
   and e.tenant = $2::text
   and e.stale_until > pg_catalog.now()
   and case
       when e.by_tenant then
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
