// certificates.mjs - certificates and keys for tests, by openssl.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";

/** A directory of this test's, with what openssl makes in it. */
export class Authority {
  constructor(name = "Test CA") {
    this.dir = mkdtempSync(`${process.env.E2E_DIR}/ca-`);
    this.file = `${this.dir}/ca.crt`;
    this.made = 0;
    this.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
      "-keyout", `${this.dir}/ca.key`, "-out", this.file, "-days", "3650", "-subj", `/CN=${name}`);
  }

  get pem() {
    return readFileSync(this.file, "utf8");
  }

  openssl(...args) {
    return execFileSync("openssl", args, { cwd: this.dir, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  /** A certificate for a name, and its key: their files and texts. The end is in days from now. */
  issue(name, { days = 30, alternatives = `DNS:${name}`, key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] } = {}) {
    const base = `${this.dir}/${++this.made}`;
    const files = { cert_file: `${base}.crt`, key_file: `${base}.key` };
    this.openssl("req", "-new", ...key, "-nodes", "-keyout", files.key_file, "-out", `${base}.csr`, "-subj", `/CN=${name}`);
    writeFileSync(`${base}.ext`, `subjectAltName=${alternatives}\n`);
    this.openssl("x509", "-req", "-in", `${base}.csr`, "-CA", this.file, "-CAkey", `${this.dir}/ca.key`, "-CAcreateserial",
      "-out", files.cert_file, "-days", String(days), "-extfile", `${base}.ext`);
    chmodSync(files.key_file, 0o600);
    return { ...files, cert: readFileSync(files.cert_file, "utf8"), key: readFileSync(files.key_file, "utf8") };
  }
}
