/* Sotto kernels: the C ABI. What every call owes its caller is said once, in kernels/CONTRACT.md.
 *
 * Every fallible call returns a status and leaves its out-parameters untouched unless the status is SOTTO_OK; the message of the
 * last failure on this thread is read with sotto_last_error. Sizes of buffers are always passed and always checked.
 * The table of functions only grows; SOTTO_ABI_VERSION changes when anything in it changes meaning.
 * One declaration a line group, in the fixed grammar that tools/generate_ffi.ts reads. */
#ifndef SOTTO_H
#define SOTTO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SOTTO_API __attribute__((visibility("default")))
#define SOTTO_ABI_VERSION 1u

#define SOTTO_OK 0
#define SOTTO_INVALID_ARGUMENT 1
#define SOTTO_MALFORMED 2
#define SOTTO_OUT_OF_MEMORY 3
#define SOTTO_UNSUPPORTED 4
#define SOTTO_CANCELLED 5
#define SOTTO_SYSTEM 6

typedef struct sotto_context sotto_context;
typedef struct sotto_secret_key sotto_secret_key;
typedef struct sotto_evaluation_keys sotto_evaluation_keys;
typedef struct sotto_leaf_matrix sotto_leaf_matrix;
typedef struct sotto_weight_matrix sotto_weight_matrix;
typedef struct sotto_lookup_keys sotto_lookup_keys;
typedef struct sotto_job sotto_job;

/* 32 bytes. backend: "", "auto", "ref", "portable", "avx2" or "avx512ifma", zero-padded. thread_count 0: all cores. */
typedef struct sotto_context_options {
  uint32_t thread_count;
  uint32_t reserved;
  char backend[24];
} sotto_context_options;

/* 80 bytes. */
typedef struct sotto_context_info {
  char backend[24];
  char parameter_set[32];
  uint32_t thread_count;
  uint32_t ring_degree;
  uint64_t modulus;
  uint32_t automorphism_count;
  uint32_t level_count;
} sotto_context_info;

/* 32 bytes. Coefficient j of ciphertext i is messages[i * stride + j] * scale mod q for j < stride <= N. */
typedef struct sotto_encrypt_shape {
  uint64_t ciphertext_count;
  uint64_t scale;
  uint32_t stride;
  uint32_t bits;
  uint64_t reserved;
} sotto_encrypt_shape;

/* 32 bytes. Outputs are round(centred phase / scale). */
typedef struct sotto_decrypt_shape {
  uint64_t record_count;
  uint64_t scale;
  uint32_t ciphertexts_per_record;
  uint32_t bits;
  uint64_t reserved;
} sotto_decrypt_shape;

/* 32 bytes. */
typedef struct sotto_leaf_matrix_shape {
  uint32_t plaintext_modulus;
  uint32_t column_count;
  uint32_t label_count;
  uint32_t tree_count;
  uint32_t leaf_count;
  uint32_t literal_count;
  uint64_t delta;
} sotto_leaf_matrix_shape;

/* 24 bytes. */
typedef struct sotto_evaluate_shape {
  uint64_t record_count;
  uint32_t input_bits;
  uint32_t answer_bits;
  uint32_t thread_count; /* at most this many workers; 0: all */
  uint32_t reserved;
} sotto_evaluate_shape;

/* 32 bytes, nanoseconds of one thread. */
typedef struct sotto_unit_costs {
  double ntt_ns;
  double packed_product_ns;
  double product_ns;
  double expand_ns;
} sotto_unit_costs;

SOTTO_API uint32_t sotto_abi_version(void);
/* Copies the last message of this thread, NUL-terminated and cut to capacity; returns its full length. */
SOTTO_API size_t sotto_last_error(char* text, size_t capacity);

SOTTO_API int32_t sotto_context_create(const sotto_context_options* options, sotto_context** context);
SOTTO_API void sotto_context_destroy(sotto_context* context);
SOTTO_API int32_t sotto_context_describe(const sotto_context* context, sotto_context_info* info);
SOTTO_API int32_t sotto_measure(sotto_context* context, sotto_unit_costs* costs);

/* count polynomials of N canonical coefficients, in place; direction 0 forward, 1 inverse. */
SOTTO_API int32_t sotto_ntt(sotto_context* context, uint32_t direction, uint64_t* polynomials, size_t count);

