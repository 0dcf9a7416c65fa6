/** One kind of fault, how it is run again and again, and what is counted. */
import { Customer, prepareCustomer, type Prepared } from "./customer.ts";
import { Ledger } from "./ledger.ts";
import { type Damage, verify } from "./verify.ts";
import { type Layout, World } from "./world.ts";

/** What a scenario works on. */
export interface Stage {
  readonly world: World;
  readonly prepared: Prepared;
  readonly ledger: Ledger;
}

/** A kind of fault. */
export interface Scenario {
  readonly name: string;
  /** Gives the layout, and calls `work` with it; says why not when this machine does not allow it. */
  readonly prepare: (work: (layout: Layout) => Promise<void>) => Promise<string | void>;
  /** Brings the fault, while clients work, and mends what a person or a supervisor would: power, disk, a process. */
  readonly strike: (stage: Stage, run: number) => Promise<void>;
}

/** Sums over the runs of a scenario. */
export interface Outcome {
  readonly name: string;
  /** Why it was not run. */
  skipped?: string;
  runs: number;
  readonly ledger: Ledger;
  readonly damage: Damage;
  /** From the end of the fault until the server was ready, the longest. */
  recoveryMs: number;
}

/** So long each run waits before it strikes, beyond having seen one of everything acknowledged. */
const spread = (run: number) => (137 * run) % 1000;

/** Strikes so many times; everything acknowledged in any run is checked after each. */
export async function runScenario(scenario: Scenario, runs: number, log: (line: string) => void): Promise<Outcome> {
  const damage: Damage = { lost: 0, changed: 0, stuck: 0, failed: 0, leftovers: 0, details: [] };
  const outcome: Outcome = { name: scenario.name, runs: 0, ledger: new Ledger(), damage, recoveryMs: 0 };
  const skipped = await scenario.prepare(async (layout) => {
    await using world = await World.start(layout);
    await world.ready();
    const stage = { world, prepared: await prepareCustomer(world.server), ledger: outcome.ledger };
    while (outcome.runs < runs) {
      await runOnce(scenario, stage, outcome);
      log(`${scenario.name}: run ${outcome.runs} of ${runs}`);
    }
  });
  if (skipped !== undefined) outcome.skipped = skipped;
  return outcome;
}

async function runOnce(scenario: Scenario, stage: Stage, outcome: Outcome): Promise<void> {
  const { world, prepared, ledger } = stage;
  const customer = new Customer(prepared, () => world.server, ledger);
  try {
    await moreAcknowledged(ledger);
    await new Promise((resolve) => setTimeout(resolve, spread(outcome.runs)));
    await scenario.strike(stage, outcome.runs);
    const start = performance.now();
    await world.ready();
    outcome.recoveryMs = Math.max(outcome.recoveryMs, performance.now() - start);
    await moreAcknowledged(ledger);
  } finally {
    await customer.stop();
  }
  add(outcome.damage, await verify(world.server, prepared, ledger, world.dataDir));
  outcome.runs++;
}

/** The server works: something of every kind is acknowledged from now on. */
async function moreAcknowledged(ledger: Ledger): Promise<void> {
  const before = ledger.size();
  for (let attempt = 0; attempt < 1800; attempt++) {
    if (ledger.grownSince(before)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server does not work: ${JSON.stringify([before, ledger.size(), [...ledger.refusals]])}`);
}

function add(sum: Damage, found: Damage): void {
  sum.lost += found.lost;
  sum.changed += found.changed;
  sum.stuck += found.stuck;
  sum.failed += found.failed;
  sum.leftovers += found.leftovers;
  sum.details.push(...found.details);
}
