/** A line chart as SVG: one series or several, linear axes, nothing that a browser would have to load. */

/** What is drawn. */
export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly points: Points;
  /** What the points are, when there are others beside them. */
  readonly name?: string;
  /** Drawn in other colours, with their names. */
  readonly others?: readonly { readonly name: string; readonly points: Points }[];
}

type Points = readonly { readonly x: number; readonly y: number }[];

const SIZE = { width: 640, height: 400 };
const FRAME = { left: 70, right: 20, top: 40, bottom: 50 };
const TICKS = 5;
const COLOURS = ["#1f6fb4", "#d9822b", "#4a9d5b", "#8e5bb0"];

/** The chart as the text of an SVG file; it needs one point at least. */
export function lineChart({ title, xLabel, points, name, others = [] }: Chart): string {
  const series = [{ name: name ?? "", points }, ...others];
  const all = series.flatMap((one) => one.points);
  const x = axis(all.map((point) => point.x), FRAME.left, SIZE.width - FRAME.right);
  const y = axis(all.map((point) => point.y), SIZE.height - FRAME.bottom, FRAME.top);
  const bottom = SIZE.height - FRAME.bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    text(SIZE.width / 2, 24, title, `text-anchor="middle" font-size="15"`),
    text(SIZE.width / 2, SIZE.height - 10, xLabel, `text-anchor="middle"`),
    ...x.ticks.map((tick) => text(x.place(tick), bottom + 18, label(tick), `text-anchor="middle"`)),
    ...y.ticks.flatMap((tick) => [
      `<line x1="${FRAME.left}" x2="${SIZE.width - FRAME.right}" y1="${fixed(y.place(tick))}" y2="${
        fixed(y.place(tick))
      }" stroke="#ddd"/>`,
      text(FRAME.left - 8, y.place(tick) + 4, label(tick), `text-anchor="end"`),
    ]),
    ...series.toReversed().flatMap((one, i) =>
      drawn(one.points, COLOURS[(series.length - 1 - i) % COLOURS.length], x, y)
    ),
    ...(series.length > 1 ? series.map((one, i) => legend(one.name, i)) : []),
    "</svg>",
  ].join("\n") + "\n";
}

function drawn(points: Points, colour: string, x: Axis, y: Axis): string[] {
  const line = points.map((point) => `${fixed(x.place(point.x))},${fixed(y.place(point.y))}`).join(" ");
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${line}"/>`,
    ...points.map((point) =>
      `<circle cx="${fixed(x.place(point.x))}" cy="${fixed(y.place(point.y))}" r="2.5" fill="${colour}"/>`
    ),
  ];
}

/** The name of a series in its colour, at the right. */
function legend(name: string, index: number): string {
  const attributes = `text-anchor="end" fill="${COLOURS[index % COLOURS.length]}"`;
  return text(SIZE.width - FRAME.right - 8, FRAME.top + 16 * (index + 1), name, attributes);
}

interface Axis {
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From the smallest to the largest value; a single value lies in the middle. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const margin = high > low ? 0 : 1;
  const [first, last] = [low - margin, high + margin];
  return {
    place: (value) => from + (value - first) / (last - first) * (to - from),
    ticks: Array.from({ length: TICKS }, (_, i) => first + (last - first) * i / (TICKS - 1)),
  };
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escaped(content)}</text>`;
}

function label(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
