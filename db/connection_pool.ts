// @ts-types="@types/pg"
import pg from "pg";

/**
 * A pool whose connections may be cut at any moment. An error of one that nothing waits for ends nothing, and one that dies while it
 * is taken goes back by itself, for its holder may be told before it could begin.
 */
export class ConnectionPool extends pg.Pool {
  constructor(config: pg.PoolConfig) {
    super(config);
    this.on("error", ignore);
    this.on("connect", (client) => client.on("error", ignore));
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(done: Connected): void;
  override connect(done?: Connected): Promise<pg.PoolClient> | void {
    if (done !== undefined) return super.connect(done);
    return super.connect().then(releasingItself);
  }
}

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/** Whoever waits for the connection is told by its query. */
function ignore(): void {}

function releasingItself(client: pg.PoolClient): pg.PoolClient {
  const release = client.release.bind(client);
  const lost = () => client.release(true);
  let taken = true;
  client.release = (error) => {
    if (!taken) return;
    taken = false;
    client.off("end", lost);
    release(error);
  };
  return client.once("end", lost);
}
