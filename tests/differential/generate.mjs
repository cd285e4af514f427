// generate.mjs - documents that are right, by a random walk over a schema, with values of their variables.
//
// Almost right: fields that collide are rare, but possible. What a document is, graphql-js says.

import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  Kind,
  print,
} from "graphql";
import { scalarValues } from "./scalars.mjs";

const name = (value) => ({ kind: Kind.NAME, value });
const strings = ["", "x", "two words", "ä€😀", 'quo"ted', "back\\slash", "line\nbreak", "tab\t", "$v", "{", "#"];
const numbers = [0, 1, -1, 7, 2147483647, -2147483648];
const floats = ["1.5", "-0.25", "1e3", "0.0", "12E-2"];

/** A value as a literal would have it, whatever its type. */
export function literalOf(value) {
  if (value === null) {
    return { kind: Kind.NULL };
  } else if (Array.isArray(value)) {
    return { kind: Kind.LIST, values: value.map(literalOf) };
  } else if (typeof value === "object") {
    const field = ([key, v]) => ({ kind: Kind.OBJECT_FIELD, name: name(key), value: literalOf(v) });
    return { kind: Kind.OBJECT, fields: Object.entries(value).map(field) };
  } else if (typeof value === "boolean") {
    return { kind: Kind.BOOLEAN, value };
  } else if (typeof value === "number") {
    return { kind: Number.isInteger(value) ? Kind.INT : Kind.FLOAT, value: String(value) };
  }
  return { kind: Kind.STRING, value };
}

export function typeNode(type) {
  if (isNonNullType(type)) {
    return { kind: Kind.NON_NULL_TYPE, type: typeNode(type.ofType) };
  } else if (isListType(type)) {
    return { kind: Kind.LIST_TYPE, type: typeNode(type.ofType) };
  }
  return { kind: Kind.NAMED_TYPE, name: name(type.name) };
}

class Generator {
  constructor(schema, random) {
    this.schema = schema;
    this.random = random;
    this.inputTypes = Object.values(schema.getTypeMap()).filter(isInputType);
    this.directives = schema.getDirectives();
    this.definitions = [];
    this.counter = 0;
    this.variables = new Map(); // of the operation at hand: name -> { type, default }
    this.fragments = []; // of the operation at hand
    this.budget = 0; // fields left
  }

  unique(letter) {
    return `${letter}${this.counter++}`;
  }

  // --- values -----------------------------------------------------------------------------------

  /** A value in JavaScript that the type accepts. */
  value(type, depth = 0) {
    const { random } = this;
    if (isNonNullType(type)) {
      return this.value(type.ofType, depth) ?? this.value(type.ofType, depth) ?? this.required(type.ofType, depth);
    }
    return random.chance(0.08) ? null : this.required(type, depth);
  }

  required(type, depth) {
    const { random } = this;
    if (isListType(type)) {
      return random.chance(0.15)
        ? this.required(getNullableType(type.ofType), depth)
        : random.times(0, 3, () => this.value(type.ofType, depth + 1));
    } else if (isInputObjectType(type)) {
      return this.object(type, depth);
    } else if (isEnumType(type)) {
      return { enum: random.pick(type.getValues()).name };
    }
    switch (type.name) {
      case "Int":
        return random.pick(numbers);
      case "Float":
        return random.pick([...numbers, 1.5, -0.25]);
      case "Boolean":
        return random.chance(0.5);
      case "String":
        return random.pick(strings);
      case "ID":
        return random.chance(0.3) ? random.below(1000) : random.pick(strings);
      default:
        return random.pick(scalarValues(type.name));
    }
  }

  object(type, depth) {
    const { random } = this;
    const fields = Object.values(type.getFields());
    const result = {};
    if (type.isOneOf) {
      const field = random.pick(fields);
      return { [field.name]: this.required(getNullableType(field.type), depth + 1) };
    }
    for (const field of fields) {
      const needed = isNonNullType(field.type) && field.defaultValue === undefined;
      if (needed || random.chance(Math.min(0.5, 3 / fields.length) / (depth + 1))) {
        result[field.name] = this.value(field.type, depth + 1);
      }
    }
    return result;
  }

  /** The literal of a value of this type, perhaps with variables in it. */
  literal(type, value, constant, hasDefault = false) {
    const { random } = this;
    if (!constant && random.chance(0.2)) {
      return this.variable(type, hasDefault);
    }
    const bare = getNullableType(type);
    if (value === null) {
      return literalOf(null);
    } else if (isListType(bare)) {
      return Array.isArray(value)
        ? { kind: Kind.LIST, values: value.map((item) => this.literal(bare.ofType, item, constant)) }
        : this.literal(bare.ofType, value, true);
    } else if (isInputObjectType(bare)) {
      const fields = bare.getFields();
      const field = ([key, v]) => ({
        kind: Kind.OBJECT_FIELD,
        name: name(key),
        value: bare.isOneOf
          ? this.literal(fields[key].type, v, true)
          : this.literal(fields[key].type, v, constant, fields[key].defaultValue !== undefined),
      });
      return { kind: Kind.OBJECT, fields: Object.entries(value).map(field) };
    } else if (isEnumType(bare)) {
      return { kind: Kind.ENUM, value: value.enum };
    } else if (bare.name === "Float" && random.chance(0.3)) {
      return { kind: Kind.FLOAT, value: random.pick(floats) };
    } else if (typeof value === "string" && random.chance(0.15)) {
      return { kind: Kind.STRING, value, block: true };
    }
    return literalOf(value);
  }

