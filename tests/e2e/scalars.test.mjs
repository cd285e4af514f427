// Every kind of value comes out, and goes in, without loss.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, id } from "./support/token.mjs";

const database = await createDatabase();
let daemon;

before(async () => {
  await shared.sql(
    database,
    `create domain public.email as text check (value like '%@%');
     create type public.mood as enum ('HAPPY', 'not so happy', 'sad');
     create table public.samples (
       id bigint primary key, small smallint, medium integer, large bigint, real_value real, double_value double precision,
       exact numeric, amount numeric(20, 4), flag boolean, words text, code varchar(10), padded char(5), address public.email,
       key uuid, day date, clock time, moment timestamptz, local_moment timestamp, duration interval, document jsonb, raw json,
       bytes bytea, mood public.mood, numbers integer[], names text[], moods public.mood[], grid integer[][], ip inet);
     create view public.v_sample with (security_invoker = true) as select * from public.samples;
     grant select on public.samples, public.v_sample to app_user;
     insert into public.samples values
       (9007199254740993, -32768, -2147483648, -9223372036854775808, 1.5, 0.1, 123456789012345678901234567890.123456789,
        -0.5, true, E'line\\nquote " back \\\\ tab \\t bell \\u0007 é 漢 🎉', 'abc', 'ab', 'a@b', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2024-02-29',
        '23:59:59.999999', '2024-02-29 23:59:59.123456+00', '2024-02-29 23:59:59.1', '1 year 2 mons 3 days 04:05:06.789',
        '{"b": [1, 2.50, "x", null, true], "a": {"deep": {"key": "é"}}, "big": 12345678901234567890}',
        '{"z": 1,  "a": 2}', '\\x00ff10', 'not so happy', '{1,-2,NULL}', '{"",a,"b,c","d\\"e",NULL}', '{HAPPY,"not so happy"}', '{{1,2},{3,4}}', '10.0.0.1'),
       (1, 32767, 2147483647, 9223372036854775807, 'NaN', 'Infinity', 'NaN', 0, false, '', '', '', 'x@', null, '0001-01-01',
        '00:00:00', '1969-12-31 23:59:59.999+00', '1970-01-01', '-1 day', '[]', '"text"', '', 'HAPPY', '{}', '{}', '{}', '{}', '::1'),
       (2, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`,
  );
  daemon = await start(database);
});
after(() => daemon?.stop());

const select = async (key, fields) => (await daemon.data(`{ sample(id: "${key}") { ${fields} } }`)).sample;
const FIRST = "9007199254740993";

test("integers: Int as a number, BigInt as a string, a key as an ID", async () => {
  assert.deepEqual(await select(FIRST, "id small medium large"), {
    id: FIRST,
    small: -32768,
    medium: -2147483648,
    large: "-9223372036854775808",
  });
  assert.equal((await select("1", "large")).large, "9223372036854775807");
});

test("2^53 + 1 survives as a BigInt in the demo", async () => {
  assert.deepEqual(await daemon.data(`{ project(id: "${id.project(1)}") { storageBytes } }`), {
    project: { storageBytes: "9007199254740993" },
  });
});

test("floating point is the shortest that reads back; decimals keep every digit", async () => {
  assert.deepEqual(await select(FIRST, "realValue doubleValue exact amount"), {
    realValue: 1.5,
    doubleValue: 0.1,
    exact: "123456789012345678901234567890.123456789",
    amount: "-0.5000",
  });
});

test("a Float that JSON has no number for is null with an error; a Decimal is text", async () => {
  const { body } = await daemon.post(`{ sample(id: "1") { exact realValue doubleValue } }`);
  assert.deepEqual(body.data, { sample: { exact: "NaN", realValue: null, doubleValue: null } });
  assert.deepEqual(body.errors.map((error) => error.path), [["sample", "realValue"], ["sample", "doubleValue"]]);
});

test("text keeps every character", async () => {
  assert.deepEqual(await select(FIRST, "words code address"), {
    words: 'line\nquote " back \\ tab \t bell \u0007 é 漢 🎉',
    code: "abc",
    address: "a@b",
  });
  assert.equal((await select("1", "words")).words, "");
});

