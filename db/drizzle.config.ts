/** For `deno run -A npm:drizzle-kit generate --config db/drizzle.config.ts`, run from the root: writes the next migration. */
export default { dialect: "postgresql", schema: "./db/schema.ts", out: "./db/migrations" };