/* seed: 32 bytes for known-answer tests, or null for the operating system's generator. */
SOTTO_API int32_t sotto_secret_key_generate(sotto_context* context, const uint8_t* seed, sotto_secret_key** key);
/* N bytes 0, 1 or 2 (= -1). */
SOTTO_API int32_t sotto_secret_key_import(sotto_context* context, const uint8_t* coefficients, size_t size, sotto_secret_key** key);
SOTTO_API int32_t sotto_secret_key_export(const sotto_context* context, const sotto_secret_key* key, uint8_t* coefficients, size_t size);
SOTTO_API void sotto_secret_key_destroy(sotto_secret_key* key);

/* Bytes of one seeded record. */
SOTTO_API size_t sotto_record_bytes(uint32_t bits);
SOTTO_API int32_t sotto_encrypt(sotto_context* context, const sotto_secret_key* key, const int32_t* messages, const sotto_encrypt_shape* shape, const uint8_t* seed, uint8_t* records, size_t records_size);
/* Seeded records -> ciphertexts of 2 N canonical coefficients, a then b. */
SOTTO_API int32_t sotto_expand(sotto_context* context, const uint8_t* records, size_t records_size, uint32_t bits, uint64_t* ciphertexts, size_t count);
/* phase = b - a s mod q, N coefficients a ciphertext. */
SOTTO_API int32_t sotto_phase(sotto_context* context, const sotto_secret_key* key, const uint64_t* ciphertexts, size_t count, uint64_t* phases);
SOTTO_API int32_t sotto_decrypt(sotto_context* context, const sotto_secret_key* key, const uint8_t* records, size_t records_size, const sotto_decrypt_shape* shape, const uint32_t* useful_counts, const uint32_t* positions, size_t position_count, double* values);

SOTTO_API int32_t sotto_public_key_generate(sotto_context* context, const sotto_secret_key* key, const uint8_t* seed, uint8_t* record, size_t record_size);
/* messages as in sotto_encrypt (shape.bits is ignored); the result is not seeded: 2 N coefficients a ciphertext. */
SOTTO_API int32_t sotto_encrypt_public(sotto_context* context, const uint8_t* record, size_t record_size, const int32_t* messages, const sotto_encrypt_shape* shape, const uint8_t* seed, uint64_t* ciphertexts);

SOTTO_API size_t sotto_evaluation_keys_payload_bytes(void);
SOTTO_API int32_t sotto_evaluation_keys_generate(sotto_context* context, const sotto_secret_key* key, const uint8_t* seed, uint8_t* payload, size_t payload_size);
SOTTO_API int32_t sotto_evaluation_keys_load(sotto_context* context, const uint8_t* payload, size_t payload_size, sotto_evaluation_keys** keys);
SOTTO_API size_t sotto_evaluation_keys_bytes(const sotto_evaluation_keys* keys);
SOTTO_API void sotto_evaluation_keys_destroy(sotto_evaluation_keys* keys);

/* X -> X^(2^level + 1) and back to the same key, 1 <= level <= log2 N. */
SOTTO_API int32_t sotto_automorphism(sotto_context* context, const sotto_evaluation_keys* keys, uint32_t level, const uint64_t* ciphertexts, size_t count, uint64_t* results);
/* count ciphertexts with useful coefficients at the multiples of N / 2^useful_log -> one; input i's lie at its own + i N / 2^(useful_log + m), m = ceil(log2 count). */
SOTTO_API int32_t sotto_pack(sotto_context* context, const sotto_evaluation_keys* keys, uint32_t useful_log, const uint64_t* ciphertexts, size_t count, uint64_t* result);
/* Row r of the matrix times the first `columns` coefficients: coefficient (r mod k) D' of result r / k; D' = columns rounded up to a power of two, k = N / D'. */
SOTTO_API int32_t sotto_clear_matrix_product(sotto_context* context, const int32_t* matrix, size_t rows, size_t columns, const uint64_t* ciphertext, uint64_t* results);
/* Coefficient positions[i] of the ciphertext as lwe: N mask coefficients, then the body. */
SOTTO_API int32_t sotto_extract(sotto_context* context, const uint64_t* ciphertext, const uint32_t* positions, size_t count, uint64_t* lwe);
/* a and the useful coefficients of b, switched to modulus 2^bits and packed. */
SOTTO_API int32_t sotto_compress(sotto_context* context, const uint64_t* ciphertext, uint32_t bits, const uint32_t* positions, size_t count, uint8_t* record, size_t record_size);

