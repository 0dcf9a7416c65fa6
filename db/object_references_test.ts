import assert from "node:assert/strict";
import { getTableColumns, getTableName, is, type SQL } from "drizzle-orm";
import { PgDialect, PgTable } from "drizzle-orm/pg-core";
import { REFERENCES } from "./object_references.ts";
import * as schema from "./schema.ts";

Deno.test("every column of the schema that names an object counts as a reference", () => {
  const { sql } = new PgDialect().sqlToQuery(REFERENCES as SQL);
  for (const table of Object.values(schema)) {
    if (!is(table, PgTable)) continue;
    for (const { name } of Object.values(getTableColumns(table))) {
      if (!/_object$|^object_digest$/.test(name)) continue;
      const column = `"${getTableName(table)}"."${name}"`;
      assert.ok(sql.includes(column), column);
    }
  }
  assert.match(sql, /'calibration'/);
});