  /** A reference to a variable that may stand where this type is asked for. */
  variable(type, hasDefault) {
    const { random } = this;
    const fitting = [...this.variables].filter(([, v]) => String(v.type) === String(type));
    let id = fitting.length && random.chance(0.5) ? random.pick(fitting)[0] : this.unique("v");
    if (!this.variables.has(id)) {
      const variable = { type };
      if (isNonNullType(type) && (hasDefault || random.chance(0.2))) {
        variable.type = getNullableType(type); // allowed with a default
        if (!hasDefault || random.chance(0.5)) {
          variable.default = this.literal(variable.type, this.required(variable.type, 1), true);
        }
      } else if (random.chance(0.25)) {
        variable.default = this.literal(type, this.value(type, 1), true);
      }
      this.variables.set(id, variable);
    }
    return { kind: Kind.VARIABLE, name: name(id) };
  }

  arguments(args, chance) {
    return args
      .filter((arg) => (isNonNullType(arg.type) && arg.defaultValue === undefined) || this.random.chance(chance))
      .map((arg) => ({
        kind: Kind.ARGUMENT,
        name: name(arg.name),
        value: this.literal(arg.type, this.value(arg.type), false, arg.defaultValue !== undefined),
      }));
  }

  directivesAt(location, constant = false) {
    const { random } = this;
    if (!random.chance(0.12)) {
      return [];
    }
    const fitting = this.directives.filter((d) => d.locations.includes(location));
    const chosen = fitting.filter(() => random.chance(0.5));
    return chosen
      .flatMap((d) => (d.isRepeatable && random.chance(0.3) ? [d, d] : [d]))
      .filter((d) => !constant || d.args.every((arg) => !isNonNullType(arg.type)))
      .map((d) => ({
        kind: Kind.DIRECTIVE,
        name: name(d.name),
        arguments: constant ? [] : this.arguments(d.args, 0.5),
      }));
  }

  // --- selections -------------------------------------------------------------------------------

  field(parent, depth) {
    const { random } = this;
    const fields = isCompositeType(parent) && parent.getFields ? Object.values(parent.getFields()) : [];
    let candidates = fields;
    if (depth > 4) {
      candidates = fields.filter((f) => !isCompositeType(getNamedType(f.type)));
    }
    if (candidates.length === 0 || random.chance(0.07)) {
      return { kind: Kind.FIELD, name: name("__typename") };
    }
    const field = random.pick(candidates);
    const args = this.arguments(field.args, 0.4);
    const node = { kind: Kind.FIELD, name: name(field.name), arguments: args, directives: this.directivesAt("FIELD") };
    if (args.length > 0 || random.chance(0.1)) {
      node.alias = name(this.unique("a"));
    }
    if (isCompositeType(getNamedType(field.type))) {
      node.selectionSet = this.selections(getNamedType(field.type), depth + 1);
    }
    return node;
  }

  /** A type that an object of `type` can be as well. */
  narrower(type) {
    const { random, schema } = this;
    if (!isAbstractType(type)) {
      const wider = [type, ...type.getInterfaces()];
      return random.pick(wider);
    }
    return random.chance(0.3) ? type : random.pick(schema.getPossibleTypes(type));
  }

  fragmentSelection(parent, depth) {
    const { random } = this;
    const type = this.narrower(parent);
    const reusable = this.fragments.filter((f) => f.type === type && f.done);
    if (random.chance(0.5)) {
      return {
        kind: Kind.INLINE_FRAGMENT,
        typeCondition: random.chance(0.3) && type === parent ? undefined : typeNode(type),
        directives: this.directivesAt("INLINE_FRAGMENT"),
        selectionSet: this.selections(type, depth + 1),
      };
    }
    let fragment = reusable.length && random.chance(0.6) ? random.pick(reusable) : undefined;
    if (!fragment) {
      fragment = { name: this.unique("F"), type };
      this.fragments.push(fragment);
      fragment.node = {
        kind: Kind.FRAGMENT_DEFINITION,
        name: name(fragment.name),
        typeCondition: typeNode(type),
        directives: this.directivesAt("FRAGMENT_DEFINITION"),
        selectionSet: this.selections(type, depth + 1),
      };
      fragment.done = true;
    }
    return {
      kind: Kind.FRAGMENT_SPREAD,
      name: name(fragment.name),
      directives: this.directivesAt("FRAGMENT_SPREAD"),
    };
  }

