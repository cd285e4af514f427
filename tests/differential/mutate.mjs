// mutate.mjs - documents and values that are probably wrong, made from right ones.

import { isInputType, Kind, print } from "graphql";
import { literalOf } from "./generate.mjs";

const name = (value) => ({ kind: Kind.NAME, value });
const clone = (node) => structuredClone(node);
const isNode = (value) => value !== null && typeof value === "object" && typeof value.kind === "string";

/** Where nodes of each kind stand: { holder, key, index, node }; index is undefined outside lists. */
function places(root) {
  const found = [];
  const visit = (holder) => {
    for (const [key, value] of Object.entries(holder)) {
      if (Array.isArray(value)) {
        value.forEach((node, index) => {
          if (isNode(node)) {
            found.push({ holder, key, index, node });
            visit(node);
          }
        });
      } else if (isNode(value)) {
        found.push({ holder, key, node: value });
        visit(value);
      }
    }
  };
  visit(root);
  return found;
}

const valueKinds = new Set([
  Kind.VARIABLE,
  Kind.INT,
  Kind.FLOAT,
  Kind.STRING,
  Kind.BOOLEAN,
  Kind.NULL,
  Kind.ENUM,
  Kind.LIST,
  Kind.OBJECT,
]);
const typeKinds = new Set([Kind.NAMED_TYPE, Kind.LIST_TYPE, Kind.NON_NULL_TYPE]);

function put(place, node) {
  if (place.index === undefined) {
    place.holder[place.key] = node;
  } else {
    place.holder[place.key][place.index] = node;
  }
}

/** Mutations of a tree; each returns false when there was nothing to do it to. */
class TreeMutator {
  constructor(schema, random, ast) {
    this.schema = schema;
    this.random = random;
    this.ast = ast;
    this.names = Object.values(schema.getTypeMap()).flatMap((type) => [
      type.name,
      ...Object.values(type.getFields?.() ?? {}).flatMap((f) => [f.name, ...(f.args ?? []).map((a) => a.name)]),
      ...(type.getValues?.() ?? []).map((v) => v.name),
    ]);
  }

  some(test) {
    const found = places(this.ast).filter(test);
    return found.length ? this.random.pick(found) : undefined;
  }

  ofKind(...kinds) {
    return this.some((place) => kinds.includes(place.node.kind));
  }

  variableName() {
    return this.ofKind(Kind.VARIABLE)?.node.name.value ?? "nothing";
  }

  anyValue(depth = 0) {
    const { random } = this;
    return random.pick([
      () => literalOf(null),
      () => literalOf(random.pick([0, -7, 2147483648, -2147483649, 9007199254740993, 12345678901234567890])),
      () => ({ kind: Kind.INT, value: random.pick(["0", "99999999999999999999", "-0"]) }),
      () => ({ kind: Kind.FLOAT, value: random.pick(["1.0", "1e2", "-0.5", "3.14159265358979"]) }),
      () => literalOf(random.pick(["", "x", "1", "true", "2026-11-23", "ü"])),
      () => ({ kind: Kind.STRING, value: 'a\n  b\n "c', block: true }),
      () => literalOf(random.chance(0.5)),
      () => ({ kind: Kind.ENUM, value: random.pick([...this.names, "ASC", "BROWN", "Null"]) }),
      () => ({ kind: Kind.VARIABLE, name: name(this.variableName()) }),
      () => ({ kind: Kind.LIST, values: depth > 2 ? [] : random.times(0, 3, () => this.anyValue(depth + 1)) }),
      () => ({
        kind: Kind.OBJECT,
        fields: depth > 2 ? [] : random.times(0, 3, () => ({
          kind: Kind.OBJECT_FIELD,
          name: name(random.pick(this.names)),
          value: this.anyValue(depth + 1),
        })),
      }),
    ])();
  }

  anyType() {
    const { random, schema } = this;
    const types = Object.values(schema.getTypeMap());
    const chosen = random.chance(0.8) ? types.filter(isInputType) : types;
    let node = { kind: Kind.NAMED_TYPE, name: name(random.chance(0.05) ? "Nothing" : random.pick(chosen).name) };
    for (let i = random.below(3); i > 0; i--) {
      if (random.chance(0.5) || node.kind === Kind.NON_NULL_TYPE) {
        node = { kind: Kind.LIST_TYPE, type: node };
      } else {
        node = { kind: Kind.NON_NULL_TYPE, type: node };
      }
    }
    return node;
  }

