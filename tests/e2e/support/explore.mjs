// explore.mjs - operations that together use everything a schema offers for reading.
//
// They are generated from the schema, so that what is added to the API is tried without being named here.

import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isRequiredArgument,
} from "graphql";

/** How much of what is nested is looked at: of selections, and of input values. */
const SELECTED = 2;
const INPUT = 5;

function* fieldsOf(type, schema, depth, values) {
  for (const field of Object.values(type.getFields())) {
    const named = getNamedType(field.type);
    const args = field.args.filter(isRequiredArgument).map((arg) => `${arg.name}: ${literals(arg.type, values)[0]}`);
    const call = `${field.name}${args.length > 0 ? `(${args.join(", ")})` : ""}`;
    if (isLeafType(named)) {
      yield call;
    } else if (depth > 0) {
      yield `${call} ${selection(named, schema, depth - 1, values)}`;
    }
  }
}

/** "{ … }": all fields, and theirs. */
export function selection(type, schema, depth, values) {
  const parts = ["__typename"];
  if (isAbstractType(type)) {
    parts.push(...schema.getPossibleTypes(type).map((t) => `... on ${t.name} ${selection(t, schema, depth, values)}`));
  } else {
    parts.push(...fieldsOf(type, schema, depth, values));
  }
  return `{ ${parts.join(" ")} }`;
}

/** Values of an input type; values[scalar] are those of a scalar. */
function literals(type, values, depth = INPUT) {
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    return literals(nullable.ofType, values, depth).map((value) => `[${value}]`);
  }
  if (isEnumType(nullable)) {
    return nullable.getValues().map((value) => value.name);
  }
  if (!isInputObjectType(nullable)) {
    return (values[nullable.name] ?? []).map((value) => JSON.stringify(value));
  }
  const members = ["{}"];
  for (const field of depth > 0 ? Object.values(nullable.getFields()) : []) {
    // AND, OR and NOT say nothing of their own.
    if (/^[A-Z]+$/.test(field.name)) {
      continue;
    }
    // One operator and one direction do for what is nested.
    const all = literals(field.type, values, depth - 1);
    members.push(...(depth < INPUT ? all.slice(0, 2) : all).map((value) => `{${field.name}: ${value}}`));
  }
  return members;
}

/** Those of an argument that has to be there: of the fields to group by, all, so that all can be selected. */
function required(arg, values) {
  const all = literals(arg.type, values);
  return isEnumType(getNamedType(arg.type)) ? [`[${all.map((value) => value.slice(1, -1)).join(", ")}]`] : all;
}

/** Every root field of Query, bare and with each value of each of its arguments. */
export function* operations(schema, values) {
  for (const field of Object.values(schema.getQueryType().getFields())) {
    const named = getNamedType(field.type);
    const needed = field.args.filter(isRequiredArgument);
    const optional = field.args.filter((arg) => !isRequiredArgument(arg));
    const body = (depth) => (isLeafType(named) ? "" : selection(named, schema, depth, values));
    const call = (args, depth) => `{ ${field.name}${args.length > 0 ? `(${args.join(", ")})` : ""} ${body(depth)} }`;
    const fill = (n) => needed.map((arg) => {
      const all = required(arg, values);
      return `${arg.name}: ${all[n % all.length]}`;
    });
    const ways = Math.max(1, ...needed.map((arg) => required(arg, values).length));
    for (let n = 0; n < ways; n++) {
      yield call(fill(n), SELECTED);
    }
    for (const arg of optional) {
      for (const value of literals(arg.type, values)) {
        yield call([...fill(0), `${arg.name}: ${value}`], 0);
      }
    }
  }
}
