import assert from "node:assert/strict";
import fc from "fast-check";
import { lineChart } from "./train_plot.ts";

Deno.test("a chart holds every point inside its frame and escapes its texts", () => {
  const point = fc.record({ x: fc.nat(1000), y: fc.double({ min: -10, max: 10, noNaN: true }) });
  fc.assert(fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), (points) => {
    const svg = lineChart({ title: "loss & <more>", xLabel: "step", points });
    assert.match(svg, /loss &amp; &lt;more&gt;/);
    const circles = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)];
    assert.equal(circles.length, points.length);
    for (const [, x, y] of circles) assert.ok(+x >= 70 && +x <= 620 && +y >= 40 && +y <= 350);
  }));
});
