/** Where a list of jobs goes on: the time and the id of the last job of a page. */
import type { JobCursor } from "../../db/mod.ts";

/** The cursor of the page after this job. */
export function cursorAfter({ createdAt, id }: JobCursor): string {
  return `${createdAt.getTime()}_${id}`;
}

/** The job that a cursor names; its form was checked. */
export function readCursor(cursor: string | undefined): JobCursor | undefined {
  if (cursor === undefined) return undefined;
  const [time, id] = cursor.split("_");
  return { createdAt: new Date(Number(time)), id };
}
