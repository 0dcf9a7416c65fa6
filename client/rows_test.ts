import assert from "node:assert/strict";
import fc from "fast-check";
import { SottoError } from "../errors.ts";
import { readRows, type RowFeature } from "./rows.ts";

const features: RowFeature[] = [{ name: "age", missing: "nan" }, { name: "blood pressure", missing: "refused" }];
const plainNames: RowFeature[] = [{ name: "f0", missing: "nan" }, { name: "f1", missing: "nan" }];

function read(text: string, of: readonly RowFeature[] = features): number[][] {
  return readRows(new TextEncoder().encode(text), of).map((row) => [...row]);
}

function refusal(text: string, message: RegExp, of: readonly RowFeature[] = features): void {
  assert.throws(() => read(text, of), (error) => {
    assert.ok(error instanceof SottoError);
    assert.equal(error.code, "rows_refused");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("columns are ordered by name, and an empty cell is NaN", () => {
  assert.deepEqual(read("blood pressure,age\n120,40\n80.5,\n"), [[40, 120], [NaN, 80.5]]);
});

Deno.test("spaces and underscores in names are the same", () => {
  assert.deepEqual(read("age,blood_pressure\n1,2\n"), [[1, 2]]);
});

Deno.test("a byte order mark, CRLF, quotes and blank lines are read", () => {
  assert.deepEqual(read('\ufeff"age","blood pressure"\r\n"1",2\r\n\r\n3,4\r\n'), [[1, 2], [3, 4]]);
});

Deno.test("a model without names takes columns by position", () => {
  assert.deepEqual(read("height,weight\n1,2\n", plainNames), [[1, 2]]);
  assert.deepEqual(read("0,1\n5,6\n", plainNames), [[5, 6]]);
  refusal("a,b,c\n1,2,3\n", /3 columns, but the model has 2 features/, plainNames);
});

Deno.test("a header without names of its own goes by position, other names do not", () => {
  assert.deepEqual(read("x0,x1\n1,2\n"), [[1, 2]]);
  assert.deepEqual(read("0,1\n1,2\n"), [[1, 2]]);
  refusal("years,pressure\n1,2\n", /columns? "age", "blood pressure" (is|are) missing/);
});

Deno.test("exponents, signs and nan are numbers", () => {
  assert.deepEqual(read("age,blood pressure\n-1.5e3,+.5\nNaN,1.\n"), [[-1500, 0.5], [NaN, 1]]);
});

Deno.test("a missing column is named", () => {
  refusal("age\n1\n", /column "blood pressure" is missing/);
  refusal("age,pressure\n1,2\n", /column "blood pressure" is missing; the model has no feature "pressure"/);
});

Deno.test("an extra column is named", () => {
  refusal("age,blood pressure,name\n1,2,3\n", /no feature "name"/);
});

Deno.test("a repeated column is named", () => {
  refusal("age,age,blood pressure\n1,1,2\n", /column "age" is there twice \(columns 1 and 2\)/);
});

Deno.test("a line with a wrong number of values is named", () => {
  refusal("age,blood pressure\n1,2\n1,2,3\n", /line 3: 3 values, but the header has 2 columns/);
});

Deno.test("text in a number names line and column", () => {
  refusal("age,blood pressure\n1,2\n1,high\n", /line 3, column "blood pressure": "high" is not a finite number/);
  refusal("age,blood pressure\n0x10,2\n", /line 2, column "age": "0x10"/);
  refusal("age,blood pressure\n1e999,2\n", /line 2, column "age": "1e999"/);
  refusal("age,blood pressure\n1,inf\n", /line 2, column "blood pressure": "inf"/);
});

Deno.test("an empty cell is refused where the model takes no missing value", () => {
  refusal("age,blood pressure\n1,\n", /line 2, column "blood pressure": the cell is empty/);
});

Deno.test("a forgotten header is named", () => {
  refusal("40,120\n41,130\n", /line 1 holds numbers/);
});

Deno.test("a file without rows is refused", () => {
  refusal("", /file is empty/);
  refusal("age,blood pressure\n", /there are no rows/);
  refusal("[]", /there are no rows/);
});

Deno.test("bytes that are not text are refused", () => {
  assert.throws(() => readRows(new Uint8Array([0xff, 0xfe, 0x00]), features), /not UTF-8/);
});

Deno.test("JSON rows are arrays in order or objects by name", () => {
  assert.deepEqual(read('[[1,2],{"blood pressure":4,"age":null}]'), [[1, 2], [NaN, 4]]);
});

Deno.test("JSON rows that do not fit are named", () => {
  refusal("[[1]]", /row 1: 1 values, but the model has 2 features/);
  refusal('[[1,2],{"age":1}]', /row 2: the feature "blood pressure" is missing/);
  refusal('[{"age":1,"blood pressure":2,"x":3}]', /row 1: the model has no feature "x"/);
  refusal('[[1,"2"]]', /row 1, column "blood pressure": "2" is not a finite number/);
  refusal("[[1,null]]", /the cell is empty/);
  refusal("[7]", /row 1: not an array/);
  refusal("[[1,2]", /JSON cannot be read/);
});

Deno.test("finite numbers survive a CSV unchanged", () => {
  const number = fc.double({ noDefaultInfinity: true, noNaN: true });
  fc.assert(fc.property(fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 20 }), (rows) => {
    const csv = ["age,blood pressure", ...rows.map((row) => row.map(String).join(","))].join("\n");
    assert.deepEqual(read(csv), rows.map((row) => row.map((value) => Number(String(value)))));
  }));
});

Deno.test("no text makes anything but a SottoError", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    try {
      readRows(new TextEncoder().encode(`age,blood pressure\n${text}`), features);
    } catch (error) {
      assert.ok(error instanceof SottoError, String(error));
    }
  }));
});
