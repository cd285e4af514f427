// The chart makes what the manifests are, and refuses values that it does not know.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { built, helm, objectsOf, one, root } from "./support.mjs";

const chart = `${root}conf/kubernetes/chart`;
const rendered = async (...args) => objectsOf(await helm("template", "fraiseqld", chart, "--namespace", "fraiseqld", ...args));

/** Without what a chart and kustomize name differently: labels, namespaces, hashes in names, where the environment stands. */
function comparable(object) {
  const copy = structuredClone(object);
  delete copy.metadata.labels;
  delete copy.metadata.namespace;
  copy.metadata.name = copy.metadata.name.replace(/-[a-z0-9]{10}$/, "");
  delete copy.spec?.selector;
  delete copy.spec?.podSelector;
  if (copy.kind === "Deployment") {
    const { metadata, spec } = copy.spec.template;
    delete metadata.labels;
    delete metadata.annotations;
    spec.topologySpreadConstraints.forEach((constraint) => delete constraint.labelSelector);
    spec.containers.forEach((container) => (delete container.env, delete container.envFrom));
    spec.volumes.forEach(({ configMap }) => configMap && delete configMap.name);
    delete copy.spec.template.metadata;
  }
  if (copy.kind === "ConfigMap") {
    copy.data = parse(copy.data["fraiseqld.yaml"]);
  }
  return copy;
}

test("helm finds nothing wrong with it", async () => {
  assert.match(await helm("lint", "--strict", chart), /0 chart\(s\) failed/);
});

test("by default it is conf/kubernetes/base", async () => {
  const sorted = (objects) =>
    objects
      .filter(({ kind, metadata }) => kind !== "Namespace" && !metadata.name.startsWith("fraiseqld-env"))
      .map(comparable)
      .sort((a, b) => `${a.kind} ${a.metadata.name}`.localeCompare(`${b.kind} ${b.metadata.name}`));
  assert.deepEqual(sorted(await rendered()), sorted(await built("base")));
});

test("values are used, and a change of the configuration is a rollout", async () => {
  const objects = await rendered("--set", "image.repository=example/fraiseqld,image.tag=9.9,env.ENVIRONMENT=staging,existingSecret=other,autoscaling.maxReplicas=9,serviceMonitor.enabled=true,ingress.enabled=true,ingress.host=a.example,networkPolicy.enabled=false,config.database.pool.max=7");
  const { metadata, spec } = one(objects, "Deployment").spec.template;
  assert.equal(spec.containers[0].image, "example/fraiseqld:9.9");
  assert.deepEqual(spec.containers[0].env, [{ name: "ENVIRONMENT", value: "staging" }]);
  assert.equal(spec.volumes[1].secret.secretName, "other");
  assert.equal(one(objects, "HorizontalPodAutoscaler").spec.maxReplicas, 9);
  assert.equal(one(objects, "Ingress").spec.rules[0].host, "a.example");
  assert.ok(one(objects, "ServiceMonitor"));
  assert.equal(objects.filter(({ kind }) => kind === "NetworkPolicy").length, 0);
  assert.equal(parse(one(objects, "ConfigMap").data["fraiseqld.yaml"]).database.pool.max, 7);
  assert.notEqual(metadata.annotations["checksum/config"], one(await rendered(), "Deployment").spec.template.metadata.annotations["checksum/config"]);
  const two = objectsOf(await helm("template", "shop", chart));
  for (const object of two.filter(({ kind }) => kind === "Service")) {
    assert.equal(object.spec.selector["app.kubernetes.io/instance"], "shop");
  }
});

test("values that it does not know, or that are of another type, are refused", async () => {
  for (const value of ["imagee.tag=1", "autoscaling.maxReplicas=many", "networkPolicy.enabledd=true"]) {
    await assert.rejects(rendered("--set", value), /values don't meet the specifications of the schema/);
  }
});
