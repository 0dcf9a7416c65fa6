import assert from "node:assert/strict";
import fc from "fast-check";
import { isSottoError } from "../errors.ts";
import { assertRefused } from "../tests/fixtures/assert_refused.ts";
import { COMMITTED, readCase, readModelBytes } from "../tests/fixtures/cases.ts";
import { evaluate, importModel, MODEL_BYTES_MAX, MODEL_FORMATS, randomRows } from "./mod.ts";

const NAMES = [
  "iris_xgb",
  "wdbc_xgb_dart",
  "wdbc_xgb_pruned",
  "iris_lgbm",
  "wdbc_missing_zero_lgbm",
  "iris_rf",
  "made_missing",
  "wdbc_logistic",
  "iris_ovr",
  "wdbc_scaled_dt",
];
const cases = NAMES.map((name) => readCase(COMMITTED, name)).map((entry) => ({
  format: entry.format,
  bytes: readModelBytes(COMMITTED, entry),
}));

/** Imports; what is imported must also run. Anything but a SottoError fails the test. */
function importsOrRefuses(format: typeof MODEL_FORMATS[number], bytes: Uint8Array): void {
  try {
    const model = importModel(format, bytes, { bins: { kind: "model" } });
    for (const row of randomRows(model, 3, 1)) evaluate(model, row);
  } catch (error) {
    assert.ok(isSottoError(error), `${error instanceof Error ? error.stack : error}`);
    assert.ok(["malformed_file", "model_refused"].includes(error.code), error.code);
  }
}

/** Bytes that matter to the formats' grammars, beside arbitrary ones. */
const byte = fc.oneof(fc.nat(255), fc.constantFrom(...new TextEncoder().encode('0123456789-+.eE,:[]{}" \nnulltrue=')));

Deno.test("files with changed, cut and repeated bytes import or are refused", () => {
  const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), byte), { maxLength: 8 });
  const cut = fc.option(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40)));
  fc.assert(
    fc.property(fc.constantFrom(...cases), changes, cut, ({ format, bytes }, edits, removal) => {
      let mutated = bytes.slice();
      for (const [at, value] of edits) mutated[Math.floor(at * (mutated.length - 1))] = value;
      if (removal) {
        const start = Math.floor(removal[0] * mutated.length);
        mutated = new Uint8Array([...mutated.subarray(0, start), ...mutated.subarray(start + removal[1])]);
      }
      importsOrRefuses(format, mutated);
    }),
    { numRuns: 400 },
  );
});

Deno.test("any bytes of any format import or are refused", () => {
  fc.assert(fc.property(fc.constantFrom(...MODEL_FORMATS), fc.uint8Array({ maxLength: 200 }), importsOrRefuses), {
    numRuns: 500,
  });
});

Deno.test("XGBoost files with any JSON in any place import or are refused", () => {
  const original = new TextDecoder().decode(cases[0].bytes);
  const places = [
    ...JSON.stringify(JSON.parse(original)).matchAll(/(?<=[:,[])(-?[\d.]+(E-?\d+)?|"[^"]*"|\[\])(?=[,\]}])/g),
  ];
  const compact = JSON.stringify(JSON.parse(original));
  fc.assert(
    fc.property(fc.nat(places.length - 1), fc.oneof(fc.json(), fc.integer().map(String)), (index, json) => {
      const place = places[index];
      const text = compact.slice(0, place.index) + json + compact.slice(place.index + place[0].length);
      importsOrRefuses("xgboost", new TextEncoder().encode(text));
    }),
    { numRuns: 300 },
  );
});

Deno.test("LightGBM files with any word in any place import or are refused", () => {
  const original = new TextDecoder().decode(cases[4].bytes);
  const places = [...original.matchAll(/[^\s=]+/g)];
  const word = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.constantFrom("inf", "-inf", "nan", "1e999", "", "-0"),
  );
  fc.assert(
    fc.property(fc.nat(places.length - 1), word, (index, replacement) => {
      const place = places[index];
      const text = original.slice(0, place.index) + replacement + original.slice(place.index + place[0].length);
      importsOrRefuses("lightgbm", new TextEncoder().encode(text));
    }),
    { numRuns: 300 },
  );
});

Deno.test("a file above the limit is refused before it is read", () => {
  for (const format of MODEL_FORMATS) {
    const bytes = new Uint8Array(MODEL_BYTES_MAX + 1);
    assertRefused("body_too_large", "may have", () => importModel(format, bytes, { bins: { kind: "model" } }));
  }
});