test("uuid in lower case, booleans as such", async () => {
  assert.deepEqual(await select(FIRST, "key flag"), { key: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", flag: true });
  assert.equal((await select("1", "flag")).flag, false);
});

test("dates and times are ISO 8601, moments with their zone, local ones without", async () => {
  assert.deepEqual(await select(FIRST, "day clock moment localMoment duration"), {
    day: "2024-02-29",
    clock: "23:59:59.999999",
    moment: "2024-02-29T23:59:59.123456Z",
    localMoment: "2024-02-29T23:59:59.1",
    duration: "P1Y2M3DT4H5M6.789S",
  });
  const early = await select("1", "day clock moment localMoment duration");
  assert.equal(early.day, "0001-01-01");
  assert.equal(early.clock, "00:00:00");
  assert.equal(early.moment, "1969-12-31T23:59:59.999Z");
  assert.equal(early.localMoment, "1970-01-01T00:00:00");
  assert.equal(early.duration, "P-1D");
});

test("moments are answered in UTC whatever the database's time zone", async () => {
  await shared.sql(database, `alter role fraiseqld in database ${database} set timezone = 'Asia/Kolkata'`);
  const other = await start(database);
  try {
    const { sample } = await other.data(`{ sample(id: "${FIRST}") { moment localMoment clock } }`);
    assert.deepEqual(sample, { moment: "2024-02-29T23:59:59.123456Z", localMoment: "2024-02-29T23:59:59.1", clock: "23:59:59.999999" });
  } finally {
    await other.stop();
    await shared.sql(database, `alter role fraiseqld in database ${database} reset timezone`);
  }
});

test("JSON is passed through, numbers and all", async () => {
  const { text } = await daemon.post(`{ sample(id: "${FIRST}") { document raw } }`);
  assert.match(text, /"big": ?12345678901234567890/);
  const { document, raw } = JSON.parse(text).data.sample;
  assert.deepEqual(document.a, { deep: { key: "é" } });
  assert.deepEqual(document.b, [1, 2.5, "x", null, true]);
  assert.deepEqual(raw, { z: 1, a: 2 });
  assert.deepEqual(await select("1", "document raw"), { document: [], raw: "text" });
});

test("bytes are base64", async () => {
  assert.equal((await select(FIRST, "bytes")).bytes, Buffer.from([0, 255, 16]).toString("base64"));
  assert.equal((await select("1", "bytes")).bytes, "");
});

test("an enum's labels become names", async () => {
  assert.deepEqual(await select(FIRST, "mood moods"), { mood: "NOT_SO_HAPPY", moods: ["HAPPY", "NOT_SO_HAPPY"] });
  const { users } = await daemon.data(`{ users(where: {role: {eq: BILLING_CONTACT}}) { id role } }`);
  assert.deepEqual(
    users,
    await shared.rows(database, `select id, 'BILLING_CONTACT' as role from users where role = 'billing contact' and tenant_id = '${ACME}' order by id`),
  );
  assert.ok(users.length > 0);
});

test("arrays are lists, with nulls and with further dimensions", async () => {
  assert.deepEqual(await select(FIRST, "numbers names grid"), {
    numbers: [1, -2, null],
    names: ["", "a", "b,c", 'd"e', null],
    grid: [
      [1, 2],
      [3, 4],
    ],
  });
  assert.deepEqual(await select("1", "numbers names moods grid"), { numbers: [], names: [], moods: [], grid: [] });
});

test("addresses are text", async () => {
  assert.equal((await select(FIRST, "ip")).ip, "10.0.0.1");
});

test("null is null for every type", async () => {
  const fields = `small medium large realValue doubleValue exact amount flag words code padded address key day clock moment
    localMoment duration document raw bytes mood numbers names moods grid ip`;
  const sample = await select("2", fields);
  assert.equal(Object.keys(sample).length, fields.split(/\s+/).length);
  assert.ok(Object.values(sample).every((value) => value === null), JSON.stringify(sample));
});

// field, GraphQL type, operand that finds the first row
for (const [field, type, operand] of [
  ["small", "Int", -32768],
  ["medium", "Int", -2147483648],
  ["large", "BigInt", "-9223372036854775808"],
  ["doubleValue", "Float", 0.1],
  ["exact", "Decimal", "123456789012345678901234567890.123456789"],
  ["amount", "Decimal", "-0.5"],
  ["flag", "Boolean", true],
  ["words", "String", 'line\nquote " back \\ tab \t bell \u0007 é 漢 🎉'],
  ["key", "UUID", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
  ["day", "Date", "2024-02-29"],
  ["clock", "Time", "23:59:59.999999"],
  ["moment", "DateTime", "2024-03-01T05:29:59.123456+05:30"],
  ["localMoment", "LocalDateTime", "2024-02-29T23:59:59.1"],
  ["mood", "Mood", "NOT_SO_HAPPY"],
  ["ip", "IpAddress", "10.0.0.1"],
]) {
  test(`a ${type} goes in as a variable (${field})`, async () => {
    const data = await daemon.data(`query ($value: ${type}) { samples(where: {${field}: {eq: $value}}) { id } }`, {
      variables: { value: operand },
    });
    assert.deepEqual(data.samples, [{ id: FIRST }]);
  });
}

for (const [type, field, values] of [
  ["Int", "medium", [2147483648, 1.5, "1", true, []]],
  ["BigInt", "large", ["9223372036854775808", "1.5", "x", true]],
  ["Decimal", "exact", ["abc", true, ""]],
  ["Boolean", "flag", ["true", 1]],
  ["String", "words", [1, true, {}]],
  ["UUID", "key", ["a0eebc99", 1]],
  ["Date", "day", ["2024-02-30", "yesterday", 20240229]],
  ["DateTime", "moment", ["2024-02-29", "now", 0]],
  ["Mood", "mood", ["HAPY", "not so happy", 1]],
]) {
  test(`what is no ${type} is refused`, async () => {
    for (const value of values) {
      const error = await daemon.refusal(`query ($value: ${type}) { samples(where: {${field}: {eq: $value}}) { id } }`, {
        variables: { value },
      });
      assert.equal(error.extensions.code, "BAD_USER_INPUT", JSON.stringify(value));
      assert.equal(error.status, 400);
    }
  });
}

test("a string with a zero character is refused, as PostgreSQL has no such text", async () => {
  const error = await daemon.refusal("query ($v: String) { samples(where: {words: {eq: $v}}) { id } }", { variables: { v: "a\u0000b" } });
  assert.equal(error.status, 400);
});
