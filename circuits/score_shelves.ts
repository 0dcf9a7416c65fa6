/**
 * Groups of one level and the same outputs share lookups while their slots fit a table. Groups by decisions join at the states of all their
 * decisions, where common ones count once; other groups multiply the slots: v = v_1 + slots_1 v_2. The table holds the sum.
 */
import { addUp } from "./leaf_forms.ts";
import type { MissingCode } from "./missing_codes.ts";
import { type Decision, decisionKey, sidesOfStates, stateCount, stateTerms } from "./score_digits.ts";
import { type Decided, type GroupLookup, type LoneGroup, scaled } from "./score_lookups.ts";
import { SLOTS } from "./score_paths.ts";

/** Shelves of one feature that a group is tried on: enough for almost the best, few enough for thousands of trees. */
const TRIED = 64;

/** A lookup while it is filled. */
interface Shelf {
  /** Distinct, by key. */
  decisions: Map<string, Decision>;
  readonly decided: Decided[];
  readonly counted: GroupLookup[];
  /** Product of the counted groups' slots. */
  countedSlots: number;
  slots: number;
}

/** How a group would come onto a shelf. */
interface Place {
  readonly shelf: Shelf;
  readonly slots: number;
  /** By its decisions, these then; or else by its cost. */
  readonly decisions?: Map<string, Decision>;
}

/** The lookups of all groups. */
export function shareLookups(groups: readonly LoneGroup[], codes: readonly MissingCode[]): GroupLookup[] {
  const alike = Map.groupBy(groups, ({ form, outputs }) => `${form.level}:${outputs.join()}`);
  return [...alike.values()].flatMap((list) => {
    const shelves = new Shelves(codes);
    const sizes = new Map(list.map((group) => [group, placeOn(emptyShelf(), group, codes)!.slots]));
    for (const group of list.toSorted((a, b) => sizes.get(b)! - sizes.get(a)!)) shelves.add(group);
    const { level } = list[0].form;
    return shelves.all.map((shelf) => lookupOf(shelf, level, list[0].outputs, codes));
  });
}

class Shelves {
  readonly all: Shelf[] = [];
  readonly #byFeature = new Map<number, Set<Shelf>>();
  #open: Shelf[] = [];

  constructor(readonly codes: readonly MissingCode[]) {}

  /** Puts a group where the slots grow least, and of such places onto the fullest shelf. */
  add(group: LoneGroup): void {
    let best: Place | undefined;
    for (const shelf of this.#candidates(group)) {
      const place = placeOn(shelf, group, this.codes);
      if (place !== undefined && (best === undefined || isBetter(place, best))) best = place;
    }
    this.#put(group, best ?? placeOn(this.#newShelf(), group, this.codes)!);
  }

  #candidates({ decided }: LoneGroup): Set<Shelf> {
    const found = new Set(this.#open.slice(-TRIED));
    for (const { feature } of decided?.decisions ?? []) {
      let tried = 0;
      for (const shelf of this.#byFeature.get(feature) ?? []) {
        found.add(shelf);
        if (++tried === TRIED) break;
      }
    }
    return found;
  }

  #newShelf(): Shelf {
    const shelf = emptyShelf();
    this.all.push(shelf);
    this.#open.push(shelf);
    return shelf;
  }

  #put(group: LoneGroup, { shelf, slots, decisions }: Place): void {
    shelf.slots = slots;
    if (decisions === undefined) {
      shelf.counted.push(group);
      shelf.countedSlots *= group.form.slots;
    } else {
      shelf.decided.push(group.decided!);
      shelf.decisions = decisions;
      for (const { feature } of decisions.values()) {
        const shelves = this.#byFeature.get(feature) ?? new Set();
        this.#byFeature.set(feature, shelves.add(shelf));
      }
    }
    if (slots > SLOTS / 2) this.#open = this.#open.filter((open) => open !== shelf);
  }
}

function emptyShelf(): Shelf {
  return { decisions: new Map(), decided: [], counted: [], countedSlots: 1, slots: 1 };
}

/** The way that takes fewer slots, if one fits. */
function placeOn(shelf: Shelf, group: LoneGroup, codes: readonly MissingCode[]): Place | undefined {
  const counted = shelf.slots * group.form.slots;
  const byCost = counted <= SLOTS ? { shelf, slots: counted } : undefined;
  const byDecisions = group.decided === undefined ? undefined : joinDecisions(shelf, group.decided, codes);
  if (byDecisions === undefined || byCost === undefined) return byDecisions ?? byCost;
  return byCost.slots < byDecisions.slots ? byCost : byDecisions;
}

function joinDecisions(shelf: Shelf, decided: Decided, codes: readonly MissingCode[]): Place | undefined {
  const added = decided.decisions.map((decision) => [decisionKey(decision, codes), decision] as const)
    .filter(([key]) => !shelf.decisions.has(key));
  if (added.length === 0) return { shelf, slots: shelf.slots, decisions: shelf.decisions };
  if (shelf.slots === SLOTS) return undefined;
  const decisions = new Map([...shelf.decisions, ...added]);
  const slots = stateCount([...decisions.values()], codes) * shelf.countedSlots;
  return slots <= SLOTS ? { shelf, slots, decisions } : undefined;
}

function isBetter(a: Place, b: Place): boolean {
  const [growthA, growthB] = [a.slots / a.shelf.slots, b.slots / b.shelf.slots];
  return growthA < growthB || (growthA === growthB && a.shelf.slots > b.shelf.slots);
}

function lookupOf(
  { decisions, decided, counted }: Shelf,
  level: number,
  outputs: readonly number[],
  codes: readonly MissingCode[],
): GroupLookup {
  const all = [...decisions.values()];
  const sides = sidesOfStates(all, codes);
  const values = sides.map((goesRight) => decided.map((group) => group.valuesAt(goesRight)));
  const entries = outputs.map((_, i) =>
    Float64Array.from(values, (groups) => groups.reduce((sum, group) => sum + group[i], 0))
  );
  const form = { level, terms: stateTerms(all, codes), bases: [], constant: 0, slots: sides.length };
  return counted.reduce<GroupLookup>(joined, { form, outputs, entries });
}

function joined(a: GroupLookup, b: GroupLookup): GroupLookup {
  const { slots } = a.form;
  const form = {
    level: a.form.level,
    terms: addUp([...a.form.terms, ...scaled(b.form.terms, slots)]),
    bases: [...a.form.bases, ...scaled(b.form.bases, slots)],
    constant: a.form.constant + slots * b.form.constant,
    slots: slots * b.form.slots,
  };
  const entries = a.entries.map((entry, i) =>
    Float64Array.from({ length: form.slots }, (_, v) => entry[v % slots] + b.entries[i][Math.floor(v / slots)])
  );
  return { form, outputs: a.outputs, entries };
}
