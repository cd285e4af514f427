// The manifests of conf/kubernetes: they build, every field is one that Kubernetes knows, and what they say of the daemon
// is so.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { program, start, writeFile } from "../e2e/support/daemon.mjs";
import { createDatabase } from "../e2e/support/postgres.mjs";
import { built, one, root } from "./support.mjs";

const run = promisify(execFile);
const OVERLAYS = ["base", "install", "overlays/alb", "overlays/eu-west-1", "overlays/us-east-1"];
const all = Object.fromEntries(await Promise.all(OVERLAYS.map(async (path) => [path, await built(path)])));
const alb = all["overlays/alb"];
const container = (objects) => one(objects, "Deployment").spec.template.spec.containers[0];
const settings = parse(one(alb, "ConfigMap", "fraiseqld").data["fraiseqld.yaml"]);
const seconds = (text) => Number(/^(\d+)s$/.exec(text)[1]);

/** Where the types of an object's kind are. */
function module({ apiVersion, kind }) {
  const models = apiVersion.startsWith("monitoring.coreos.com") ? "@kubernetes-models/prometheus-operator" : "kubernetes-models";
  return `${models}/${apiVersion}/${kind}`;
}

/** What TypeScript says of objects as literals of their types: unknown fields and wrong types. */
async function complaints(objects) {
  const dir = mkdtempSync(`${process.env.E2E_DIR}/types-`);
  symlinkSync(`${root}tests/kubernetes/node_modules`, `${dir}/node_modules`);
  writeFileSync(`${dir}/package.json`, '{"type": "module"}');
  const lines = objects.map((object, i) => `import type { I${object.kind} as T${i} } from "${module(object)}";\nexport const o${i}: T${i} = ${JSON.stringify(object)};`);
  writeFileSync(`${dir}/objects.ts`, lines.join("\n"));
  const tsc = run("node", [`${root}tests/kubernetes/node_modules/typescript/lib/tsc.js`, "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", `${dir}/objects.ts`], { cwd: dir });
  return tsc.then(() => "", (error) => error.stdout);
}

test("every object is of its type, to the last field, and what is not would be found", async () => {
  const objects = Object.values(all).flat();
  assert.ok(objects.length > 40);
  assert.equal(await complaints(objects), "");
  const wrong = structuredClone(one(alb, "Deployment"));
  wrong.spec.template.spec.containers[0].livenessProbe.periodSecond = 10;
  assert.match(await complaints([wrong]), /'"periodSecond"' does not exist|periodSecond/);
  const typed = structuredClone(one(alb, "HorizontalPodAutoscaler"));
  typed.spec.maxReplicas = "6";
  assert.match(await complaints([typed]), /'string' is not assignable to type 'number'/);
});

test("the configuration is one that the daemon accepts", async () => {
  const text = one(alb, "ConfigMap", "fraiseqld").data["fraiseqld.yaml"];
  const { stdout: key } = await run("sh", ["-c", "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null | openssl pkey -pubout"]);
  const file = writeFile(
    "kubernetes.yaml",
    text.replace("/etc/fraiseqld/secrets/database-url", writeFile("database-url", "postgresql://u@h/d")).replace("/etc/fraiseqld/secrets/token-key.pem", writeFile("token-key.pem", key)),
  );
  const { code, stderr } = await program(["check", "-c", file]);
  assert.equal(code, 0, stderr);
  const example = parse(readFileSync(`${root}conf/kubernetes/secret.example.yaml`, "utf8"));
  for (const name of text.match(/\/secrets\/[a-z.-]+/g)) {
    assert.ok(example.stringData[name.slice("/secrets/".length)], name);
  }
});

test("ports and paths are the daemon's", async () => {
  const daemon = await start(await createDatabase());
  const { ports, startupProbe, livenessProbe, readinessProbe, args } = container(alb);
  const port = Object.fromEntries(ports.map(({ name, containerPort }) => [name, containerPort]));
  assert.deepEqual(settings.server.listen, [`0.0.0.0:${port.http}`]);
  assert.equal(settings.server.admin_listen, `0.0.0.0:${port.admin}`);
  for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
    assert.equal(httpGet.port, "admin");
    assert.equal((await daemon.admin(httpGet.path)).status, 200, httpGet.path);
  }
  const { metadata, spec } = one(alb, "Ingress");
  assert.equal((await daemon.request(daemon.url.replace("/graphql", "") + metadata.annotations["alb.ingress.kubernetes.io/healthcheck-path"])).status, 200);
  assert.equal(spec.rules[0].http.paths[0].path, "/graphql");
  for (const service of alb.filter(({ kind }) => kind === "Service")) {
    service.spec.ports.forEach(({ targetPort }) => assert.ok(port[targetPort], targetPort));
  }
  const monitor = one(alb, "ServiceMonitor");
  const { text } = await daemon.admin(monitor.spec.endpoints[0].path);
  const metrics = one(alb, "HorizontalPodAutoscaler").spec.metrics.filter(({ type }) => type === "Pods");
  assert.equal(metrics.length, 1);
  assert.match(text, new RegExp(`^${metrics[0].pods.metric.name} `, "m"));
  assert.deepEqual(args.slice(0, 2), ["serve", "-c"]);
  for (const { ports: allowed } of one(alb, "NetworkPolicy").spec.ingress) {
    allowed.forEach(({ port: number }) => assert.ok(Object.values(port).includes(number)));
  }
  await daemon.stop();
});

