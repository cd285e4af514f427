// run.mjs - breaks what keeps tenants apart, in one place at a time, and requires that a test notices.
//
//   node tests/guard/run.mjs [NAME...]    all breaks, or those whose names hold one of these words
//
// The tests are end-to-end tests, unit tests or tests in SQL. Works on a copy of the sources and of the build in build/release, which has to be up to date. A break
// that no test notices, or whose place is not in the source any more, is a failure: then the tests have a
// hole, or this list is old. The last line counts.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const e2e = (...names) => names.map((name) => `tests/e2e/${name}.test.mjs`);
const unit = (name) => [`unit/${name}_test`];
const sql = (name) => [`tests/sql/${name}.sql`];

// name, tests of which one has to fail, and edits: file, what is there, what comes in its place.
const breaks = [
  {
    name: "the first setting of the identity is not sent",
    tests: e2e("isolation"),
    edits: [["src/pg/pgconn_send.c", "for (size_t i = 0; i < s->nsettings; i++)", "for (size_t i = 1; i < s->nsettings; i++)"]],
  },
  {
    name: "settings outlive their transaction, and are sent only if there is something in them",
    tests: e2e("isolation"),
    edits: [
      ["src/pg/pgconn_send.c", '"%s set_config($%zu, $%zu, true)"', '"%s set_config($%zu, $%zu, false)"'],
      ["src/execution/session.c", "settings[i] = (struct pgsetting){who->settings[i].name, who->settings[i].value};",
        'settings[i] = (struct pgsetting){who->settings[i].value[0] ? who->settings[i].name : "app.none", who->settings[i].value};'],
    ],
  },
  {
    name: "the settings are those of the request before",
    tests: e2e("isolation"),
    edits: [["src/pg/pgconn_send.c", "ADD(s->settings[i].name, s->settings[i].value);",
      '{ static _Thread_local char last[16][128]; static _Thread_local char now[16][128]; snprintf(now[i], 128, "%s", last[i][0] ? last[i] : s->settings[i].value); '
      + 'snprintf(last[i], 128, "%s", s->settings[i].value); ADD(s->settings[i].name, now[i]); }']],
  },
  {
    name: "the role is not taken",
    tests: e2e("isolation", "roles"),
    edits: [["src/pg/pgconn_send.c", `ADD("role", s->role[0] != '\\0' ? s->role : "none");`, 'ADD("role", "none");']],
  },
  {
    name: "every request runs as the default role",
    tests: e2e("roles"),
    edits: [["src/execution/session.c", ".role = roles[who->role],", ".role = roles[0],"]],
  },
  {
    name: "compiled operations are shared by all roles",
    tests: e2e("roles"),
    edits: [["src/cache/turbo.c", "{k->document, k->operation_name, k->role,\n         str_make((const char *)&k->schema_version, sizeof(k->schema_version))},",
      '{k->document, k->operation_name, STR(""), STR("")},']],
  },
  {
    name: "every role has the schema of the first",
    tests: e2e("roles"),
    edits: [["src/execution/prepare.c", "schema_current(e->schema, x->identity->role)", "schema_current(e->schema, 0)"]],
  },
  {
    name: "a remembered identity is found by any token",
    tests: e2e("isolation"),
    edits: [
      ["src/auth/tokencache.c", "return &c->entries[(hash & (c->nsets - 1)) * WAYS];", "return &c->entries[(hash & 0) * WAYS];"],
      ["src/auth/tokencache.c", "if (set[i].block != NULL && set[i].hash == hash &&\n            str_eq(str_make(set[i].block, set[i].token_len), token))",
        "if (set[i].block != NULL && (hash | 1) && token.len)"],
    ],
  },
  {
    name: "a signature is not checked",
    tests: e2e("isolation"),
    edits: [["src/auth/identity.c", "if (token_verify(token, keys))", "if (token_verify(token, keys) || token->alg.len > 0)"]],
  },
  {
    name: "an issuer speaks for another",
    tests: e2e("issuers"),
    edits: [["src/auth/identity.c", "if (str_eq(au->issuers[i].opt.iss, iss->text))", "if (iss->text.len > 0)"]],
  },
  {
    name: "the keys of one issuer check tokens of all",
    tests: e2e("issuers"),
    edits: [["src/auth/identity.c", "const struct keys *keys = auth_keys(au, from);", "const struct keys *keys = auth_keys(au, &au->issuers[0]);"]],
  },
  {
    name: "the tenant is taken from another claim",
    tests: e2e("isolation"),
    edits: [["src/auth/identity.c", "const struct jval *v = claims_at(claims, claim->path);", 'const struct jval *v = claims_at(claims, claim->required ? STR("sub") : claim->path);']],
  },
  {
    name: "requests without a tenant pass",
    tests: e2e("isolation"),
    edits: [["src/auth/identity.c", "if (au->opt.tenancy && out->tenant.len == 0) {", "if (au->opt.tenancy && out->tenant.len == 1) {"]],
  },
  {
    name: "relations that row security cannot guard are not guarded",
    tests: e2e("guarded"),
    edits: [["src/planner/compile.c", "bool guarded = source_guarded(r);", "bool guarded = false;"]],
  },
  {
    name: "guarded rows that a function returns are not guarded",
    tests: e2e("guarded"),
    edits: [["src/planner/plan_result.c", "if (source_guarded(r->base->relation)) {", "if (r->base->relation == NULL) {"]],
  },
  {
    name: "a join table is read past its guard",
    tests: e2e("guarded"),
    edits: [["src/planner/compile.c", "source_name(b, j->relation, VIA);",
      'sqlbuf_qualified(b, j->relation->schema, j->relation->name); sqlbuf_text(b, " "); sqlbuf_alias(b, VIA);']],
  },
  {
    name: "what a function set for the session stays",
    tests: e2e("isolation"),
    edits: [["src/pg/pgconn_send.c", "        return send_own(c, sql);\n    expect(", "        return c != NULL;\n    expect("]],
  },
  {
    name: "rows of functions are answered as they were returned",
    tests: e2e("isolation"),
    edits: [["src/planner/plan_result.c", "const struct key *k = relation_key(r);", "const struct key *k = r == NULL ? relation_key(r) : NULL;"]],
  },
  {
    name: "a change does not end a cached answer",
    tests: e2e("cache_isolation"),
    edits: [["sql/cache_lookup.sql", "when e.by_tenant then", "when e.by_tenant is not null then true when e.by_tenant then"]],
  },
  {
    name: "a cached answer is said to be newer than it is",
    tests: e2e("cache_isolation"),
    edits: [["src/execution/result_errands.c", "e->params[4] = text(a, str_of(r->snapshot));", 'e->params[4] = "4611686018427387904:4611686018427387904:";']],
  },
  {
    name: "a cached answer is found by other settings",
    tests: e2e("cache_isolation"),
    edits: [["src/cache/resultcache.c", "if (!matters(rc, r, s->name))", "if (matters(rc, r, s->name) || true)"]],
  },
  {
    name: "a cached answer is found by other values",
    tests: e2e("cache_isolation"),
    edits: [["src/cache/resultcache.c", "for (size_t i = 0; i < nparams; i++) {", "for (size_t i = nparams; i < nparams; i++) {"]],
  },
  {
    name: "a cached answer is found by other roles",
    tests: unit("cache/resultcache"),
    edits: [["src/cache/resultcache.c", "parts[n++] = str_of(session->role);", 'parts[n++] = STR("");']],
  },
  {
    name: "a cached answer is found by other tenants",
    tests: unit("cache/resultcache"),
    edits: [["src/cache/resultcache.c", "parts[n++] = tenant;", 'parts[n++] = tenant.len > 0 ? STR("") : tenant;']],
  },
  {
    name: "a cached answer is found by settings that no rule knows",
    tests: unit("cache/resultcache"),
    edits: [["src/cache/resultcache.c", "            return r->reads[i];\n    return true;", "            return r->reads[i];\n    return false;"]],
  },
  {
    name: "a cached answer is found by what was made otherwise",
    tests: unit("cache/resultcache"),
    edits: [["src/cache/resultcache.c", "parts[n++] = str_make((const char *)r->digest.bytes, sizeof(r->digest.bytes));", 'parts[n++] = str_make((const char *)r->digest.bytes, 1);']],
  },
  {
    name: "a null and an empty text find the same cached answer",
    tests: unit("cache/resultcache"),
    edits: [["src/cache/resultcache.c", 'parts[n++] = params[i] != NULL ? STR("value") : STR("null");\n        if (params[i] != NULL)\n            parts[n++] = str_of(params[i]);',
      'parts[n++] = params[i] != NULL ? str_of(params[i]) : STR("");']],
  },
  {
    name: "tenants are compared as texts that PostgreSQL does not write",
    tests: unit("cache/resultcache"),
    edits: [["src/cache/resultcache.c", "return is_plain_uuid(tenant);", "return tenant.len > 0;"]],
  },
  {
    name: "a cached answer is sent to whoever has its key",
    tests: sql("cache"),
    edits: [["sql/cache_lookup.sql", "and e.tenant = $2::text", "and $2::text is not null"]],
  },
  {
    name: "changes of rows of no tenant do not end a tenant's cached answer",
    tests: sql("cache"),
    edits: [["sql/cache_lookup.sql", "c.tenant = any (array['', '*', $2::text])", "c.tenant = any (array['*', $2::text])"]],
  },
  {
    name: "changes of another tenant's rows do not end an answer made of them",
    tests: e2e("cache_isolation"),
    edits: [["src/execution/result_errands.c", "bool by_tenant = result_rule_by_tenant(r->rule, tenant);", "bool by_tenant = r->rule->exact;"]],
  },
  {
    name: "who bypasses policies is said to see rows of one tenant only",
    tests: sql("cache_rules"),
    edits: [["sql/system/056_cache_rules.sql", "or a.rolsuper or a.rolbypassrls", ""]],
  },
  {
    name: "a transaction that was under way does not end a cached answer",
    tests: e2e("cache_isolation"),
    edits: [
      ["sql/cache_lookup.sql", "and c.xid >= pg_catalog.pg_snapshot_xmin(e.snapshot)\n                          and not pg_catalog.pg_visible_in_snapshot(c.xid, e.snapshot))\n       else",
        "and c.xid >= pg_catalog.pg_snapshot_xmax(e.snapshot))\n       else"],
    ],
  },
  {
    name: "a cached answer outlives row security that is switched on",
    tests: sql("cache_rules"),
    edits: [["sql/system/056_cache_rules.sql", "identity := md5(concat_ws('|', texts, ways,", "identity := md5(concat_ws('|', texts,"]],
  },
  {
    name: "it is not known which settings an answer depends on",
    tests: e2e("cache_isolation"),
    edits: [["sql/system/056_cache_rules.sql", "all_settings or strpos(", "all_settings and strpos("]],
  },
  {
    name: "replicas answer who has changed something that they do not have",
    tests: e2e("replicas"),
    edits: [["src/pg/pgreplicas.c", "memory_order_acquire) <= wrote_ns ||", "memory_order_acquire) == 0 ||"]],
  },
  {
    name: "replicas answer who brings a position that they have not reached",
    tests: e2e("replicas"),
    edits: [["src/pg/pgreplicas.c", "memory_order_relaxed) < position ||", "memory_order_relaxed) == 0 ||"]],
  },
  {
    name: "what a replica answered is kept in the result cache",
    tests: e2e("replicas"),
    edits: [["src/execution/reading.c", "if (result_is_kept(x))", "if (result_is_kept(x) && x->abandoned)"]],
  },
  {
    name: "TLS: clients without a certificate are let in",
    tests: e2e("tls"),
    edits: [["src/http/tls.c", "mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;", "mode |= 0;"]],
  },
  {
    name: "TLS: clients' certificates are not asked for",
    tests: e2e("tls"),
    edits: [["src/http/tls.c", "SSL_CTX_set_verify(t->ctx, mode, NULL);", "SSL_CTX_set_verify(t->ctx, mode & 0, NULL);"]],
  },
  {
    name: "TLS: the port stays plain",
    tests: e2e("tls"),
    edits: [["src/server/daemon.c", "listener_set_tls(d->listeners[i], t);", "listener_set_tls(d->listeners[i], t != NULL ? NULL : t);"]],
  },
  {
    name: "TLS: versions that are too old are spoken",
    tests: e2e("tls"),
    edits: [["src/http/tls.c", "opt->only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION", "opt->only_1_3 ? TLS1_2_VERSION : TLS1_2_VERSION"]],
  },
  {
    name: "TLS: the end of a connection is not said",
    tests: e2e("tls"),
    edits: [["src/http/tls.c", "(void)SSL_shutdown(s);", "(void)s;"]],
  },
  {
    name: "TLS: what was decrypted waits for what comes next",
    tests: e2e("tls"),
    edits: [["src/http/connection.c", "room(c) > 0 && tls_pending(c->tls) > 0)", "room(c) > 0 && tls_pending(c->tls) == SIZE_MAX)"]],
  },
  {
    name: "TLS: a key of another certificate is taken",
    tests: e2e("tls"),
    edits: [["src/http/tls.c", "else if (X509_check_private_key(leaf, key) != 1)", "else if (leaf == NULL)"]],
  },
];