  rename() {
    const place = this.ofKind(Kind.NAME);
    const same = this.ofKind(Kind.NAME);
    place.node.value = this.random.pick([
      same.node.value,
      this.random.pick(this.names),
      `${place.node.value}x`,
      "__typename",
      "on",
      "null",
    ]);
  }

  drop() {
    const place = this.some((p) => p.index !== undefined);
    place?.holder[place.key].splice(place.index, 1);
    return place !== undefined;
  }

  dropSingle() {
    const place = this.some((p) => p.index === undefined && p.key !== "name" && p.key !== "variable");
    if (!place) {
      return false;
    }
    if (["alias", "typeCondition", "defaultValue", "selectionSet"].includes(place.key)) {
      delete place.holder[place.key];
    }
    return true;
  }

  duplicate() {
    const place = this.some((p) => p.index !== undefined);
    const list = place?.holder[place.key];
    list?.splice(this.random.below(list.length + 1), 0, clone(place.node));
    return place !== undefined;
  }

  /** A node into another list of its like. */
  move() {
    const place = this.some((p) => p.index !== undefined);
    const other = this.some((p) => p.index !== undefined && p.key === place.key);
    other?.holder[other.key].splice(other.index, 0, clone(place.node));
    return other !== undefined;
  }

  swap() {
    const a = this.some((p) => p.index !== undefined);
    const b = this.some((p) => p.index !== undefined && p.key === a.key && p.node.kind === a.node.kind);
    if (b) {
      const copy = clone(a.node);
      put(a, clone(b.node));
      put(b, copy);
    }
    return b !== undefined;
  }

  replaceValue() {
    const place = this.some((p) => valueKinds.has(p.node.kind) && p.key !== "variable");
    if (place) {
      put(place, this.anyValue());
    }
    return place !== undefined;
  }

  wrapValue() {
    const place = this.some((p) => valueKinds.has(p.node.kind) && p.key !== "variable");
    if (place) {
      put(place, { kind: Kind.LIST, values: [clone(place.node)] });
    }
    return place !== undefined;
  }

  addArgument() {
    const place = this.ofKind(Kind.FIELD, Kind.DIRECTIVE);
    const like = this.ofKind(Kind.ARGUMENT);
    place?.node.arguments?.push({
      kind: Kind.ARGUMENT,
      name: name(this.random.chance(0.6) && like ? like.node.name.value : this.random.pick(this.names)),
      value: this.anyValue(),
    });
    return place !== undefined;
  }

  addInputField() {
    const place = this.ofKind(Kind.OBJECT);
    const like = this.ofKind(Kind.OBJECT_FIELD);
    place?.node.fields.push({
      kind: Kind.OBJECT_FIELD,
      name: name(this.random.chance(0.7) && like ? like.node.name.value : this.random.pick(this.names)),
      value: this.anyValue(),
    });
    return place !== undefined;
  }

  replaceType() {
    const place = this.some((p) => typeKinds.has(p.node.kind) && p.key === "type");
    if (place) {
      put(place, this.anyType());
    }
    return place !== undefined;
  }

  looserType() {
    const place = this.ofKind(Kind.NON_NULL_TYPE);
    if (place) {
      put(place, place.node.type);
    }
    return place !== undefined;
  }

  addDirective() {
    const { random, schema } = this;
    const place = this.some((p) => "directives" in p.node);
    const directive = random.pick(schema.getDirectives());
    place?.node.directives?.push({
      kind: Kind.DIRECTIVE,
      name: name(random.chance(0.1) ? "nothing" : directive.name),
      arguments: directive.args
        .filter(() => random.chance(0.8))
        .map((arg) => ({
          kind: Kind.ARGUMENT,
          name: name(arg.name),
          value: String(arg.type).startsWith("Boolean") && random.chance(0.7) ? literalOf(true) : this.anyValue(),
        })),
    });
    return place !== undefined;
  }

  /** A response key that another field has, often one of the same set. */
  alias() {
    const { random } = this;
    const field = this.ofKind(Kind.FIELD);
    const beside = field?.holder[field.key].filter((node) => node.kind === Kind.FIELD) ?? [];
    const other = random.chance(0.7) ? random.pick(beside) : this.ofKind(Kind.FIELD)?.node;
    if (other) {
      field.node.alias = name((other.alias ?? other.name).value);
    }
    return other !== undefined;
  }

