// A thousand tenants, each with rows of its own, on four connections: no answer shows a foreign row.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { tokenFor } from "./support/token.mjs";

const TENANTS = 1000;
const ROUNDS = 4;
const AT_A_TIME = 64;

// The n-th tenant, its one user and its one project, recognisable in an answer.
const key = (kind, n) => `00000000-0000-4000-${kind}-${String(n).padStart(12, "0")}`;
const tenant = (n) => key("9000", n);
const user = (n) => key("9001", n);
const project = (n) => key("9002", n);

const database = await createDatabase();
await shared.sql(database, `
  insert into tenants (id, name, slug)
  select ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'Tenant ' || n, 'tenant-' || n
    from generate_series(1, ${TENANTS}) n;
  insert into users (id, tenant_id, email, name)
  select ('00000000-0000-4000-9001-' || lpad(n::text, 12, '0'))::uuid,
         ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'user@tenant-' || n || '.example', 'User ' || n
    from generate_series(1, ${TENANTS}) n;
  insert into projects (id, tenant_id, owner_id, name)
  select ('00000000-0000-4000-9002-' || lpad(n::text, 12, '0'))::uuid,
         ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid,
         ('00000000-0000-4000-9001-' || lpad(n::text, 12, '0'))::uuid, 'Project ' || n
    from generate_series(1, ${TENANTS}) n;`);
const daemon = await start(database, { database: { pool: { min: 1, max: 4 } } });
after(() => daemon.stop());

const everything = `{
  tenants { id } users { id tenantId } projects { id tenantId owner { id } }
}`;
const byKey = "query ($own: ID!, $foreign: ID!) { own: project(id: $own) { id owner { id } } foreign: project(id: $foreign) { id } }";

async function asTenant(n, round) {
  const token = tokenFor(tenant(n), user(n));
  if (round % 2 === 0) {
    const data = await daemon.data(everything, { token });
    assert.deepEqual(data, {
      tenants: [{ id: tenant(n) }],
      users: [{ id: user(n), tenantId: tenant(n) }],
      projects: [{ id: project(n), tenantId: tenant(n), owner: { id: user(n) } }],
    });
    return;
  }
  const foreign = 1 + ((n + round * 37) % TENANTS);
  const data = await daemon.data(byKey, { token, variables: { own: project(n), foreign: project(foreign) } });
  assert.deepEqual(data, { own: { id: project(n), owner: { id: user(n) } }, foreign: null });
}

test(`${TENANTS} interleaved tenants on four connections see what is theirs and nothing else`, async () => {
  let next = 0;
  async function client() {
    for (let i = next++; i < TENANTS * ROUNDS; i = next++) {
      // Neighbours in time are different tenants in different rounds.
      await asTenant(1 + ((i * 7) % TENANTS), Math.floor(i / TENANTS));
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, client));
});
