import assert from "node:assert/strict";
import { ERROR_STATUS, type ErrorCode } from "../../errors.ts";

/** Demands that the answer is the problem of that code, complete, and returns it. */
export async function assertProblem(response: Response, code: ErrorCode, detail?: RegExp): Promise<void> {
  const text = await response.text();
  assert.equal(response.headers.get("content-type"), "application/problem+json", text);
  const problem = JSON.parse(text);
  assert.deepEqual(Object.keys(problem).sort(), ["code", "detail", "request_id", "status", "title", "type"]);
  assert.equal(problem.code, code, text);
  assert.equal(response.status, ERROR_STATUS[code]);
  assert.equal(problem.status, ERROR_STATUS[code]);
  assert.equal(problem.request_id, response.headers.get("x-request-id"));
  if (detail !== undefined) assert.match(problem.detail, detail);
}