  /** Of the root, often, where subscriptions may have only one. */
  addField() {
    const { random } = this;
    const operation = this.ofKind(Kind.OPERATION_DEFINITION);
    const set = random.chance(0.5) ? operation?.node.selectionSet : this.ofKind(Kind.SELECTION_SET)?.node;
    const like = this.ofKind(Kind.FIELD);
    const root = operation && this.schema.getRootType(operation.node.operation);
    set?.selections.push(
      random.chance(0.5) && root
        ? { kind: Kind.FIELD, name: name(random.pick(Object.keys(root.getFields()))), arguments: [], directives: [] }
        : clone(like.node),
    );
    return set !== undefined;
  }

  addSpread() {
    const { random } = this;
    const set = this.ofKind(Kind.SELECTION_SET);
    const fragment = this.ofKind(Kind.FRAGMENT_DEFINITION);
    set?.node.selections.push({
      kind: Kind.FRAGMENT_SPREAD,
      name: name(fragment && random.chance(0.9) ? fragment.node.name.value : "Nothing"),
      directives: [],
    });
    return set !== undefined;
  }

  addFragment() {
    const condition = this.random.chance(0.5)
      ? this.random.pick(Object.keys(this.schema.getTypeMap()))
      : (this.ofKind(Kind.FRAGMENT_DEFINITION)?.node.typeCondition.name.value ?? "Query");
    this.ast.definitions.push({
      kind: Kind.FRAGMENT_DEFINITION,
      name: name(this.random.chance(0.2) ? "F0" : "Unused"),
      typeCondition: { kind: Kind.NAMED_TYPE, name: name(condition) },
      directives: [],
      selectionSet: { kind: Kind.SELECTION_SET, selections: [{ kind: Kind.FIELD, name: name("__typename") }] },
    });
  }

  typeCondition() {
    const place = this.some((p) => p.key === "typeCondition");
    const types = Object.keys(this.schema.getTypeMap());
    if (place) {
      place.node.name = name(this.random.chance(0.1) ? "Nothing" : this.random.pick(types));
    }
    return place !== undefined;
  }

  operationKind() {
    this.ofKind(Kind.OPERATION_DEFINITION).node.operation = this.random.pick(["query", "mutation", "subscription"]);
  }

  leafSelections() {
    const leaf = this.some((p) => p.node.kind === Kind.FIELD && !p.node.selectionSet);
    if (leaf) {
      const field = { kind: Kind.FIELD, name: name(this.random.pick(this.names)) };
      leaf.node.selectionSet = { kind: Kind.SELECTION_SET, selections: [field] };
    }
    return leaf !== undefined;
  }

  definition() {
    const { random } = this;
    const operation = this.ofKind(Kind.OPERATION_DEFINITION);
    operation?.node.variableDefinitions?.push({
      kind: Kind.VARIABLE_DEFINITION,
      variable: { kind: Kind.VARIABLE, name: name(random.chance(0.3) ? this.variableName() : "unused") },
      type: this.anyType(),
      defaultValue: random.chance(0.4) ? this.anyValue() : undefined,
      directives: [],
    });
    return operation !== undefined;
  }

  defaultValue() {
    const place = this.ofKind(Kind.VARIABLE_DEFINITION);
    if (place) {
      place.node.defaultValue = this.random.chance(0.3) ? literalOf(null) : this.anyValue();
    }
    return place !== undefined;
  }

  anonymous() {
    const place = this.ofKind(Kind.OPERATION_DEFINITION);
    delete place?.node.name;
    return place !== undefined;
  }

  typeSystem() {
    this.ast.definitions.push({ kind: Kind.SCALAR_TYPE_DEFINITION, name: name("Another"), directives: [] });
  }
}

const treeMutations = Object.getOwnPropertyNames(TreeMutator.prototype).filter(
  (method) => !["constructor", "some", "ofKind", "variableName", "anyValue", "anyType"].includes(method),
);

/** The text of a tree with n changes. */
export function mutateTree(schema, random, ast, n) {
  const mutator = new TreeMutator(schema, random, clone(ast));
  for (let done = 0, tried = 0; done < n && tried < 50; tried++) {
    const common = treeMutations.filter((m) => m !== "typeSystem" || random.chance(0.1));
    try {
      done += mutator[random.pick(common)]() === false ? 0 : 1;
    } catch (error) {
      if (!(error instanceof TypeError)) {
        throw error; // else what it would change has gone by an earlier change
      }
    }
  }
  return print(mutator.ast);
}

