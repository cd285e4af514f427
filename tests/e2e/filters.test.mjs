// Each filter operator finds what the same condition finds in SQL.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, id } from "./support/token.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `update projects set name = '100% sure_thing \\ "quoted"' where id = '${id.project(5)}';
   update projects set name = '100 is sureXthing' where id = '${id.project(6)}'`,
);
const daemon = await start(database, { schema: { pagination: { max_limit: 5000, default_limit: 5000 } } });
after(() => daemon.stop());

const P = "project";
const T = "task";
const U = "user";

// of, GraphQL filter, SQL condition on the view
const cases = [
  [P, `{status: {eq: "ACTIVE"}}`, `status = 'ACTIVE'`],
  [P, `{status: {neq: "ACTIVE"}}`, `status <> 'ACTIVE'`],
  [P, `{status: {in: ["ACTIVE", "PLANNED"]}}`, `status in ('ACTIVE', 'PLANNED')`],
  [P, `{status: {nin: ["ACTIVE", "PLANNED"]}}`, `status not in ('ACTIVE', 'PLANNED')`],
  [P, `{status: {in: []}}`, `false`, "none"],
  [P, `{status: {nin: []}}`, `true`],
  [P, `{id: {in: ["${id.project(1)}", "${id.project(3)}", "${id.project(299)}"]}}`, `id in ('${id.project(1)}', '${id.project(3)}')`],
  [P, `{description: {isnull: true}}`, `description is null`],
  [P, `{description: {isnull: false}}`, `description is not null`],
  [P, `{description: {eq: null}}`, `description is null`],
  [P, `{description: {neq: null}}`, `description is not null`],
  [P, `{budget: {neq: "1000"}}`, `budget <> 1000`],
  [P, `{budget: {gt: "50000.5"}}`, `budget > 50000.5`],
  [P, `{budget: {gte: 50000}}`, `budget >= 50000`],
  [P, `{budget: {lt: "50000", gt: "10000"}}`, `budget < 50000 and budget > 10000`],
  [P, `{dueDate: {lte: "2024-12-31"}}`, `due_date <= '2024-12-31'`],
  [P, `{createdAt: {gte: "2024-03-10T00:00:00Z"}}`, `created_at >= '2024-03-10 00:00:00+00'`],
  [P, `{storageBytes: {eq: "9007199254740993"}}`, `storage_bytes = 9007199254740993`],
  [P, `{storageBytes: {gt: "1000000000"}}`, `storage_bytes > 1000000000`],
  [P, `{name: {gt: "M"}}`, `name > 'M'`],
  [P, `{closed: {eq: true}}`, `closed`],
  [P, `{name: {contains: "shop"}}`, `name like '%shop%'`],
  [P, `{name: {contains: "100% sure_thing \\\\ \\"q"}}`, `position('100% sure_thing \\ "q' in name) > 0`],
  [P, `{name: {contains: "e_t"}}`, `position('e_t' in name) > 0`],
  [P, `{name: {icontains: "WEBSITE"}}`, `name ilike '%website%'`],
  [P, `{name: {startswith: "Web"}}`, `name like 'Web%'`],
  [P, `{name: {startswith: "100%"}}`, `starts_with(name, '100%')`],
  [P, `{name: {istartswith: "wEB"}}`, `name ilike 'web%'`],
  [P, `{name: {endswith: "0"}}`, `name like '%0'`],
  [P, `{name: {iendswith: "RELAUNCH"}}`, `name ilike '%relaunch'`],
  [P, `{name: {like: "_e%"}}`, `name like '_e%'`],
  [P, `{name: {ilike: "%RE%"}}`, `name ilike '%re%'`],
  [P, `{name: {nlike: "%i%"}}`, `name not like '%i%'`],
  [P, `{name: {nilike: "%I%"}}`, `name not ilike '%i%'`],
  [P, `{name: {regex: "^[A-M].*[0-9]$"}}`, `name ~ '^[A-M].*[0-9]$'`],
  [P, `{name: {iregex: "^[a-m]"}}`, `name ~* '^[a-m]'`],
  [P, `{name: {nregex: "[0-9]$"}}`, `name !~ '[0-9]$'`],
  [P, `{name: {niregex: "WEB"}}`, `name !~* 'web'`],
  [P, `{name: {eq: "'; drop table projects; --"}}`, `false`, "none"],
  [P, `{labels: {contains: ["web"]}}`, `labels @> '{web}'`],
  [P, `{labels: {contained_by: ["web", "mobile", "infra"]}}`, `labels <@ '{web,mobile,infra}'`],
  [P, `{labels: {overlaps: ["q3", "q4"]}}`, `labels && '{q3,q4}'`],
  [P, `{labels: {len_eq: 2}}`, `cardinality(labels) = 2`],
  [P, `{labels: {len_neq: 2}}`, `cardinality(labels) <> 2`],
  [P, `{labels: {len_gt: 1}}`, `cardinality(labels) > 1`],
  [P, `{labels: {len_gte: 1}}`, `cardinality(labels) >= 1`],
  [P, `{labels: {len_lt: 2}}`, `cardinality(labels) < 2`],
  [P, `{labels: {len_lte: 2}}`, `cardinality(labels) <= 2`],
  [P, `{settings: {contains: {board: {swimlanes: true}}}}`, `settings @> '{"board": {"swimlanes": true}}'`],
  [P, `{settings: {has_key: "board"}}`, `settings ? 'board'`],
  [P, `{settings: {has_any_keys: ["nothing", "watchers"]}}`, `settings ?| '{nothing,watchers}'`],
  [P, `{settings: {has_all_keys: ["board", "watchers"]}}`, `settings ?& '{board,watchers}'`],
  [P, `{settings: {path_exists: "$.board ? (@.columns > 4)"}}`, `settings @? '$.board ? (@.columns > 4)'`],
  [P, `{settings: {path_match: "$.board.columns == 3"}}`, `settings @@ '$.board.columns == 3'`],
  [T, `{priority: {eq: 1}}`, `priority = 1`],
  [T, `{priority: {in: [1, 5]}, closed: {eq: false}}`, `priority in (1, 5) and not closed`],
  [T, `{assigneeId: {isnull: true}}`, `assignee_id is null`],
  [T, `{estimateHours: {gte: "10.25"}}`, `estimate_hours >= 10.25`],
  [T, `{completedAt: {lt: "2024-06-01T00:00:00+02:00"}}`, `completed_at < '2024-05-31 22:00:00+00'`],
  [T, `{attributes: {contains: {points: 3}}}`, `attributes @> '{"points": 3}'`],
  [U, `{role: {eq: admin}}`, `role = 'admin'`],
  [U, `{role: {in: [admin, owner]}}`, `role in ('admin', 'owner')`],
  [U, `{active: {eq: false}}`, `not active`],
  [U, `{hourlyRate: {isnull: true}}`, `hourly_rate is null`],
  [U, `{email: {endswith: "@acme.example"}}`, `email like '%@acme.example'`],
  // combinations
  [P, `{OR: [{status: {eq: "ACTIVE"}}, {name: {startswith: "W"}}]}`, `status = 'ACTIVE' or name like 'W%'`],
  [P, `{AND: [{status: {eq: "ACTIVE"}}, {name: {contains: "e"}}]}`, `status = 'ACTIVE' and name like '%e%'`],
  [P, `{NOT: {status: {eq: "ACTIVE"}}}`, `not status = 'ACTIVE'`],
  [P, `{NOT: {budget: {gt: "1"}}}`, `not budget > 1`, "maybe none"],
  [
    P,
    `{status: {neq: "ARCHIVED"}, OR: [{budget: {isnull: true}}, {AND: [{dueDate: {isnull: true}}, {NOT: {name: {contains: "a"}}}]}]}`,
    `status <> 'ARCHIVED' and (budget is null or (due_date is null and not name like '%a%'))`,
  ],
  [P, `{}`, `true`],
  [P, `{OR: []}`, `false`, "none"],
  [P, `{AND: []}`, `true`],
  [P, `{name: null}`, `true`],
  [P, `{name: {}}`, `true`],
  // relations
  [P, `{owner: {name: {startswith: "A"}}}`, `exists (select from users u where u.id = owner_id and u.name like 'A%')`],
  [P, `{owner: {active: {eq: true}, role: {neq: owner}}}`, `exists (select from users u where u.id = owner_id and u.active and u.role <> 'owner')`],
  [T, `{assignee: {name: {eq: "Grace Hopper"}}}`, `exists (select from users u where u.id = assignee_id and u.name = 'Grace Hopper')`],
  [T, `{project: {owner: {name: {contains: "Ada"}}}}`, `exists (select from projects p join users u on u.id = p.owner_id where p.id = v.project_id and u.name like '%Ada%')`],
  [P, `{tasks: {some: {status: {eq: "REVIEW"}}}}`, `exists (select from tasks t where t.project_id = v.id and t.status = 'REVIEW')`],
  [P, `{tasks: {none: {status: {eq: "REVIEW"}}}}`, `not exists (select from tasks t where t.project_id = v.id and t.status = 'REVIEW')`],
  [P, `{tasks: {every: {priority: {gte: 2}}}}`, `not exists (select from tasks t where t.project_id = v.id and not (t.priority >= 2))`, "maybe none"],
  [P, `{tasks: {some: {comments: {some: {body: {contains: "🎉"}}}}}}`, `exists (select from tasks t join comments c on c.task_id = t.id where t.project_id = v.id and c.body like '%🎉%')`],
];

for (const [of, filter, condition, note] of cases) {
  test(`${of}s(where: ${filter})`, async () => {
    const field = `${of}s`;
    const expected = await shared.rows(
      database,
      `select id from v_${of} v where tenant_id = '${ACME}' and (${condition}) order by id`,
    );
    if (note === "none") {
      assert.deepEqual(expected, []);
    } else if (note !== "maybe none") {
      assert.ok(expected.length > 0, "the condition should find something");
    }
    assert.deepEqual((await daemon.data(`{ ${field}(where: ${filter}) { id } }`))[field], expected);
  });
}

// GraphQL's literals as JSON, for the same filters through a variable.
function asJson(literal) {
  return JSON.parse(literal.replace(/("(?:[^"\\]|\\.)*")|([A-Za-z_]\w*)(\s*:)?/g, (whole, string, name, colon) => {
    if (string !== undefined) {
      return string;
    }
    return colon || !["true", "false", "null"].includes(name) ? `"${name}"${colon ?? ""}` : whole;
  }));
}

