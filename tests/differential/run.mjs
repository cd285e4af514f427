// run.mjs - accepts fraiseqld exactly what graphql-js accepts?
//
//   node tests/differential/run.mjs DRIVER [SEED...]
//
//   DOCUMENTS    for each seed (2000); a third is right, the others are made wrong
//   SHOW         disagreements printed (10)
//
// Without seeds: 1, 2 and one of the moment, which is printed. Compared are whether a document is
// parsed, whether it is valid, and whether the values of its variables fit; where the first error
// is, is reported only. The last line counts: a seed with a schema is one test.

import { readFileSync } from "node:fs";
import { buildSchema, getVariableValues, GraphQLError, Kind, parse, specifiedRules, validate, visit } from "graphql";
import { Driver } from "./driver.mjs";
import { generate } from "./generate.mjs";
import { mutateText, mutateTree, mutateValue } from "./mutate.mjs";
import { Random } from "./random.mjs";
import { defineScalars } from "./scalars.mjs";

const schemas = ["tests/plan/catalog.json", "test"];
const documents = Number(process.env.DOCUMENTS || 2000);
const show = Number(process.env.SHOW || 10);

const count = { documents: 0, accepted: 0, disagree: 0, skipped: {}, values: 0, fitting: 0, places: 0, samePlace: 0 };

function skip(why) {
  count.skipped[why] = (count.skipped[why] ?? 0) + 1;
}

// --- what graphql-js says -----------------------------------------------------------------------------------

/** { verdict, errors, document } as the driver has it; verdict "none" when graphql-js fails itself. */
function judge(schema, text) {
  let document;
  try {
    document = parse(text);
  } catch (error) {
    if (error instanceof GraphQLError) {
      return { verdict: "parse", errors: [error] };
    }
    throw error;
  }
  try {
    const errors = validate(schema, document, specifiedRules);
    return { verdict: errors.length ? "validation" : "ok", errors, document };
  } catch (error) {
    // Of rules that rely on what other rules check: OneOf looks up variables that may not be
    // declared, and the root of a subscription is collected without values for @skip and @include.
    return { verdict: "none", errors: [error], document };
  }
}

/** Why verdicts differ on purpose, or undefined. Only asked when they do. */
function difference(text, { document, errors }, schema) {
  let why;
  if (/\0|\\u0000|\\u\{0+\}/i.test(text)) {
    return "a NUL, which PostgreSQL cannot hold";
  }
  if (!document) {
    // The September 2025 edition describes operations, fragments and variables.
    return /^Syntax Error: (Unexpected description|Expected "\$", found (Block)?String)/.test(errors[0].message)
      ? "a description"
      : undefined;
  }
  visit(document, {
    FloatValue(node) {
      if (!Number.isFinite(Number(node.value))) {
        why = "a number beyond double precision";
      }
    },
    // Boolean there, Boolean! since the September 2025 edition.
    Argument(node) {
      if (node.name.value === "includeDeprecated" && node.value.kind !== Kind.BOOLEAN) {
        why = "includeDeprecated that is no literal";
      }
    },
    // That edition has no @skip and @include at the root of a subscription, and no operations of a
    // kind for which there is no root type.
    OperationDefinition(node) {
      if (!schema.getRootType(node.operation)) {
        why = "an operation without root type";
      } else if (node.operation === "subscription" && /@(skip|include)\b/.test(text)) {
        why = "@skip or @include in a subscription";
      }
    },
  });
  return why;
}

function disagree(seed, text, ours, theirs, more = "") {
  count.disagree++;
  if (count.disagree <= show) {
    const messages = (errors) => errors.slice(0, 3).map((e) => `    ${e.message} ${JSON.stringify(e.locations ?? [])}`);
    console.log(
      [`--- seed ${seed}: ours ${ours.verdict}, theirs ${theirs.verdict} ${more}`, text, "  ours:", ...messages(ours.errors), "  theirs:", ...messages(theirs.errors)].join("\n"),
    );
  }
}

function comparePlaces(ours, theirs) {
  const first = (theirs.errors[0].locations ?? []).map(({ line, column }) => `${line}:${column}`);
  const all = ours.errors.map((e) => e.locations.map(([line, column]) => `${line}:${column}`).sort().join());
  count.places++;
  count.samePlace += all.includes(first.sort().join()) ? 1 : 0;
}

