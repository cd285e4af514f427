// scalars.mjs - our scalars as graphql-js would have them: what each accepts, and examples.
//
// Only their form is judged here: that a day is in the calendar and the like is for the unit tests
// of src/schema/scalars.c, so the examples are far from right where they are wrong.

import { GraphQLError, Kind, valueFromASTUntyped } from "graphql";

const text = (pattern) => (value) => typeof value === "string" && pattern.test(value);
const plain = (value) => typeof value === "string" || typeof value === "number" || typeof value === "boolean";
const inRange = (value) => BigInt(value) <= 2n ** 63n - 1n && BigInt(value) >= -(2n ** 63n);

/** By name: does it accept the value?, and values for it. Others are text of PostgreSQL's. */
const scalars = {
  BigInt: {
    accepts: (v) => (Number.isSafeInteger(v) || text(/^-?[0-9]+$/)(v)) && inRange(v),
    values: ["0", "-12", "9223372036854775807", 7, -3],
  },
  Date: { accepts: text(/^\d{4}-\d\d-\d\d$/), values: ["2026-11-23", "2024-02-29"] },
  DateTime: {
    accepts: text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/),
    values: ["2026-11-23T06:13:04Z", "2026-11-23T06:13:04.123456+01:00"],
  },
  LocalDateTime: {
    accepts: text(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?$/),
    values: ["2026-11-23T06:13:04", "2026-11-23T06:13"],
  },
  Time: { accepts: text(/^\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/), values: ["06:13:04", "06:13"] },
  Decimal: {
    accepts: (v) => typeof v === "number" || text(/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?$|^NaN$/)(v),
    values: ["1.50", "-0.1", "1e3", 12, 0.25],
  },
  UUID: {
    accepts: text(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
    values: ["00000000-0000-4000-8000-000000000001", "00000000000040008000000000000001"],
  },
  Interval: { accepts: text(/^P(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?$/), values: ["P1D", "P1DT12H", "PT0.5S"] },
  IpAddress: { accepts: text(/^\d+\.\d+\.\d+\.\d+(\/\d+)?$|^[0-9a-f:]+$/), values: ["10.1.2.3", "::1", "10.0.0.0/8"] },
  CIDR: { accepts: text(/^\d+\.\d+\.\d+\.\d+(\/\d+)?$/), values: ["10.1.0.0/16"] },
  MacAddress: { accepts: text(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i), values: ["08:00:2b:01:02:03"] },
  Bytes: {
    accepts: text(/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
    values: ["", "aGVsbG8=", "AAEC"],
  },
  JSON: { accepts: () => true, values: [{ a: [1, "x", null] }, [], "text", 1.5, true] },
  Ltree: { accepts: plain, values: ["Top.Science", 1, true] },
};
const string = { accepts: (v) => typeof v === "string", values: ["", "Top.Science", "[1,2)"] };

const rule = (name) => scalars[name] ?? string;

/** Values that the scalar accepts. */
export const scalarValues = (name) => rule(name).values;

/** An enum value is no JSON. */
function hasEnum(node) {
  return (
    node.kind === Kind.ENUM ||
    (node.values ?? []).some(hasEnum) ||
    (node.fields ?? []).some((field) => hasEnum(field.value))
  );
}

/** BigInt of a literal is judged by its digits, which a number would lose. */
function plainValue(node) {
  return node.kind === Kind.INT && !Number.isSafeInteger(Number(node.value)) ? node.value : valueFromASTUntyped(node, {});
}

/** Gives the scalars of a schema made by buildSchema() what ours do. */
export function defineScalars(schema) {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.astNode?.kind !== Kind.SCALAR_TYPE_DEFINITION) {
      continue;
    }
    const accept = (value) => {
      if (!rule(type.name).accepts(value)) {
        throw new GraphQLError(`no ${type.name}`);
      }
      return value;
    };
    type.parseValue = accept;
    type.parseLiteral = (node) => {
      if (hasEnum(node)) {
        throw new GraphQLError(`no ${type.name}: an enum value`, { nodes: [node] });
      }
      return accept(plainValue(node)) ?? null;
    };
  }
}
