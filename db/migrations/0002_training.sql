CREATE TABLE "training_batches" (
	"session_id" uuid NOT NULL,
	"batch" integer NOT NULL,
	"owner_id" uuid NOT NULL,
	"digest" text NOT NULL,
	"object_digest" text NOT NULL,
	"bytes" bigint NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "training_batches_session_id_batch_owner_id_pk" PRIMARY KEY("session_id","batch","owner_id")
);
--> statement-breakpoint
CREATE TABLE "training_owners" (
	"id" uuid PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"columns" jsonb NOT NULL,
	"first_batch" integer NOT NULL,
	"batch_count" integer NOT NULL,
	"order_digest" text,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "training_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"name" text NOT NULL,
	"spec" jsonb NOT NULL,
	"plan" jsonb NOT NULL,
	"batch_count" integer NOT NULL,
	"checkpoint_every" integer NOT NULL,
	"state" text NOT NULL,
	"failure" text,
	"stop_at" integer NOT NULL,
	"key_id" text,
	"training_keys_object" text,
	"public_key_object" text,
	"order_digest" text,
	"order_object" text,
	"step" integer NOT NULL,
	"checkpoint_object" text,
	"step_ms" double precision,
	"created_at" timestamp with time zone NOT NULL,
	"changed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "training_owner_id" uuid;--> statement-breakpoint
ALTER TABLE "training_batches" ADD CONSTRAINT "training_batches_session_id_training_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."training_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "training_batches" ADD CONSTRAINT "training_batches_owner_id_training_owners_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."training_owners"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "training_owners" ADD CONSTRAINT "training_owners_session_id_training_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."training_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "training_sessions" ADD CONSTRAINT "training_sessions_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "training_batches_object" ON "training_batches" USING btree ("object_digest");--> statement-breakpoint
CREATE UNIQUE INDEX "training_owners_name" ON "training_owners" USING btree ("session_id","name");--> statement-breakpoint
CREATE INDEX "training_sessions_tenant" ON "training_sessions" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "training_sessions_state" ON "training_sessions" USING btree ("state");--> statement-breakpoint
ALTER TABLE "tokens" ADD CONSTRAINT "tokens_training_owner_id_training_owners_id_fk" FOREIGN KEY ("training_owner_id") REFERENCES "public"."training_owners"("id") ON DELETE cascade ON UPDATE no action;