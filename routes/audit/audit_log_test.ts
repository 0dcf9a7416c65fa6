import assert from "node:assert/strict";
import type { NewAuditRow } from "../../db/mod.ts";
import { until } from "../../tests/support/until.ts";
import { AuditLog } from "./audit_log.ts";

const row = (ms: number) => ({ requestId: "r", ms }) as NewAuditRow;

/** An audit log on a store that may be away, and what came of it. */
function auditOn(state: { away: boolean }) {
  const [written, batches, lost]: [number[], number[], number[]] = [[], [], []];
  let tidied = 0;
  const audit = new AuditLog({
    log: {
      info: () => {},
      warn: () => {},
      error: (_message, { ms }) => void lost.push(ms as number),
    },
    write: (rows) => {
      if (state.away) return Promise.reject(new Error("away"));
      batches.push(rows.length);
      written.push(...rows.map(({ ms }) => ms));
      return Promise.resolve();
    },
    tidy: () => Promise.resolve(void tidied++),
  });
  return { audit, written, batches, lost, tidied: () => tidied };
}

Deno.test("rows are taken at once, written in batches in their order, and tidied up after", async () => {
  const { audit, written, batches, tidied } = auditOn({ away: false });
  for (let ms = 0; ms < 1200; ms++) await audit.record(row(ms));
  assert.equal(written.length, 0);
  await until(() => Promise.resolve(written.length === 1200 && tidied() === 1));
  assert.deepEqual(written, Array.from({ length: 1200 }, (_, ms) => ms));
  assert.deepEqual(batches, [500, 500, 200]);
  await audit.close();
});

Deno.test("rows wait for a store that is away and are written when it is back", async () => {
  const state = { away: true };
  const { audit, written, lost } = auditOn(state);
  await audit.record(row(1));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await audit.record(row(2));
  state.away = false;
  await until(() => Promise.resolve(written.length === 2));
  await audit.close();
  assert.deepEqual([written, lost], [[1, 2], []]);
});

Deno.test("when too many rows wait, who brings another waits, too", async () => {
  const state = { away: true };
  const { audit, written } = auditOn(state);
  for (let ms = 0; ms < 10_000; ms++) await audit.record(row(ms));
  let taken = false;
  const last = audit.record(row(10_000)).then(() => taken = true);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(taken, false);
  state.away = false;
  await last;
  assert.equal(written.length, 10_001);
  await audit.close();
});

Deno.test("a close writes what waits, or says which rows were lost", async () => {
  const here = auditOn({ away: false });
  await here.audit.record(row(1));
  await here.audit.close();
  assert.deepEqual([here.written, here.lost], [[1], []]);
  const away = auditOn({ away: true });
  await away.audit.record(row(2));
  await away.audit.close();
  assert.deepEqual([away.written, away.lost], [[], [2]]);
});
