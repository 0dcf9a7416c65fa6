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
#define SOTTO_DEVICE_FAILED 7

typedef struct sotto_context sotto_context;
typedef struct sotto_secret_key sotto_secret_key;
typedef struct sotto_evaluation_keys sotto_evaluation_keys;
typedef struct sotto_leaf_matrix sotto_leaf_matrix;
typedef struct sotto_weight_matrix sotto_weight_matrix;
typedef struct sotto_lookup_keys sotto_lookup_keys;
typedef struct sotto_layer sotto_layer;
typedef struct sotto_training_keys sotto_training_keys;
typedef struct sotto_rgsw sotto_rgsw;
typedef struct sotto_token_secret sotto_token_secret;
typedef struct sotto_token_matrix sotto_token_matrix;
typedef struct sotto_job sotto_job;

/* 32 bytes. backend: "", "auto" or "cpu" (the fastest on this processor), "ref", "portable", "avx2", "avx512ifma", or "cuda" (all devices), zero-padded. thread_count 0: all cores.
 * device_key_mebibytes: what keys and models may fill on each device, 0: half of its memory. */
typedef struct sotto_context_options {
  uint32_t thread_count;
  uint32_t device_key_mebibytes;
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

/* Layers on lwe. An lwe is N mask words and the body on the 32-bit torus, its phase b - <a, s>.
 * A layer: out[p][g R + r] = offset[g R + r] + sum over d of W[g][r][d] in[index[p][g][d]], exact mod 2^32; p a patch, g a group of R rows, index 0xffffffff: zero. */

/* 32 bytes. */
typedef struct sotto_layer_shape {
  uint32_t input_count; /* lwe of a data row that the indices address */
  uint32_t patch_count;
  uint32_t group_count;
  uint32_t rows_per_group;
  uint32_t depth;
  uint32_t reserved0;
  uint32_t reserved1;
  uint32_t reserved2;
} sotto_layer_shape;

/* 32 bytes. */
typedef struct sotto_layer_range {
  uint64_t row_count;
  uint64_t row_stride; /* lwe from one data row to the next in the inputs */
  uint32_t first_patch;
  uint32_t patch_count;
  uint32_t thread_count; /* at most this many workers; 0: all */
  uint32_t reserved;
} sotto_layer_range;

/* 32 bytes. Lwe j < count of a row is coefficient j mod N of its ciphertext j / N. */
typedef struct sotto_inputs_shape {
  uint64_t row_count;
  uint32_t ciphertexts_per_row;
  uint32_t input_bits;
  uint32_t count;
  uint32_t thread_count; /* at most this many workers; 0: all */
  uint64_t row_stride; /* lwe from one row to the next, at least count */
} sotto_inputs_shape;

/* 32 bytes. */
typedef struct sotto_lwe_answers_shape {
  uint64_t record_count;
  uint32_t count; /* lwe of a record, 1 to N */
  uint32_t answer_bits;
  uint32_t thread_count; /* at most this many workers; 0: all */
  uint32_t reserved;
  uint64_t row_stride; /* lwe from one record to the next */
} sotto_lwe_answers_shape;

/* weights: group, row, depth; indices: patch, group, depth; offsets: group, row, added to the body. */
SOTTO_API int32_t sotto_layer_create(sotto_context* context, const sotto_layer_shape* shape, const int8_t* weights, const uint32_t* indices, const uint32_t* offsets, sotto_layer** layer);
SOTTO_API size_t sotto_layer_bytes(const sotto_layer* layer);
SOTTO_API void sotto_layer_destroy(sotto_layer* layer);
/* input_total: lwe of the inputs, at least those of the range. outputs: data row, patch of the range, channel g R + r; output_count lwe, no overlap with the inputs. */
SOTTO_API int32_t sotto_layer_submit(sotto_context* context, const sotto_layer* layer, const uint32_t* inputs, size_t input_total, const sotto_layer_range* range, uint32_t* outputs, size_t output_count, sotto_job** job);
/* Seeded records -> lwe of their coefficients; lwe_total: room in lwe, what lies between rows stays. */
SOTTO_API int32_t sotto_inputs_submit(sotto_context* context, const uint8_t* records, size_t records_size, const sotto_inputs_shape* shape, uint32_t* lwe, size_t lwe_total, sotto_job** job);
/* Bytes of the answer to one record of `count` lwe. */
SOTTO_API size_t sotto_lwe_answer_bytes(uint32_t count, uint32_t bits);
/* The lwe of each record packed, randomised and compressed as answers of leaves are; lwe i lies at coefficient i N / 2^m, m = ceil(log2 count). lwe: (record_count - 1) row_stride + count. seed as in sotto_secret_key_generate. */
SOTTO_API int32_t sotto_lwe_answers_submit(sotto_context* context, const sotto_evaluation_keys* keys, const uint32_t* lwe, const sotto_lwe_answers_shape* shape, const uint8_t* seed, uint8_t* answers, size_t answers_size, sotto_job** job);
/* b - <a, s> mod 2^32. */
SOTTO_API int32_t sotto_lwe_phase_u32(sotto_context* context, const sotto_secret_key* key, const uint32_t* lwe, size_t count, uint32_t* phases);

/* Lookups (programmable bootstraps). setting 1: small weights, 2: wide layers, 3: training; more levels, less noise, larger keys; small lwe have n = 840 mask words.
 * Settings 11 to 13: the same with uniform binary small keys, n = 880, the conservative twin; a lookup costs two and a half times as much.
 * An lwe is N mask words and the body on the 32-bit torus, its phase b - <a, s>. */

/* 32 bytes. */
typedef struct sotto_lookup_shape {
  uint64_t count;
  uint64_t table_count;
  uint32_t values_log; /* 2^values_log interleaved tables, at most 8, share one rotation: coefficient f 2^v + i of a table polynomial belongs to table i; the modulus switch rounds to multiples of 2^v */
  uint32_t modulus; /* of results: 0 = 2^32 (u32 words), 1 = q (u64 words) */
  uint32_t thread_count; /* at most this many workers; 0: all */
  uint32_t reserved;
} sotto_lookup_shape;

SOTTO_API size_t sotto_lookup_keys_payload_bytes(uint32_t setting);
SOTTO_API int32_t sotto_lookup_keys_generate(sotto_context* context, const sotto_secret_key* key, uint32_t setting, const uint8_t* seed, uint8_t* payload, size_t payload_size);
SOTTO_API int32_t sotto_lookup_keys_load(sotto_context* context, uint32_t setting, const uint8_t* payload, size_t payload_size, sotto_lookup_keys** keys);
SOTTO_API size_t sotto_lookup_keys_bytes(const sotto_lookup_keys* keys);
SOTTO_API void sotto_lookup_keys_destroy(sotto_lookup_keys* keys);
/* Coefficients of a ciphertext as lwe, switched to the 32-bit torus. */
SOTTO_API int32_t sotto_extract_u32(sotto_context* context, const uint64_t* ciphertext, const uint32_t* positions, size_t count, uint32_t* lwe);
/* To the small secret: n mask words and the body. */
SOTTO_API int32_t sotto_lwe_keyswitch(sotto_context* context, const sotto_lookup_keys* keys, const uint32_t* lwe, size_t count, uint32_t* small);
/* The words of small lwe -> exponents below 2N: round(x 2N / 2^32), to multiples of 2^values_log. */
SOTTO_API int32_t sotto_modulus_switch(const sotto_lookup_keys* keys, const uint32_t* small, size_t count, uint32_t values_log, uint32_t* exponents);
/* count rows of n + 1 exponents below 2N -> ciphertexts of table X^-phase, 2 N canonical coefficients, phase = b - <a, z> of the row. */
SOTTO_API int32_t sotto_blind_rotate(sotto_context* context, const sotto_lookup_keys* keys, const uint32_t* exponents, size_t count, const uint64_t* table, uint64_t* accumulators);
/* Value i of lookup l, at lwe l 2^v + i of the results: table i of polynomial indices_l at the phase of lwe_l. A table polynomial is N canonical coefficients; the value of its
 * table i at phase f 2^v 2^32 / 2N is coefficient f 2^v + i for f 2^v < N and minus coefficient f 2^v + i - N above. */
SOTTO_API int32_t sotto_lookup_submit(sotto_context* context, const sotto_lookup_keys* keys, const uint32_t* lwe, const uint64_t* tables, const uint32_t* indices, const sotto_lookup_shape* shape, void* results, size_t results_size, sotto_job** job);

/* Training. The calls block; results may not overlap inputs unless said. Ciphertexts and lwe are mod q: 2 N coefficients, a then b, and N mask words and the body. */

/* Keys of the conjugation X -> X^-1 and of the automorphisms X -> X^(2^j + 1), 1 <= j <= log2 N. */
SOTTO_API size_t sotto_training_keys_payload_bytes(void);
SOTTO_API int32_t sotto_training_keys_generate(sotto_context* context, const sotto_secret_key* key, const uint8_t* seed, uint8_t* payload, size_t payload_size);
SOTTO_API int32_t sotto_training_keys_load(sotto_context* context, const uint8_t* payload, size_t payload_size, sotto_training_keys** keys);
SOTTO_API size_t sotto_training_keys_bytes(const sotto_training_keys* keys);
SOTTO_API void sotto_training_keys_destroy(sotto_training_keys* keys);

/* Bytes of the record of an rgsw. kind 0: seeded, made with the secret key; 1: made with the public key. 0 for any other kind. */
SOTTO_API size_t sotto_rgsw_record_bytes(uint32_t kind);
/* messages: the N coefficients of a polynomial, each in [-2^15, 2^15]. */
SOTTO_API int32_t sotto_rgsw_encrypt(sotto_context* context, const sotto_secret_key* key, const int32_t* messages, const uint8_t* seed, uint8_t* record, size_t record_size);
SOTTO_API int32_t sotto_rgsw_encrypt_public(sotto_context* context, const uint8_t* public_key, size_t public_key_size, const int32_t* messages, const uint8_t* seed, uint8_t* record, size_t record_size);
SOTTO_API int32_t sotto_rgsw_load(sotto_context* context, uint32_t kind, const uint8_t* record, size_t record_size, sotto_rgsw** rgsw);
/* sum += other, exact: the rgsw of the sum of both polynomials. No other call may use sum meanwhile. */
SOTTO_API int32_t sotto_rgsw_add(sotto_context* context, sotto_rgsw* sum, const sotto_rgsw* other);
SOTTO_API size_t sotto_rgsw_bytes(const sotto_rgsw* rgsw);
SOTTO_API void sotto_rgsw_destroy(sotto_rgsw* rgsw);
/* The polynomial of the rgsw times each ciphertext. */
SOTTO_API int32_t sotto_external_product(sotto_context* context, const sotto_rgsw* rgsw, const uint64_t* ciphertexts, size_t count, uint64_t* results);

/* index 0: the conjugation; 1 to log2 N: X -> X^(2^index + 1). */
SOTTO_API int32_t sotto_training_automorphism(sotto_context* context, const sotto_training_keys* keys, uint32_t index, const uint64_t* ciphertexts, size_t count, uint64_t* results);
/* pack_count times count lwe -> pack_count ciphertexts: lwe i of a pack is coefficient i N / 2^m, m = ceil(log2 count), every other coefficient is zero up to noise. */
SOTTO_API int32_t sotto_trace_pack(sotto_context* context, const sotto_training_keys* keys, const uint64_t* lwe, size_t count, size_t pack_count, uint64_t* results);

/* Times X^exponent, exponent < 2N; results may be the ciphertexts. */
SOTTO_API int32_t sotto_multiply_monomial(sotto_context* context, const uint64_t* ciphertexts, size_t count, uint32_t exponent, uint64_t* results);
/* Word by word mod q, of ciphertexts or lwe; result may be either input. */
SOTTO_API int32_t sotto_ciphertext_add(sotto_context* context, const uint64_t* left, const uint64_t* right, size_t words, uint64_t* result);
/* Words of ciphertexts or lwe times an integer, |factor| < q; result may be the input. */
SOTTO_API int32_t sotto_scale_ciphertexts(sotto_context* context, const uint64_t* ciphertexts, size_t words, int64_t factor, uint64_t* result);
/* lwe mod q -> lwe on the 32-bit torus. */
SOTTO_API int32_t sotto_switch_to_u32(sotto_context* context, const uint64_t* lwe, size_t count, uint32_t* switched);

/* Single-precision products, attention, cross-entropy and gated units for the client's side of fine-tuning. Nothing secret-key, nothing exact: results are rounded, the same for any number
 * of threads, different between back ends in the last bits. The calls block; results may not overlap inputs. Matrices are row-major, counts are in floats. */

/* 56 bytes. c = alpha op(a) op(b) + beta c, op(a) rows x depth; with beta 0 c is not read. */
typedef struct sotto_gemm_shape {
  uint32_t rows;
  uint32_t columns;
  uint32_t depth;
  uint32_t transposed; /* bit 0: op(a) is the transpose of a, bit 1: op(b) that of b */
  uint64_t a_stride; /* floats from row to row */
  uint64_t b_stride;
  uint64_t c_stride;
  float alpha;
  float beta;
  uint64_t reserved;
} sotto_gemm_shape;

/* 24 bytes. Queries and outputs: rows of head_count heads; keys and values: rows of key_head_count heads, each shared by as many heads of queries. */
typedef struct sotto_attention_shape {
  uint32_t sequence_count;
  uint32_t head_count;
  uint32_t key_head_count;
  uint32_t head_size;
  float scale; /* score = scale <query, key> */
  uint32_t reserved;
} sotto_attention_shape;

/* 24 bytes. */
typedef struct sotto_cross_entropy_shape {
  uint64_t token_count;
  uint32_t vocabulary_size;
  uint32_t gradient; /* 1: logits become scale * (softmax - onehot), zero where the label is ignored; 0: they stay */
  float scale;
  uint32_t reserved;
} sotto_cross_entropy_shape;

SOTTO_API int32_t sotto_float_gemm(sotto_context* context, const sotto_gemm_shape* shape, const float* a, size_t a_count, const float* b, size_t b_count, float* c, size_t c_count);
/* Causal: sequence i is the queries query_starts[i] up to query_starts[i + 1] and the keys likewise; its last query sees all of its keys, the one before it all but the last.
 * log_sums: log sum exp of the scores of each query and head. */
SOTTO_API int32_t sotto_float_attention(sotto_context* context, const sotto_attention_shape* shape, const uint32_t* query_starts, const uint32_t* key_starts, const float* query, size_t query_count, const float* key, const float* value, size_t key_count, float* out, float* log_sums, size_t log_sum_count);
/* out and log_sums as sotto_float_attention left them; the gradients are overwritten. */
SOTTO_API int32_t sotto_float_attention_gradient(sotto_context* context, const sotto_attention_shape* shape, const uint32_t* query_starts, const uint32_t* key_starts, const float* query, size_t query_count, const float* key, const float* value, size_t key_count, const float* out, const float* log_sums, size_t log_sum_count, const float* d_out, float* d_query, float* d_key, float* d_value);
/* losses: -log softmax(logits)[label] a token, 0 where the label is negative (ignored). */
SOTTO_API int32_t sotto_float_cross_entropy(sotto_context* context, const sotto_cross_entropy_shape* shape, float* logits, size_t logit_count, const int32_t* labels, double* losses);
/* out = silu(gate) up, silu(z) = z / (1 + exp(-z)). */
SOTTO_API int32_t sotto_float_swiglu(sotto_context* context, const float* gate, const float* up, float* out, size_t count);
SOTTO_API int32_t sotto_float_swiglu_gradient(sotto_context* context, const float* d_out, const float* gate, const float* up, float* d_gate, float* d_up, size_t count);

/* Tokens: a clear int8 matrix W times a block of encrypted activations, in the ring Z[X]/(X^N + 1) mod 2^32 of set N = 1024 or 2048, without keys.
 * Token t of a block is coefficient t; a feature j is one ciphertext, b_j = a_j s + u_j + e_j, its mask a_j the j-th of a public seed. The server computes b'_k = sum_j W_kj b_j
 * and a'_k = sum_j W_kj a_j, coefficient by coefficient; the client decrypts b'_k - a'_k s. Coefficient t of b' depends on coefficient t of every b alone, so bodies are sent both
 * ways at the T used coefficients; a' s mixes all coefficients, so masks of answers have N. Matrices that share an input are stacked,
 * W = [W_1; W_2; ...]: one product answers for all of them, and W^T times the stacked gradients is the sum of the W_i^T dy_i.
 * A record is one polynomial, packed at its bits, padded to a byte: bodies F records of T coefficients at body_bits; masks of an answer R records of N at mask_bits, bodies of
 * an answer R records of T at answer_bits; low bits are rounded away. */

/* 32 bytes. Mask j of a request is mask first_mask + j of its seed. */
typedef struct sotto_token_shape {
  uint32_t set; /* N: 1024 or 2048 */
  uint32_t token_count; /* T, 1 to N */
  uint32_t body_bits; /* 8 to 32, as the two below */
  uint32_t mask_bits;
  uint32_t answer_bits;
  uint32_t thread_count; /* at most this many workers; 0: all */
  uint64_t first_mask;
} sotto_token_shape;

/* 16 bytes. */
typedef struct sotto_token_scaling {
  double row_norm; /* the largest Euclidean norm of a row of the matrix that the tokens will meet */
  uint64_t feature_count;
} sotto_token_scaling;

/* A fresh ternary secret of one request. seed as in sotto_secret_key_generate. */
SOTTO_API int32_t sotto_token_secret_generate(sotto_context* context, uint32_t set, const uint8_t* seed, sotto_token_secret** secret);
SOTTO_API void sotto_token_secret_destroy(sotto_token_secret* secret);
/* activations: token, feature -> messages: feature, token, round(scales_t x_tj), with the largest scale of each token at which no output can overflow. A token of zeros has
 * an infinite scale, hence values that are exactly zero; one with an activation that is not finite a scale that is not a number; the messages of both are 0. */
SOTTO_API int32_t sotto_tokens_quantise_submit(sotto_context* context, const float* activations, size_t activation_count, const sotto_token_shape* shape, const sotto_token_scaling* scaling, double* scales, int32_t* messages, size_t message_count, sotto_job** job);
/* messages: feature, token. A secret encrypts once: a second time is SOTTO_INVALID_ARGUMENT, also after a cancelled one. mask_seed: 32 bytes, public, copied. */
SOTTO_API int32_t sotto_tokens_encrypt_submit(sotto_context* context, sotto_token_secret* secret, const uint8_t* mask_seed, const int32_t* messages, size_t feature_count, const sotto_token_shape* shape, const uint8_t* seed, uint8_t* bodies, size_t bodies_size, sotto_job** job);
/* Masks and bodies of an answer -> centred phases: row, token. */
SOTTO_API int32_t sotto_tokens_decrypt_submit(sotto_context* context, const sotto_token_secret* secret, const uint8_t* masks, size_t masks_size, const uint8_t* bodies, size_t bodies_size, size_t row_count, const sotto_token_shape* shape, int32_t* phases, sotto_job** job);
/* phases: row, token -> values: token, row, phase row_scales_k / scales_t. */
SOTTO_API int32_t sotto_tokens_dequantise_submit(sotto_context* context, const int32_t* phases, size_t row_count, const sotto_token_shape* shape, const double* scales, const float* row_scales, float* values, size_t value_count, sotto_job** job);

/* W = weights, or with `low` W = 4 weights + low; both rows x columns, row-major. sides: 1 prepares W, 2 W^T, 3 both. */
SOTTO_API int32_t sotto_token_matrix_create(sotto_context* context, const int8_t* weights, const int8_t* low, size_t rows, size_t columns, uint32_t sides, sotto_token_matrix** matrix);
SOTTO_API size_t sotto_token_matrix_bytes(const sotto_token_matrix* matrix);
SOTTO_API void sotto_token_matrix_destroy(sotto_token_matrix* matrix);
/* direction 0: W, 1: W^T. parts 1: the bodies of a request whose masks are known (cached), 2: the masks alone (once a matrix and seed), 3: both (fresh); answers: masks, then bodies. */
SOTTO_API int32_t sotto_tokens_product_submit(sotto_context* context, const sotto_token_matrix* matrix, uint32_t direction, uint32_t parts, const uint8_t* mask_seed, const uint8_t* bodies, size_t bodies_size, const sotto_token_shape* shape, uint8_t* answers, size_t answers_size, sotto_job** job);

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