function compareVariables(schema, item, ours, theirs) {
  const operations = theirs.document.definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION);
  const operation = operations.find((o) => (o.name?.value ?? "") === item.operationName) ?? operations[0];
  if (ours.variables === null || (operations.length > 1 && operation.name?.value !== item.operationName)) {
    return;
  }
  const { errors = [] } = getVariableValues(schema, operation.variableDefinitions ?? [], item.variables);
  const verdict = errors.length === 0;
  count.values++;
  count.fitting += verdict ? 1 : 0;
  if (verdict !== ours.variables) {
    disagree(item.seed, item.text, { verdict: ours.variables, errors: ours.errors }, { verdict, errors }, JSON.stringify(item.variables));
  }
}

// --- one seed -------------------------------------------------------------------------------------------------

function* items(schema, seed, n) {
  const random = new Random(seed);
  for (let i = 0; i < n; i++) {
    const right = generate(schema, random);
    const item = { ...right, seed };
    const kind = i % 6;
    if (kind === 2 || kind === 3) {
      item.text = mutateTree(schema, random, right.ast, 1);
      item.single = true;
    } else if (kind === 4) {
      item.text = mutateTree(schema, random, right.ast, random.between(2, 4));
    } else if (kind === 5) {
      item.text = mutateText(random, right.text, random.pick([1, 1, 1, 2, 3]));
    }
    if (kind === 1) {
      for (const key of Object.keys(item.variables)) {
        if (random.chance(0.6)) {
          item.variables = { ...item.variables, [key]: mutateValue(random, item.variables[key]) };
        }
      }
    }
    if (item.text.isWellFormed?.() ?? true) {
      yield item; // else it is no UTF-8
    }
  }
}

async function compare(schema, driver, item) {
  const ours = await driver.ask(item.text, item.operationName, item.variables);
  const theirs = judge(schema, item.text);
  if (theirs.verdict === "none" || ours.verdict === "limit") {
    skip(theirs.verdict === "none" ? `a failure of graphql-js: ${theirs.errors[0].message}` : "a limit of ours");
    return;
  }
  const why = ours.verdict === theirs.verdict ? undefined : difference(item.text, theirs, schema);
  if (why) {
    skip(why);
    return;
  }
  count.documents++;
  count.accepted += theirs.verdict === "ok" ? 1 : 0;
  if (ours.verdict !== theirs.verdict) {
    disagree(item.seed, item.text, ours, theirs);
  } else if (theirs.verdict === "ok") {
    compareVariables(schema, item, ours, theirs);
  } else if (item.single) {
    comparePlaces(ours, theirs);
  }
}

async function runSeed(program, from, seed) {
  const driver = new Driver(program, from);
  const schema = buildSchema(driver.sdl());
  defineScalars(schema);
  const batch = [];
  for (const item of items(schema, seed, Math.ceil(documents / schemas.length))) {
    batch.push(compare(schema, driver, item));
    if (batch.length === 100) {
      await Promise.all(batch.splice(0));
    }
  }
  await Promise.all(batch);
  await driver.end();
}

const [program, ...given] = process.argv.slice(2);
const seeds = given.length ? given.map(Number) : [1, 2, Date.now() % 1e9];
const { version } = JSON.parse(readFileSync(new URL("../node_modules/graphql/package.json", import.meta.url)));

let passed = 0;
let failed = 0;
console.log(`graphql-js ${version}, seeds ${seeds.join(" ")}`);
for (const seed of seeds) {
  for (const from of schemas) {
    const before = count.disagree;
    await runSeed(program, from, seed);
    if (count.disagree === before) {
      passed++;
    } else {
      failed++;
    }
  }
}
for (const [why, n] of Object.entries(count.skipped)) {
  console.log(`not compared: ${n} with ${why}`);
}
console.log(`${count.accepted} of ${count.documents} documents are right; ${count.fitting} of ${count.values} sets of values fit`);
console.log(`first error in the same place: ${((100 * count.samePlace) / (count.places || 1)).toFixed(1)} % of ${count.places}`);
console.log(`${count.disagree} disagreements on ${count.documents} documents and ${count.values} sets of values`);
if (count.accepted < count.documents / 4 || count.documents < (documents * seeds.length) / 2) {
  console.log("too few documents were right, or could be compared, for this to prove anything");
  failed++;
}
console.log(`differential: ${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