const wanted = process.argv.slice(2);
// GUARD_SHARE=4: a quarter of them, another one each day.
const share = Number(process.env.GUARD_SHARE ?? 1);
const today = Math.floor(Date.now() / 86400000) % share;
const chosen = breaks.filter(({ name }, i) => (wanted.length === 0 ? i % share === today : wanted.some((word) => name.includes(word))));
const copy = mkdtempSync(`${tmpdir()}/fraiseqld-guard.`);
let passed = 0;
let failed = 0;

function verdict(ok, text) {
  ok ? passed++ : failed++;
  console.log(`${ok ? "ok     " : "FAILED "} ${text}`);
}

/** Do they pass with what the copy has made? */
function passes(tests) {
  const results = [];
  const run = (command, args, cwd, env = {}) => {
    const { status, stdout } = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1 << 28, env: { ...process.env, ...env } });
    return { ok: status === 0, output: stdout };
  };
  const ends = tests.filter((test) => test.endsWith(".mjs"));
  const scripts = tests.filter((test) => test.endsWith(".sql"));
  if (ends.length > 0) {
    const result = run("tests/e2e/run", ends, root, { FRAISEQLD: `${copy}/build/release/fraiseqld` });
    const [, n] = /^ℹ pass (\d+)$/m.exec(result.output) ?? [0, 0];
    results.push({ ...result, ran: Number(n) > 0 || /^ℹ fail [1-9]/m.test(result.output) });
  }
  if (scripts.length > 0) {
    const result = run("tests/sql/run", scripts, copy);
    results.push({ ...result, ran: /^sql: \d+ passed/m.test(result.output) });
  }
  for (const name of tests.filter((test) => test.startsWith("unit/"))) {
    execFileSync("make", [`build/release/${name}`], { cwd: copy, stdio: ["ignore", "ignore", "inherit"] });
    results.push({ ...run(`build/release/${name}`, [], copy, { CMOCKA_MESSAGE_OUTPUT: "TAP" }), ran: true });
  }
  return { ok: results.every(({ ok }) => ok), ran: results.every(({ ran }) => ran), output: results.map(({ output }) => output).join("") };
}

