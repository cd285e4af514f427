// scalars.mjs - our scalars as graphql-js would have them: what each accepts, and examples.

import { GraphQLError, Kind, valueFromASTUntyped } from "graphql";

const matches = (pattern) => (value) => typeof value === "string" && pattern.test(value);
const isText = (value) => typeof value === "string";
const isPlain = (value) => ["string", "number", "boolean"].includes(typeof value);

function isDate(value) {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(value) ?? [];
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return Number(year) > 0 && date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day);
}

const clock = String.raw`(?:[01]\d|2[0-3]):[0-5]\d`;
const seconds = String.raw`:(?:[0-5]\d|60)(?:\.\d{1,9})?`;
const zone = String.raw`(?:[Zz]|[+-](?:0\d|1[0-5]):[0-5]\d)`;
const time = new RegExp(`^${clock}(${seconds})?${zone}?$`);
const infinity = /^-?infinity$/;

/** A date, T, and what of a time the pattern asks for. */
const dateAnd = (pattern) => (value) =>
  isText(value) &&
  (infinity.test(value) || (isDate(value.slice(0, 10)) && new RegExp(`^[Tt]${pattern}$`).test(value.slice(10))));

const part = (units) => [...units].map((unit) => `(?:-?\\d{1,10}${unit})?`).join("");
const interval = new RegExp(`^P(?=.)${part("YMWD")}(?:T(?=.)${part("HM")}(?:-?\\d{1,10}(?:\\.\\d{1,9})?S)?)?$`);

const isBigInt = (value) =>
  (Number.isSafeInteger(value) || matches(/^-?[0-9]+$/)(value)) && BigInt(value) === BigInt.asIntN(64, BigInt(value));

/** Name, does it accept the value?, values for it. */
const scalars = {
  BigInt: [isBigInt, ["0", "-12", "9223372036854775807", 7, -3]],
  Date: [(v) => isText(v) && (infinity.test(v) || isDate(v)), ["2026-11-23", "2024-02-29", "infinity"]],
  DateTime: [dateAnd(clock + seconds + zone), ["2026-11-23T06:13:04Z", "2026-11-23T06:13:04.123456+01:00"]],
  LocalDateTime: [dateAnd(`${clock}(${seconds})?`), ["2026-11-23T06:13:04", "2026-11-23T06:13"]],
  Time: [matches(time), ["06:13:04", "06:13", "06:13:04.5+01:00"]],
  Decimal: [
    (v) => typeof v === "number" || matches(/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?$|^NaN$/)(v),
    ["1.50", "-0.1", "1e3", 12, 0.25],
  ],
  UUID: [
    matches(/^[0-9a-f]{32}$|^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i),
    ["00000000-0000-4000-8000-000000000001", "00000000000040008000000000000001"],
  ],
  Interval: [matches(interval), ["P1D", "P1DT12H", "PT0.5S", "P-1Y2M"]],
  JSON: [() => true, [{ a: [1, "x", null] }, [], "text", 1.5, true]],
  LTree: [isText, ["Top.Science", ""]],
  Ltree: [isPlain, ["Top.Science", 1, true]], // of the unit tests' schema: a type that nobody knows
};

/** Values that the scalar accepts. */
export const scalarValues = (name) => scalars[name][1];

/** An enum value is no JSON. */
function hasEnum(node) {
  return (
    node.kind === Kind.ENUM ||
    (node.values ?? []).some(hasEnum) ||
    (node.fields ?? []).some((field) => hasEnum(field.value))
  );
}

/** A whole number is judged by its digits, of which a number would lose some. */
function plainValue(node, name) {
  return name === "BigInt" && node.kind === Kind.INT ? node.value : valueFromASTUntyped(node, {});
}

/** Gives the scalars of a schema made by buildSchema() what ours do. */
export function defineScalars(schema) {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.astNode?.kind !== Kind.SCALAR_TYPE_DEFINITION) {
      continue;
    }
    const [accepts] = scalars[type.name] ?? [];
    if (!accepts) {
      throw new Error(`tests/differential/scalars.mjs does not know the scalar ${type.name}`);
    }
    const accept = (value) => {
      if (!accepts(value)) {
        throw new GraphQLError(`no ${type.name}`);
      }
      return value;
    };
    type.parseValue = accept;
    type.parseLiteral = (node) => {
      if (hasEnum(node)) {
        throw new GraphQLError(`no ${type.name}: an enum value`, { nodes: [node] });
      }
      return accept(plainValue(node, type.name)) ?? null;
    };
  }
}
