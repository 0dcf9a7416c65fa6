import assert from "node:assert/strict";
import { SottoError } from "../errors.ts";
import { CALIBRATION_ROWS_MAX, readCalibration } from "./calibration.ts";

const read = (text: string) => readCalibration(new TextEncoder().encode(text));

function refusal(text: string, code: string, message: RegExp): void {
  assert.throws(() => read(text), (error) => {
    assert.ok(error instanceof SottoError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("calibration rows are the numbers below the header line, empty lines left out", () => {
  assert.deepEqual(read('\ufefff0,"f,1"\r\n1,-2.5e-3\r\n\r\n .5 ,4\r\n'), [[1, -0.0025], [0.5, 4]]);
});

Deno.test("what is no table of finite numbers is named by line and column", () => {
  refusal("a,b\n1,2\n3\n", "rows_refused", /line 3 .*: 1 values, but the header has 2 columns/);
  refusal("a,b\n1,\n", "rows_refused", /line 2, column "b" .*: "" is not a finite number/);
  refusal("a,b\n1,nan\n", "rows_refused", /column "b"/);
  refusal("a,b\n1,0x1\n", "rows_refused", /"0x1" is not/);
  refusal('a,b\n1,"2\n', "rows_refused", /CSV cannot be read/);
  refusal("1.5,2\n3,4\n", "rows_refused", /first line/);
  refusal("a,b\n", "rows_refused", /no calibration rows/);
  refusal("", "rows_refused", /no calibration rows/);
  assert.throws(() => readCalibration(new Uint8Array([0xff, 0xfe])), /not UTF-8/);
});

Deno.test("more rows than the limit are refused", () => {
  refusal(`a\n${"1\n".repeat(CALIBRATION_ROWS_MAX + 1)}`, "body_too_large", /more than 10000/);
  assert.equal(read(`a\n${"1\n".repeat(CALIBRATION_ROWS_MAX)}`).length, CALIBRATION_ROWS_MAX);
});
