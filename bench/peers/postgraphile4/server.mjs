// server.mjs - PostGraphile 4 as a library, as its documentation has it for production.

import { createServer } from "node:http";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { database, port, settingsOf, withReady } from "../settings.mjs";

const handle = postgraphile(new pg.Pool(database), "public", {
  graphqlRoute: "/graphql",
  graphiql: false,
  disableQueryLog: true,
  disableDefaultMutations: true,
  dynamicJson: true,
  legacyRelations: "omit",
  // Plain lists: what is not asked for of connections is not paid for.
  simpleCollections: "only",
  ignoreRBAC: false,
  pgSettings: (request) => settingsOf(request.headers.authorization),
});
createServer(withReady(handle)).listen(port, "127.0.0.1");
