CREATE TABLE "base_models" (
	"tenant_id" uuid NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"path" text NOT NULL,
	"files" jsonb NOT NULL,
	"config" jsonb NOT NULL,
	"groups" jsonb NOT NULL,
	"public_object" text NOT NULL,
	"public_bytes" bigint NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "base_models_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "fine_tuning_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"base_model_id" text NOT NULL,
	"parameter_set" text NOT NULL,
	"masks" text NOT NULL,
	"mask_seed" text,
	"tokens_max" integer NOT NULL,
	"placement" jsonb NOT NULL,
	"requests" bigint NOT NULL,
	"bytes_used" bigint NOT NULL,
	"bytes_max" bigint NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "base_models" ADD CONSTRAINT "base_models_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fine_tuning_sessions" ADD CONSTRAINT "fine_tuning_sessions_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fine_tuning_sessions" ADD CONSTRAINT "fine_tuning_sessions_base_model" FOREIGN KEY ("tenant_id","base_model_id") REFERENCES "public"."base_models"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "base_models_object" ON "base_models" USING btree ("public_object");--> statement-breakpoint
CREATE INDEX "fine_tuning_sessions_tenant" ON "fine_tuning_sessions" USING btree ("tenant_id");