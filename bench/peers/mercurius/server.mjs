// server.mjs - Mercurius with its JIT and resolvers written by hand: only the columns asked for, batched
// loaders, prepared statements, and one transaction a request, which begins with the tenant's settings.

import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";
import { database, port, tenantOf } from "../settings.mjs";

// As PostgreSQL writes them: dates, times, and numbers that are no doubles.
for (const oid of [1082, 1114, 1184, 1700, 20]) {
  pg.types.setTypeParser(oid, (text) => text);
}
const pool = new pg.Pool(database);

const schema = `
  type User { id: ID! email: String! name: String! role: String! active: Boolean! createdAt: String! lastLoginAt: String }
  type Project {
    id: ID! ownerId: ID! name: String! description: String status: String! budget: String startsOn: String dueOn: String
    createdAt: String! updatedAt: String! owner: User! tasks(limit: Int!): [Task!]!
  }
  type Task {
    id: ID! projectId: ID! assigneeId: ID title: String! description: String status: String! priority: Int!
    estimateHours: String dueOn: String createdAt: String! updatedAt: String! completedAt: String assignee: User
  }
  type Summary {
    tenantId: ID! projectCount: String! totalTasks: String! doneTasks: String! totalBudget: String lastUpdate: String
  }
  input CreateTaskInput { projectId: ID! title: String! description: String assigneeId: ID }
  input UpdateTaskStatusInput { id: ID! status: String! }
  type Query {
    user(id: ID!): User
    project(id: ID!): Project
    projects(status: String, limit: Int!): [Project!]!
    tasks(status: String!, limit: Int!): [Task!]!
    tenantProjectSummaries(limit: Int!): [Summary!]!
  }
  type Mutation {
    createTask(input: CreateTaskInput!): Task!
    updateTaskStatus(input: UpdateTaskStatusInput!): Task!
  }`;

// Relations need their keys.
const KEYS = { owner: "ownerId", tasks: "id", assignee: "assigneeId" };
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const selections = new WeakMap();

/** The columns that a field selects, as SQL; found once for each place in a document, which Mercurius keeps. */
function columnsOf(info, ...more) {
  const [node] = info.fieldNodes;
  let columns = selections.get(node);
  if (columns === undefined) {
    const names = new Set(more);
    for (const { name } of node.selectionSet.selections) {
      names.add(KEYS[name.value] ?? name.value);
    }
    columns = [...names].map((name) => `${snake(name)} as "${name}"`).join(", ");
    selections.set(node, columns);
  }
  return columns;
}

const names = new Map();

/** Runs a statement in the request's transaction, which the first one begins; prepared by name. */
async function run(context, text, values) {
  context.client ??= pool.connect().then(async (client) => {
    // The tenant is a UUID, so it is safe in a literal; one message does for both.
    await client.query(`begin; select set_config('role', 'app_user', true), set_config('app.current_tenant_id', '${context.tenant}', true)`);
    return client;
  });
  const client = await context.client;
  if (!names.has(text)) {
    names.set(text, `s${names.size}`);
  }
  return (await client.query({ name: names.get(text), text, values })).rows;
}

/** Puts rows in the order of what was asked for. */
function byKey(rows, keys) {
  const found = new Map(rows.map((row) => [row.id, row]));
  return keys.map((key) => found.get(key) ?? null);
}

const users = (key) => ({
  async loader(queries, context) {
    const keys = queries.map(({ obj }) => obj[key]);
    const columns = columnsOf(queries[0].info, "id");
    return byKey(await run(context, `select ${columns} from v_user where id = any ($1::uuid[])`, [[...new Set(keys.filter(Boolean))]]), keys);
  },
  opts: { cache: false },
});

const loaders = {
  Project: {
    owner: users("ownerId"),
    tasks: {
      async loader(queries, context) {
        const keys = queries.map(({ obj }) => obj.id);
        const rows = await run(
          context,
          `select p.id as "of", t.* from unnest($1::uuid[]) as p(id) cross join lateral (
             select ${columnsOf(queries[0].info)} from v_task where project_id = p.id
             order by created_at desc, v_task.id limit $2) as t`,
          [keys, queries[0].params.limit],
        );
        const lists = new Map(keys.map((key) => [key, []]));
        for (const row of rows) {
          lists.get(row.of).push(row);
        }
        return keys.map((key) => lists.get(key));
      },
      opts: { cache: false },
    },
  },
  Task: { assignee: users("assigneeId") },
};

const resolvers = {
  Query: {
    user: async (_, { id }, context, info) =>
      (await run(context, `select ${columnsOf(info)} from v_user where id = $1`, [id]))[0],
    project: async (_, { id }, context, info) =>
      (await run(context, `select ${columnsOf(info)} from v_project where id = $1`, [id]))[0],
    projects: (_, { status, limit }, context, info) =>
      status === undefined
        ? run(context, `select ${columnsOf(info)} from v_project order by updated_at desc, v_project.id limit $1`, [limit])
        : run(context, `select ${columnsOf(info)} from v_project where status = $1 order by updated_at desc, v_project.id limit $2`, [status, limit]),
    tasks: (_, { status, limit }, context, info) =>
      run(context, `select ${columnsOf(info)} from v_task where status = $1 order by updated_at desc, v_task.id limit $2`, [status, limit]),
    tenantProjectSummaries: (_, { limit }, context, info) =>
      run(context, `select ${columnsOf(info)} from v_tenant_project_summary limit $1`, [limit]),
  },
  Mutation: {
    createTask: async (_, { input }, context, info) =>
      (
        await run(
          context,
          `select ${columnsOf(info)} from fn_create_task(project_id => $1, title => $2, description => $3, assignee_id => $4)`,
          [input.projectId, input.title, input.description, input.assigneeId],
        )
      )[0],
    updateTaskStatus: async (_, { input }, context, info) =>
      (await run(context, `select ${columnsOf(info)} from fn_update_task_status(id => $1, status => $2)`, [input.id, input.status]))[0],
  },
};

const app = Fastify({ logger: false });
app.get("/ready", async () => "ready\n");
app.register(mercurius, {
  schema,
  resolvers,
  loaders,
  jit: 1,
  graphiql: false,
  context: (request) => ({ tenant: tenantOf(request.headers.authorization) }),
});
await app.ready();
app.graphql.addHook("onResolution", async (execution, context) => {
  if (context.client === undefined) return;
  const client = await context.client;
  try {
    await client.query(execution.errors?.length > 0 ? "rollback" : "commit");
    client.release();
  } catch (error) {
    client.release(error);
    throw error;
  }
});
await app.listen({ host: "127.0.0.1", port });
