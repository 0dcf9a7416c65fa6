import assert from "node:assert/strict";
import { SottoError } from "../errors.ts";
import { figure, parseFigures, runProgram } from "./programs.ts";

function rejects(call: () => Promise<unknown>, code: string, message: RegExp): Promise<void> {
  return assert.rejects(call, (error) => {
    assert.ok(error instanceof SottoError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("figures are the lines of a name, a number and perhaps a unit, and other lines are passed over", () => {
  const figures = parseFigures(
    "hello there world\nforward 1.25 us\nforward.best 1e-3 us\nfailures 0\n\nref skipped: no\n",
  );
  assert.deepEqual([...figures], [["forward", 1.25], ["forward.best", 0.001], ["failures", 0]]);
});

Deno.test("a figure that a program did not print is named", () => {
  assert.equal(figure(parseFigures("a 1 us"), "a"), 1);
  assert.throws(() => figure(parseFigures("a 1 us"), "b"), /no figure "b"/);
});

Deno.test("a pinned program sees only its core", async () => {
  assert.equal(await runProgram("nproc", [], { core: 0 }), "1\n");
});

Deno.test("a program that is not installed is a configuration error that says what to do", () =>
  rejects(
    () => runProgram("no-such-program", [], { missing: "install it so" }),
    "configuration_invalid",
    /install it so/,
  ));

Deno.test("a program that fails is reported with its last words", () =>
  rejects(() => runProgram("sh", ["-c", "echo last words; exit 3"]), "backend_failed", /exit code 3:\nlast words/));