const build = () => execFileSync("make", ["-j2", "build/release/fraiseqld"], { cwd: copy, stdio: ["ignore", "ignore", "inherit"] });

/** New text, and a time that make sees. */
function write(file, text) {
  const later = new Date(Date.now() + 1000);
  writeFileSync(`${copy}/${file}`, text);
  utimesSync(`${copy}/${file}`, later, later);
}

function check({ name, tests, edits }) {
  const files = [...new Set(edits.map(([file]) => file))];
  const texts = new Map(files.map((file) => [file, readFileSync(`${root}/${file}`, "utf8")]));
  const missing = edits.find(([file, from]) => texts.get(file).split(from).length !== 2);
  if (missing) {
    verdict(false, `${name}: not once in ${missing[0]}: ${missing[1]}`);
    return;
  }
  const broken = new Map(texts);
  edits.forEach(([file, from, to]) => broken.set(file, broken.get(file).replace(from, () => to)));
  broken.forEach((text, file) => write(file, text));
  try {
    build();
    const { ok, ran } = passes(tests);
    verdict(!ok && ran, ok ? `${name}: no test of ${tests.join(", ")} has noticed` : name);
  } catch (error) {
    verdict(false, `${name}: ${error.message}`);
  } finally {
    texts.forEach((text, file) => write(file, text));
  }
}

try {
  for (const part of ["Makefile", "src", "sql", "packaging", "tests/test.mk", "tests/support", "tests/sql", "tests/unit", "build/release"]) {
    cpSync(`${root}/${part}`, `${copy}/${part}`, { recursive: true, preserveTimestamps: true });
  }
  build();
  const tests = [...new Set(chosen.flatMap((each) => each.tests))];
  const { ok, output } = passes(tests);
  verdict(ok, "unbroken, all tests pass");
  if (ok) {
    chosen.forEach(check);
  } else {
    console.log(output);
  }
} finally {
  rmSync(copy, { recursive: true });
}
console.log(`guard: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