SOTTO_API int32_t sotto_leaf_matrix_create(sotto_context* context, const sotto_leaf_matrix_shape* shape, const uint32_t* tree_offsets, const uint32_t* row_offsets, const uint32_t* columns, const int8_t* weights, const int32_t* constants, const uint32_t* labels, sotto_leaf_matrix** matrix);
/* Bytes of the answer to one row at `bits` bits a coefficient. */
SOTTO_API size_t sotto_leaf_answer_bytes(const sotto_leaf_matrix* matrix, uint32_t bits);
SOTTO_API void sotto_leaf_matrix_destroy(sotto_leaf_matrix* matrix);
/* The buffers, the matrix and the keys must stay valid and unchanged until the job is destroyed. seed as in sotto_secret_key_generate. */
SOTTO_API int32_t sotto_leaves_submit(sotto_context* context, const sotto_leaf_matrix* matrix, const sotto_evaluation_keys* keys, const uint8_t* rows, size_t rows_size, const sotto_evaluate_shape* shape, const uint8_t* seed, uint8_t* answers, size_t answers_size, sotto_job** job);

SOTTO_API int32_t sotto_weight_matrix_create(sotto_context* context, const int32_t* weights, size_t rows, size_t columns, sotto_weight_matrix** matrix);
/* Bytes of the answer to one input ciphertext. */
SOTTO_API size_t sotto_linear_answer_bytes(const sotto_weight_matrix* matrix, uint32_t bits);
SOTTO_API void sotto_weight_matrix_destroy(sotto_weight_matrix* matrix);
SOTTO_API int32_t sotto_linear_submit(sotto_context* context, const sotto_weight_matrix* matrix, const uint8_t* rows, size_t rows_size, const sotto_evaluate_shape* shape, uint8_t* answers, size_t answers_size, sotto_job** job);

/* Lookups (programmable bootstraps). setting 1: small weights, 2: wide layers, 3: training; more levels, less noise, larger keys.
 * An lwe is N mask words and the body on the 32-bit torus, its phase b - <a, s>. */
SOTTO_API size_t sotto_lookup_keys_payload_bytes(uint32_t setting);
SOTTO_API int32_t sotto_lookup_keys_generate(sotto_context* context, const sotto_secret_key* key, uint32_t setting, const uint8_t* seed, uint8_t* payload, size_t payload_size);
SOTTO_API int32_t sotto_lookup_keys_load(sotto_context* context, uint32_t setting, const uint8_t* payload, size_t payload_size, sotto_lookup_keys** keys);
SOTTO_API size_t sotto_lookup_keys_bytes(const sotto_lookup_keys* keys);
SOTTO_API void sotto_lookup_keys_destroy(sotto_lookup_keys* keys);
/* Coefficients of a ciphertext as lwe, switched to the 32-bit torus. */
SOTTO_API int32_t sotto_extract_u32(sotto_context* context, const uint64_t* ciphertext, const uint32_t* positions, size_t count, uint32_t* lwe);
/* To the small secret: n mask words and the body. */
SOTTO_API int32_t sotto_lwe_keyswitch(sotto_context* context, const sotto_lookup_keys* keys, const uint32_t* lwe, size_t count, uint32_t* small);
/* result_i = lwe of table_(indices_i) at the phase of lwe_i: a table is N canonical coefficients, its value at phase f 2^32 / 2N is coefficient f for f < N and minus coefficient f - N above. */
SOTTO_API int32_t sotto_lookup_submit(sotto_context* context, const sotto_lookup_keys* keys, const uint32_t* lwe, size_t count, const uint64_t* tables, size_t table_count, const uint32_t* indices, uint32_t thread_count, uint32_t* results, sotto_job** job);

/* Progress in 1/65536; never blocks. */
SOTTO_API uint32_t sotto_job_progress(const sotto_job* job);
SOTTO_API void sotto_job_cancel(sotto_job* job);
/* Blocks until no worker touches the job's buffers; SOTTO_OK or SOTTO_CANCELLED. */
SOTTO_API int32_t sotto_job_wait(sotto_job* job);
/* Cancels and waits if it still runs. */
SOTTO_API void sotto_job_destroy(sotto_job* job);

#ifdef __cplusplus
}
#endif
#endif