test("times fit into each other, from the load balancer to the kernel", () => {
  const { delay, drain_timeout } = settings.server.shutdown;
  const pod = one(alb, "Deployment").spec.template.spec;
  const attributes = one(alb, "Ingress").metadata.annotations;
  const idle = Number(/idle_timeout\.timeout_seconds=(\d+)/.exec(attributes["alb.ingress.kubernetes.io/load-balancer-attributes"])[1]);
  const leaving = Number(/deregistration_delay\.timeout_seconds=(\d+)/.exec(attributes["alb.ingress.kubernetes.io/target-group-attributes"])[1]);
  const behind = Number(/#define END_MS (\d+)/.exec(readFileSync(`${root}src/server/daemon.c`, "utf8"))[1]) / 1000;
  assert.ok(pod.terminationGracePeriodSeconds > seconds(delay) + seconds(drain_timeout) + behind);
  assert.ok(seconds(settings.server.keepalive_timeout) > idle);
  assert.ok(seconds(settings.server.request_timeout) < idle);
  assert.ok(leaving <= seconds(delay) + seconds(drain_timeout));
  const { readinessProbe } = container(alb);
  assert.ok(readinessProbe.periodSeconds * readinessProbe.failureThreshold <= seconds(delay), "it is out of the service before it stops accepting");
});

test("pods are what the restricted pod security standard asks for", () => {
  for (const workload of [one(alb, "Deployment"), one(all.install, "Job")]) {
    const { spec } = workload.spec.template;
    assert.equal(spec.automountServiceAccountToken, false);
    assert.equal(spec.securityContext.runAsNonRoot, true);
    assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
    for (const { securityContext, resources, volumeMounts } of spec.containers) {
      assert.deepEqual(securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } });
      assert.ok(resources.limits.memory && resources.requests.cpu && !resources.limits.cpu);
      volumeMounts.forEach(({ readOnly }) => assert.equal(readOnly, true));
    }
  }
  const user = /^USER (\d+):/m.exec(readFileSync(`${root}Dockerfile`, "utf8"))[1];
  assert.equal(String(one(alb, "Deployment").spec.template.spec.securityContext.runAsUser), user);
});

test("the alerts are those of conf/prometheus, and find the daemon under its name", () => {
  const rules = parse(readFileSync(`${root}conf/prometheus/fraiseqld.rules.yml`, "utf8"));
  assert.deepEqual(one(alb, "PrometheusRule").spec.groups, rules.groups);
  const monitor = one(alb, "ServiceMonitor").spec;
  const service = one(alb, "Service", "fraiseqld-metrics");
  Object.entries(monitor.selector.matchLabels).forEach(([key, value]) => assert.equal(service.metadata.labels[key], value));
  assert.equal(service.metadata.labels[monitor.jobLabel], "fraiseqld");
  assert.ok(rules.groups[0].rules.some(({ expr }) => expr.includes('job="fraiseqld"')));
});

test("selectors select the pods, and no region is another", () => {
  const { labels } = one(alb, "Deployment").spec.template.metadata;
  for (const service of alb.filter(({ kind }) => kind === "Service")) {
    Object.entries(service.spec.selector).forEach(([key, value]) => assert.equal(labels[key], value));
  }
  for (const [selector] of [[one(alb, "PodDisruptionBudget").spec.selector.matchLabels], [one(alb, "Deployment").spec.selector.matchLabels]]) {
    Object.entries(selector).forEach(([key, value]) => assert.equal(labels[key], value));
  }
  const regions = ["eu-west-1", "us-east-1"].map((region) => all[`overlays/${region}`]);
  const env = regions.map((objects) => one(objects, "ConfigMap", "fraiseqld-env"));
  assert.notEqual(env[0].metadata.name, env[1].metadata.name, "a change is a rollout");
  assert.deepEqual(env.map(({ data }) => data.OTEL_RESOURCE_ATTRIBUTES), ["cloud.region=eu-west-1", "cloud.region=us-east-1"]);
  assert.equal(new Set(regions.map((objects) => one(objects, "Ingress").spec.rules[0].host)).size, 2);
  const sample = readFileSync(`${root}conf/fraiseqld.yaml`, "utf8");
  Object.keys(env[0].data).forEach((name) => assert.ok(sample.includes(`\${${name}:-`), name));
});