// --- text --------------------------------------------------------------------------------------------------

const token = /"""(?:[^"\\]|\\"""|"(?!"")|\\)*"""|"(?:[^"\\\n]|\\.)*"|\.\.\.|[A-Za-z_]\w*|-?\d[\w.+-]*|#.*|\s+|[^]/gu;
const tokens = [
  "{", "}", "(", ")", "[", "]", ":", "=", "!", "$", "@", "|", "&", "...", "..", ".", "on", "query", "mutation",
  "subscription", "fragment", "true", "false", "null", "name", "_", "a1", "é", "0", "-0", "00", "01", "-", "1.", ".5", "1.5",
  "1e", "1e5", "1E+5", "1e+", "0x1F", "1_000", "123abc", "1.0.0", "2147483648", '""', '"x"', '"', "'x'", "`",
  '"\\u00e9"', '"\\u{1F600}"', '"\\uD83D\\uDE00"', '"\\uD83D"', '"\\uDE00"', '"\\u{110000}"', '"\\u{}"', '"\\u{D800}"',
  '"\\u12"', '"\\u{0000000041}"', '"\\uD83D\\u0041"', '"\\q"', '"\\/\\b\\f\\n\\r\\t\\\\\\""', '"a\nb"', '"a\rb"', '"\t"', '"\u0007"',
  '"""block"""', '"""\n  a\n   b\n"""', '"""a\\"""b"""', '"""', '""""', '"""""', '""""""', '"""\\u0041"""', '"""a\u0007b"""', "# comment\n", "#", "# \u0007\n", ",", ",,", "\t", "\r", "\r\n", "\n",
  "\ufeff", "\u00a0", "\u2028", "\u000b", "\u007f", "\u0007", "\\", "?", ";", "%", "&&", "||", "extend", "schema", "type", "input", "enum", "interface", "union", "directive", "scalar", "implements", "repeatable",
  "query Q", "fragment on on on { x }", "fragment F on Query { __typename }", "@skip(if: true)", "$v: Int", "{ __typename }", "type T { a: Int }",
  "scalar S", "extend type Query { a: Int }", "schema { query: Query }", '"text"', "directive @d on FIELD", "😀", '"😀"', "#😀\n",
];

/** n changes of tokens and characters. */
export function mutateText(random, text, n) {
  for (; n > 0; n--) {
    if (random.chance(0.75)) {
      const parts = text.match(token) ?? [];
      const at = random.below(parts.length + 1);
      const what = random.below(4);
      if (what === 0) {
        parts.splice(at, 1);
      } else if (what === 1) {
        parts.splice(at, 0, random.pick(tokens));
      } else if (what === 2) {
        parts.splice(at, 1, random.pick(tokens));
      } else {
        parts.splice(at, 0, parts[random.below(parts.length)] ?? "");
      }
      text = parts.join("");
    } else {
      const characters = [...text];
      const at = random.below(characters.length + 1);
      const added = random.chance(0.5) ? [String.fromCodePoint(random.between(1, 127))] : [];
      characters.splice(at, random.below(random.chance(0.05) ? 40 : 2), ...added);
      text = characters.join("");
    }
  }
  return text;
}

// --- values of variables ------------------------------------------------------------------------------------

const wrong = [null, 0, 1.5, -3, 2147483648, -2147483649, 9007199254740991, "", "x", "1", true, [], [null], [[1]], {}, { x: 1 }, "ASC", 1e20];

/** One change somewhere in a value. */
export function mutateValue(random, value) {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.6)) {
    const at = random.below(value.length);
    return value.map((item, i) => (i === at ? mutateValue(random, item) : item));
  } else if (value !== null && typeof value === "object" && Object.keys(value).length > 0 && random.chance(0.7)) {
    const key = random.pick(Object.keys(value));
    const changed = { ...value };
    if (random.chance(0.2)) {
      delete changed[key];
    } else if (random.chance(0.2)) {
      changed[`${key}x`] = 1;
    } else {
      changed[key] = mutateValue(random, value[key]);
    }
    return changed;
  }
  return random.chance(0.2) ? [value] : structuredClone(random.pick(wrong));
}
