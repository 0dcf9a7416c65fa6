import { openBackend } from "../ffi/mod.ts";
import { startEmbedded } from "./demo_server.ts";
import { SottoClient, newKeys, openSecretKey, predictRows, readRows } from "../client/mod.ts";
import { readCases, readExpected, COMMITTED, FULL } from "../tests/fixtures/cases.ts";
const b = openBackend({library: "/tmp/p4k/b/libsotto.so"});
const server = await startEmbedded(b);
const client = new SottoClient(server.url, server.token);
const k = await newKeys(b); const s = await openSecretKey(b, k.secretFile); await client.registerKeys(k.evaluationFile);
let bad = 0, n = 0;
for (const folder of Deno.args[0] === "full" ? [FULL] : [COMMITTED]) for (const c of readCases(folder).filter((c) => Deno.args[0] !== "full" || !c.name.endsWith("_dt"))) {
  try {
    const m = await client.importModel({ name: c.name, format: c.format, file: Deno.readFileSync(new URL(c.model, folder)) });
    const rows = readRows(Deno.readFileSync(new URL(c.rows, folder)), m.description.features).slice(0, 40);
    const expected = readExpected(folder, c);
    const t = performance.now();
    const r = await predictRows(client, b, s, m, rows);
    const ms = performance.now() - t;
    let worst = 0, differ = 0;
    for (const [i, p] of r.predictions.entries()) {
      if (expected[i].label !== null && String(p.label) !== expected[i].label) differ++;
      expected[i].scores.forEach((x, j) => worst = Math.max(worst, Math.abs(x - p.scores[j]) / Math.max(1, Math.abs(x))));
    }
    n++;
    if (differ || worst > 1e-3) bad++;
    console.log(c.name.padEnd(32), String(rows.length).padStart(5), "differ", differ, "worst", worst.toExponential(1), "server ms/row", (r.serverMs / rows.length).toFixed(2), "all", (ms/rows.length).toFixed(2));
  } catch (e) { bad++; console.log(c.name, "FAILED", (e as any).code, (e as Error).message); }
}
console.log(n, "cases", bad, "bad");
await server[Symbol.asyncDispose]();
