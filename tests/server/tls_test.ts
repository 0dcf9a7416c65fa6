import assert from "node:assert/strict";
import { plainBackend } from "../../circuits/plain.ts";
import { readConfig, readTls } from "../../config.ts";
import { startServer } from "../../main.ts";
import { makeCertificate } from "../support/certificate.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { collect } from "../support/server.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await work(folder).finally(() => Deno.remove(folder, { recursive: true }));
}

Deno.test("with a certificate the server speaks HTTPS and nothing else, and shows when it ends", () =>
  withFolder(async (folder) => {
    const { cert, certFile, keyFile } = await makeCertificate(folder, "mine");
    const dataDir = await makeDataFolder();
    const config = readConfig({
      SOTTO_DATA_DIR: dataDir,
      SOTTO_PORT: "0",
      SOTTO_TLS_CERT: certFile,
      SOTTO_TLS_KEY: keyFile,
      SOTTO_METRICS_TOKEN: "the token of the metrics",
    });
    const server = await startServer(config, plainBackend(), { allowInsecure: true, log: collect([]) });
    const client = Deno.createHttpClient({ caCerts: [cert] });
    try {
      assert.match(server.url, /^https:/);
      const answer = await fetch(`${server.url}/healthz`, { client });
      assert.deepEqual(await answer.json(), { status: "ok" });
      assert.match(answer.headers.get("strict-transport-security") ?? "", /max-age/);
      const headers = { authorization: `Bearer ${config.metricsToken}` };
      const metrics = await (await fetch(`${server.url}/metrics`, { client, headers })).text();
      const end = Number(/^sotto_tls_certificate_end_seconds (\S+)$/m.exec(metrics)?.[1]);
      assert.ok(end > Date.now() / 1000);
      await assert.rejects(fetch(`${server.url.replace("https:", "http:")}/healthz`));
      await assert.rejects(fetch(`${server.url}/healthz`));
    } finally {
      client.close();
      await server.stop();
      await Deno.remove(dataDir, { recursive: true });
    }
  }));

Deno.test("files that are no certificate and key of it are refused by name", () =>
  withFolder(async (folder) => {
    const [mine, other] = [await makeCertificate(folder, "mine"), await makeCertificate(folder, "other")];
    const refused = (tlsCertificate: string, tlsKey: string, message: RegExp) =>
      assert.throws(() => readTls({ tlsCertificate, tlsKey }), { code: "configuration_invalid", message });
    refused(mine.certFile, other.keyFile, /SOTTO_TLS_KEY: .*other\.key is not the private key/);
    refused(mine.keyFile, mine.keyFile, /SOTTO_TLS_CERT: .*no PEM file/);
    refused(`${folder}/nothing`, mine.keyFile, /SOTTO_TLS_CERT: .*no PEM file that can be read/);
    refused(mine.certFile, mine.certFile, /SOTTO_TLS_KEY: .*no PEM file/);
    assert.equal(readTls({}), undefined);
    assert.ok(readTls({ tlsCertificate: mine.certFile, tlsKey: mine.keyFile }));
  }));
