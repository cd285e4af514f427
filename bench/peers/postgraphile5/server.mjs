// server.mjs - PostGraphile 5 with its Amber preset, as its documentation has it for production.

import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import pg from "pg";
import { database, port, settingsOf, withReady } from "../settings.mjs";

const preset = {
  extends: [PostGraphileAmberPreset],
  // Lists may be ordered by any column: the indexes begin with the tenant's, which RLS adds.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  // Plain lists: what is not asked for of connections is not paid for.
  schema: { defaultBehavior: "+list -connection" },
  pgServices: [makePgService({ pool: new pg.Pool(database), schemas: ["public"] })],
  grafast: {
    explain: false,
    context: (from) => ({ pgSettings: settingsOf(from.node?.req.headers.authorization) }),
  },
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false, websockets: false },
};

const server = createServer();
const served = postgraphile(preset).createServ(grafserv);
await served.addTo(server);
const [handle] = server.listeners("request");
server.removeAllListeners("request");
server.on("request", withReady(handle));
server.listen(port, "127.0.0.1");