  selections(type, depth) {
    const { random } = this;
    const most = Math.max(1, Math.min(5 - depth, this.budget));
    const items = random.times(1, most, () => {
      this.budget--;
      return depth < 5 && random.chance(0.18) ? this.fragmentSelection(type, depth) : this.field(type, depth);
    });
    return { kind: Kind.SELECTION_SET, selections: items };
  }

  /** Of a subscription: one field, which is none of introspection. */
  oneSelection(root) {
    let field;
    do {
      field = this.field(root, 0);
    } while (field.name.value === "__typename");
    return { kind: Kind.SELECTION_SET, selections: [{ ...field, directives: [] }] };
  }

  /** Fields of __Type within each other: how deep they may be is a rule of its own. */
  typeChain(depth) {
    const { random } = this;
    const [field, ...between] = random.pick([
      ["fields", "type"],
      ["inputFields", "type"],
      ["fields", "args", "type"],
      ["interfaces"],
      ["possibleTypes"],
      ["ofType"],
    ]);
    const leaf = { kind: Kind.FIELD, name: name("name") };
    const wrap = (inner, of) => ({
      kind: Kind.FIELD,
      name: name(of),
      selectionSet: { kind: Kind.SELECTION_SET, selections: [inner] },
    });
    const inner = depth > 0 ? this.typeChain(depth - 1) : leaf;
    return wrap(between.reduceRight(wrap, inner), field);
  }

  introspection() {
    const { random } = this;
    const schemaField = this.schema.getType("__Schema");
    const typeField = this.schema.getType("__Type");
    const selectionSet = random.chance(0.3)
      ? { kind: Kind.SELECTION_SET, selections: [this.typeChain(random.below(4))] }
      : this.selections(typeField, 3);
    return random.chance(0.5)
      ? { kind: Kind.FIELD, name: name("__schema"), selectionSet: this.selections(schemaField, 3) }
      : {
          kind: Kind.FIELD,
          alias: name(this.unique("t")),
          name: name("__type"),
          arguments: [{ kind: Kind.ARGUMENT, name: name("name"), value: { kind: Kind.STRING, value: "Query" } }],
          selectionSet,
        };
  }

  // --- definitions ------------------------------------------------------------------------------

  operation(kind, root, named) {
    const { random } = this;
    this.variables = new Map();
    this.fragments = [];
    this.budget = random.between(3, 40);
    const selectionSet = kind === "subscription" ? this.oneSelection(root) : this.selections(root, 0);
    if (kind === "query" && random.chance(0.15)) {
      selectionSet.selections.push(this.introspection());
    }
    const directives = this.directivesAt(kind.toUpperCase());
    const variableDefinitions = [...this.variables].map(([id, variable]) => ({
      kind: Kind.VARIABLE_DEFINITION,
      variable: { kind: Kind.VARIABLE, name: name(id) },
      type: typeNode(variable.type),
      defaultValue: variable.default,
      directives: this.directivesAt("VARIABLE_DEFINITION", true),
    }));
    const operation = {
      kind: Kind.OPERATION_DEFINITION,
      operation: kind,
      name: named || random.chance(0.5) ? name(this.unique("Op")) : undefined,
      variableDefinitions,
      directives,
      selectionSet,
    };
    const nodes = [operation, ...this.fragments.map((f) => f.node)];
    this.definitions.push(...(random.chance(0.2) ? nodes.reverse() : nodes));
    return { name: operation.name?.value ?? "", variables: this.variables };
  }

  document() {
    const { random, schema } = this;
    const roots = [
      ["query", schema.getQueryType()],
      ["query", schema.getQueryType()],
      ["mutation", schema.getMutationType()],
      ["subscription", schema.getSubscriptionType()],
    ].filter(([, type]) => type);
    const count = random.chance(0.85) ? 1 : random.between(2, 3);
    const operations = Array.from({ length: count }, () => this.operation(...random.pick(roots), count > 1));
    const chosen = random.pick(operations);
    const ast = { kind: Kind.DOCUMENT, definitions: this.definitions };
    return { ast, text: print(ast), operationName: chosen.name, variables: this.variableValues(chosen.variables) };
  }

  // --- values of variables ------------------------------------------------------------------------

  variableValues(variables) {
    const values = {};
    for (const [id, { type }] of variables) {
      if (isNonNullType(type) || this.random.chance(0.8)) {
        values[id] = jsonOf(this.value(type));
      }
    }
    return values;
  }
}

/** Enum values are strings there. */
function jsonOf(value) {
  if (Array.isArray(value)) {
    return value.map(jsonOf);
  } else if (value !== null && typeof value === "object") {
    return "enum" in value && typeof value.enum === "string"
      ? value.enum
      : Object.fromEntries(Object.entries(value).map(([key, v]) => [key, jsonOf(v)]));
  }
  return value;
}

/** { ast, text, operationName, variables } */
export function generate(schema, random) {
  return new Generator(schema, random).document();
}
