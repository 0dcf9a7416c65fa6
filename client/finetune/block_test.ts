import assert from "node:assert/strict";
import fc from "fast-check";
import { IGNORED_LABEL, labelCount, packBlock, packBlocks } from "./block.ts";

const none = IGNORED_LABEL;

Deno.test("each token's label is the token after it, none across texts and none inside a prompt", () => {
  const block = packBlock([{ tokens: [5, 6, 7, 8], promptLength: 2 }, { tokens: [9] }, { tokens: [1, 2] }]);
  assert.deepEqual([...block.tokens], [5, 6, 7, 8, 9, 1, 2]);
  assert.deepEqual([...block.labels], [none, 7, 8, none, none, 2, none]);
  assert.deepEqual([...block.starts], [0, 4, 5, 7]);
  assert.deepEqual([...block.positions], [0, 1, 2, 3, 0, 0, 1]);
  assert.equal(labelCount(block), 3);
});

Deno.test("texts stay whole where they fit, longer ones are cut, their prompt stays unlearned", () => {
  const blocks = packBlocks([{ tokens: [1, 2, 3] }, { tokens: [4, 5] }, {
    tokens: [6, 7, 8, 9, 10, 11, 12],
    promptLength: 6,
  }], 4);
  assert.deepEqual(blocks.map((block) => [...block.tokens]), [[1, 2, 3], [4, 5], [6, 7, 8, 9], [10, 11, 12]]);
  assert.deepEqual(blocks.slice(2).map((block) => [...block.labels]), [[none, none, none, none], [none, 12, none]]);
});

Deno.test("no block is larger than its capacity and no pair of tokens within a piece is lost", () => {
  const texts = fc.array(fc.array(fc.nat(50), { maxLength: 30 }), { maxLength: 12 });
  fc.assert(fc.property(texts, fc.integer({ min: 2, max: 16 }), (lists, capacity) => {
    const blocks = packBlocks(lists.map((tokens) => ({ tokens })), capacity);
    assert.ok(blocks.every((block) => block.tokens.length <= capacity));
    const expected = lists.reduce((sum, { length }) => {
      const rest = length % capacity;
      return sum + Math.floor(length / capacity) * (capacity - 1) + Math.max(0, rest - 1);
    }, 0);
    assert.equal(blocks.reduce((sum, block) => sum + labelCount(block), 0), expected);
  }));
});

Deno.test("a block that cannot hold a pair of tokens is refused", () => {
  assert.throws(() => packBlocks([], 1), { code: "configuration_invalid" });
});
