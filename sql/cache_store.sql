-- Keeps an answer, unless a newer one is there. $1: its key, $2: its tenant, empty for none, $3: the operation, $4: oids of
-- the tables it was read from, $5: a snapshot that is no newer than its own, $6: for how many seconds it is fresh, $7: for how
-- many more it may be sent, $8: what it has cost, in microseconds, $9: the answer, $10: it was
-- read from the tenant's rows, and from rows of no tenant. Nothing is kept for more than a week.
insert into fraiseql.cache_entries as e
       (key, tenant, by_tenant, operation, relations, snapshot, created_at, expires_at, stale_until, bytes, cost_us, value)
select $1::uuid, $2::text, $10::boolean, $3::text, $4::oid[], $5::pg_snapshot, pg_catalog.now(),
       pg_catalog.now() + least($6::integer, 604800) * interval '1 second',
       pg_catalog.now() + least($6::integer::bigint + $7::integer, 604800) * interval '1 second',
       pg_catalog.octet_length($9::text), $8::integer, $9::text
    on conflict (key) do update
       set tenant = excluded.tenant,
           by_tenant = excluded.by_tenant,
           operation = excluded.operation,
           relations = excluded.relations,
           snapshot = excluded.snapshot,
           created_at = excluded.created_at,
           expires_at = excluded.expires_at,
           stale_until = excluded.stale_until,
           bytes = excluded.bytes,
           cost_us = excluded.cost_us,
           value = excluded.value
     where pg_catalog.pg_snapshot_xmax(e.snapshot) <= pg_catalog.pg_snapshot_xmax(excluded.snapshot)
       and pg_catalog.pg_snapshot_xmin(e.snapshot) <= pg_catalog.pg_snapshot_xmin(excluded.snapshot)
        or e.stale_until <= pg_catalog.now()