test("every filter finds the same through a variable", async () => {
  for (const [of, filter, condition] of cases) {
    const field = `${of}s`;
    const type = of[0].toUpperCase() + of.slice(1);
    const expected = await shared.rows(
      database,
      `select id from v_${of} v where tenant_id = '${ACME}' and (${condition}) order by id`,
    );
    const data = await daemon.data(`query ($where: ${type}WhereInput) { ${field}(where: $where) { id } }`, {
      variables: { where: asJson(filter) },
    });
    assert.deepEqual(data[field], expected, filter);
  }
});

test("a null operand is an error but for eq and neq", async () => {
  for (const operator of ["gt", "in", "contains", "like", "isnull"]) {
    const error = await daemon.refusal("query ($where: ProjectWhereInput) { projects(where: $where) { id } }", {
      variables: { where: { name: { [operator]: null } } },
    });
    assert.equal(error.status, 400, operator);
  }
});

test("an operator is refused where the type does not have it", async () => {
  for (const filter of [`{priority: {contains: 1}}`, `{priority: {like: "1"}}`, `{attributes: {gt: 1}}`, `{labels: {startswith: "a"}}`]) {
    const error = await daemon.refusal(`{ tasks(where: ${filter}) { id } }`);
    assert.equal(error.extensions.code, "GRAPHQL_VALIDATION_FAILED", filter);
  }
});

test("a malformed regular expression or path is the client's error", async () => {
  for (const filter of [`{name: {regex: "("}}`, `{settings: {path_exists: "$["}}`]) {
    const { body } = await daemon.post(`{ projects(where: ${filter}) { id } }`);
    assert.equal(body.errors[0].extensions.code, "BAD_USER_INPUT", filter);
  }
});
