// GraphQL Code Generator: types from the live schema, and a program that is checked with them and runs.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { ACME, id, tokenFor } from "../e2e/support/token.mjs";
import { Project } from "./support/project.mjs";

// Packages that the generator needs take no older Node.
const skip = Number(process.versions.node.split(".")[0]) < 20 && "needs Node 20";

const database = await createDatabase();
const daemon = await start(database);
after(() => daemon.stop());

const token = tokenFor(ACME);
const url = `${daemon.url}/graphql`;

const OPERATIONS = `
query Projects($where: ProjectWhereInput, $limit: Int = 2) {
  projects(where: $where, orderBy: [{ name: DESC }], limit: $limit) { ...Project tasks(limit: 1) { title dueDate } }
}
fragment Project on Project { id name budget labels owner { name } }
`;

const PROGRAM = `
import { GraphQLClient } from "graphql-request";
import { ProjectsDocument, type ProjectFragment } from "./generated.js";
import type { Project, ProjectWhereInput } from "./schema.js";

const client = new GraphQLClient(${JSON.stringify(url)}, { headers: { authorization: "Bearer ${token}" } });
const line = (p: ProjectFragment): string => [p.id, p.name.toUpperCase(), p.owner?.name ?? "nobody"].join("|");
const where: ProjectWhereInput = { status: { eq: "ACTIVE" } };
const { projects } = await client.request(ProjectsDocument, { where, limit: 3 });
const count: Project["taskCount"] = 1;
const titles: string[] = projects.flatMap((p) => p.tasks.map((t) => t.title));
console.log(projects.map(line).join("\\n"));
if (titles.length > 3 * Number(count)) throw new Error("more titles than asked for");
`;

const config = {
  schema: [{ [url]: { headers: { Authorization: `Bearer ${token}` } } }],
  documents: "operations.graphql",
  config: { useTypeImports: true },
  generates: {
    "schema.ts": { plugins: ["typescript"] },
    "generated.ts": { plugins: ["typescript-operations", "typed-document-node"] },
  },
};

const project = new Project({
  "codegen.json": JSON.stringify(config),
  "operations.graphql": OPERATIONS,
  "program.ts": PROGRAM,
});

/** Strictly; only declarations of packages are believed. */
async function check(name, more = {}) {
  const compilerOptions = { strict: true, target: "es2022", module: "nodenext", types: [], skipLibCheck: true, ...more };
  project.write({ "tsconfig.json": JSON.stringify({ compilerOptions, files: [name] }) });
  return project.run("tsc", "--project", "tsconfig.json");
}

const generated = skip || (await project.run("graphql-codegen", "--config", "codegen.json"));

test("types are generated from the introspected schema", { skip }, () => {
  assert.equal(generated.code, 0, generated.output);
});

test("a program that uses them is accepted by tsc --strict, and runs", { skip }, async () => {
  const { code, output } = await check("program.ts");
  assert.equal(code, 0, output);
  const ran = await project.run("node", "program.js");
  const expected = await shared.sql(
    database,
    `select concat_ws('|', p.id, upper(p.name), u.name) from projects p join users u on u.id = p.owner_id
     where p.tenant_id = '${id.tenant(1)}' and p.status = 'ACTIVE' order by p.name desc, p.id limit 3`,
  );
  assert.equal(ran.output.trim(), expected);
});

test("what a program mistakes is refused, each where it is", { skip }, async () => {
  const mistakes = [
    ["p.name.toUpperCase()", "p.name.toFixed()"],
    ['{ eq: "ACTIVE" }', "{ equals: 1 }"],
    ["limit: 3", 'limit: "3"'],
    ["t.title", "t.titel"],
  ];
  let wrong = PROGRAM;
  for (const [from, to] of mistakes) {
    assert.ok(wrong.includes(from));
    wrong = wrong.replace(from, to);
  }
  project.write({ "wrong.ts": wrong });
  const { code, output } = await check("wrong.ts", { noEmit: true });
  const places = [...output.matchAll(/^wrong\.ts\((\d+),\d+\): error TS/gm)].map((match) => Number(match[1]));
  const lines = wrong.split("\n");
  const expected = mistakes.map(([, to]) => lines.findIndex((line) => line.includes(to)) + 1);
  assert.notEqual(code, 0);
  assert.deepEqual([...new Set(places)].sort((a, b) => a - b), expected.sort((a, b) => a - b), output);
});
