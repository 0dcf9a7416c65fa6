CREATE TABLE "audit" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone NOT NULL,
	"tenant_id" uuid NOT NULL,
	"token_id" text,
	"action" text NOT NULL,
	"subject" text,
	"bytes_in" bigint,
	"bytes_out" bigint,
	"status" integer NOT NULL,
	"code" text,
	"request_id" text NOT NULL,
	"ms" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "fair_clocks" (
	"queue" text PRIMARY KEY NOT NULL,
	"virtual_second" double precision NOT NULL
);
--> statement-breakpoint
CREATE TABLE "fair_shares" (
	"queue" text NOT NULL,
	"tenant_id" uuid NOT NULL,
	"finish_tag" double precision NOT NULL,
	CONSTRAINT "fair_shares_queue_tenant_id_pk" PRIMARY KEY("queue","tenant_id")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"tenant_id" uuid NOT NULL,
	"key" text NOT NULL,
	"request" text NOT NULL,
	"holder" uuid NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	"body_digest" text,
	"status" integer,
	"headers" jsonb,
	"body" text,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_tenant_id_key_pk" PRIMARY KEY("tenant_id","key")
);
--> statement-breakpoint
CREATE TABLE "job_parts" (
	"job_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"first_row" integer NOT NULL,
	"rows" integer NOT NULL,
	"planned_seconds" double precision NOT NULL,
	"start_tag" double precision NOT NULL,
	"input_object" text,
	"input_bytes" bigint NOT NULL,
	"output_object" text,
	"output_bytes" bigint NOT NULL,
	"state" text NOT NULL,
	"message" uuid NOT NULL,
	"lease" uuid,
	"worker_id" uuid,
	"attempts" integer NOT NULL,
	"started_at" timestamp with time zone,
	"progress" double precision NOT NULL,
	"live" jsonb,
	"error" jsonb,
	"server_ms" double precision,
	"changed_at" timestamp with time zone NOT NULL,
	CONSTRAINT "job_parts_job_id_number_pk" PRIMARY KEY("job_id","number")
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"idempotency_key" text,
	"capability" text NOT NULL,
	"subject" text,
	"task" jsonb NOT NULL,
	"state" text NOT NULL,
	"priority" text NOT NULL,
	"rows" integer NOT NULL,
	"planned_seconds" double precision NOT NULL,
	"memory_bytes" bigint NOT NULL,
	"stop_requested_at" timestamp with time zone,
	"stop_reason" text,
	"traceparent" text,
	"error" jsonb,
	"result" text,
	"server_ms" double precision,
	"created_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"expires_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "object_holds" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"digest" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rate_limits" (
	"key" text PRIMARY KEY NOT NULL,
	"points" bigint NOT NULL,
	"expire" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "shared_tasks" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" uuid NOT NULL,
	"until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stored_objects" (
	"tenant_id" uuid NOT NULL,
	"digest" text NOT NULL,
	"bytes" bigint NOT NULL,
	CONSTRAINT "stored_objects_tenant_id_digest_pk" PRIMARY KEY("tenant_id","digest")
);
--> statement-breakpoint
CREATE TABLE "tenant_loads" (
	"server_id" uuid NOT NULL,
	"tenant_id" uuid NOT NULL,
	"requests" integer NOT NULL,
	"queued" integer NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tenant_loads_server_id_tenant_id_pk" PRIMARY KEY("server_id","tenant_id")
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"capabilities" text[] NOT NULL,
	"backend" text NOT NULL,
	"threads" integer NOT NULL,
	"memory_bytes" bigint NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"seen_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "base_models" ADD COLUMN "weights" text DEFAULT 'int8' NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "disabled_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "requests_per_minute" integer;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "upload_bytes_per_minute" bigint;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "concurrent_requests" integer;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "queued_requests" integer;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "bytes_max" bigint;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "name" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "last_used_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "replaced_by" text;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "requests_per_minute" integer;--> statement-breakpoint
ALTER TABLE "fair_shares" ADD CONSTRAINT "fair_shares_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_parts" ADD CONSTRAINT "job_parts_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "object_holds" ADD CONSTRAINT "object_holds_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stored_objects" ADD CONSTRAINT "stored_objects_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tenant_loads" ADD CONSTRAINT "tenant_loads_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_tenant" ON "audit" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE INDEX "audit_at" ON "audit" USING btree ("at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_expiry" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "job_parts_state" ON "job_parts" USING btree ("state");--> statement-breakpoint
CREATE INDEX "job_parts_input" ON "job_parts" USING btree ("input_object");--> statement-breakpoint
CREATE INDEX "job_parts_output" ON "job_parts" USING btree ("output_object");--> statement-breakpoint
CREATE INDEX "jobs_tenant" ON "jobs" USING btree ("tenant_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_idempotency" ON "jobs" USING btree ("tenant_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "jobs_state" ON "jobs" USING btree ("state");--> statement-breakpoint
CREATE INDEX "jobs_expiry" ON "jobs" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "jobs_subject" ON "jobs" USING btree ("subject");--> statement-breakpoint
CREATE INDEX "object_holds_digest" ON "object_holds" USING btree ("digest");--> statement-breakpoint
CREATE INDEX "object_holds_expiry" ON "object_holds" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "rate_limits_expire" ON "rate_limits" USING btree ("expire");--> statement-breakpoint
CREATE INDEX "stored_objects_digest" ON "stored_objects" USING btree ("digest");--> statement-breakpoint
CREATE INDEX "tenant_loads_tenant" ON "tenant_loads" USING btree ("tenant_id");