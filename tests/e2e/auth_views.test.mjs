// @auth on a table's column holds for the views that show the column, whatever else they say of it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { claims, sign } from "./support/token.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `create table tb_pay (id int primary key, silent int, described int, named int, blank int, other int, any_of int, typed jsonb, free int);
   insert into tb_pay values (1, 2, 3, 4, 5, 6, 7, '{"n": 8}', 9);
   comment on column tb_pay.silent is '@fraiseql:field auth=hr';
   comment on column tb_pay.described is 'Per month.
@fraiseql:field auth=hr';
   comment on column tb_pay.named is '@fraiseql:field
auth: {roles: [hr], scopes: ["read:pay"]}';
   comment on column tb_pay.blank is '@fraiseql:field auth=hr';
   comment on column tb_pay.other is '@fraiseql:field auth=hr';
   comment on column tb_pay.any_of is '@fraiseql:field auth=hr';
   comment on column tb_pay.typed is '@fraiseql:field auth=hr';

   create view v_pay as select id, silent, described, named, blank, other, any_of, typed, free from tb_pay;
   comment on column v_pay.described is 'What somebody earns in a month';
   comment on column v_pay.named is 'With a name.
@fraiseql:field name=label';
   comment on column v_pay.blank is ' ';
   comment on column v_pay.other is '@fraiseql:field auth=audit';
   comment on column v_pay.any_of is '@fraiseql:field
auth: {}';
   comment on column v_pay.typed is '@fraiseql:field
fields: {n: Int}';
   comment on column v_pay.free is 'Anybody''s';

   create view v_over as select p.id as id, p.described as worth, p.named, p.other, f.silent as same
     from v_pay p join tb_pay f on f.id = p.id;
   comment on column v_over.worth is '@fraiseql:field description=worth';
   comment on column v_over.named is 'again';
   comment on column v_over.other is 'again';
   comment on column v_over.same is 'again';

   create materialized view mv_kept as select id, described from tb_pay;
   comment on column mv_kept.described is 'kept';
   create view free_rows as select id, free from tb_pay;
   grant select on all tables in schema public to app_user`,
);
const daemon = await start(database, {
  tenancy: { enabled: false },
  auth: { mode: "optional" },
  schema: { expose: { views: ["v_*", "mv_*"] } },
});
after(() => daemon.stop());

const as = (...roles) => sign(claims({ roles, scope: "none" }));
const people = { nobody: as("visitor"), hr: as("hr"), audit: as("audit") };

/** Who of them, and of those without a token, is served the selection. */
async function servedTo(query) {
  const out = [];
  for (const [who, token] of [["without", null], ...Object.entries(people)]) {
    const { body } = await daemon.post(query, { token });
    if (!body.errors) out.push(who);
    else assert.ok(body.errors.every((e) => ["FORBIDDEN", "UNAUTHENTICATED"].includes(e.extensions.code)), JSON.stringify(body));
  }
  return out;
}
const all = ["without", "nobody", "hr", "audit"];
const cases = [
  ["the view says nothing of the column", "{ pays { silent } }", ["hr"]],
  ["the view describes it", "{ pays { described } }", ["hr"]],
  ["the view gives it another name", "{ pays { label } }", []],
  ["the view's comment is blank", "{ pays { blank } }", ["hr"]],
  ["the view says whose it is", "{ pays { other } }", ["audit"]],
  ["the view says that any identity may", "{ pays { anyOf } }", ["nobody", "hr", "audit"]],
  ["the view says what is in the document", "{ pays { typed { n } } }", ["hr"]],
  ["there is no rule", "{ pays { free id } }", all],
  ["a view of the view gives it a description", "{ overs { worth } }", ["hr"]],
  ["a view of the view describes one that the first one named", "{ overs { named } }", []],
  ["a view of the view describes one whose rule the first one made", "{ overs { other } }", ["audit"]],
  ["a view joins the table again", "{ overs { same } }", ["hr"]],
  ["a materialized view keeps it", "{ kepts { described } }", ["hr"]],
  ["a condition of the view asks for it", "{ pays(where: {described: {gt: 1}}) { id } }", ["hr"]],
  ["the order of the view goes by it", "{ overs(orderBy: [{worth: ASC}]) { id } }", ["hr"]],
];
for (const [what, query, who] of cases)
  test(`a rule of the table's column holds where ${what}`, async () => {
    assert.deepEqual(await servedTo(query), who);
  });

test("both scopes and roles of the table's rule are kept under another comment", async () => {
  const token = sign(claims({ roles: ["hr"], scope: "read:pay" }));
  assert.deepEqual((await daemon.data("{ pays { label } overs { named } }", { token })), { pays: [{ label: 4 }], overs: [{ named: 4 }] });
});

test("rules that nobody satisfies, as no token is looked at, are warned of", async () => {
  const config = { tenancy: { enabled: false }, auth: { mode: "none" }, schema: { expose: { views: ["v_*", "mv_*"] } } };
  const warning = /nobody can use what has @auth/;
  const blind = await start(database, config);
  assert.match(blind.stderr, warning);
  assert.equal((await blind.post("{ pays { silent } }", { token: people.hr })).body.errors[0].extensions.code, "UNAUTHENTICATED");
  await blind.stop();
  const check = (more, ...args) => program(["check", "--connect", ...args, "-c", writeConfiguration(configuration(database, { ...config, ...more }))]);
  const text = await check({});
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stderr, /^fraiseqld: warning: nobody can use what has @auth/m);
  const json = JSON.parse((await check({}, "--format", "json")).stdout);
  assert.ok(json.valid && json.warnings.length === 1 && warning.test(json.warnings[0]), JSON.stringify(json));
  // With tokens, or without rules, there is nothing to be said.
  assert.doesNotMatch(daemon.stderr, warning);
  const optional = await check({ auth: { mode: "optional" } }, "--format", "json");
  assert.deepEqual(JSON.parse(optional.stdout).warnings, [], optional.stdout);
  const free = await check({ schema: { expose: { views: ["free_rows"], functions: [] } } }, "--format", "json");
  assert.deepEqual(JSON.parse(free.stdout).warnings, [], free.stdout);
});
