"""One product of a 2048 x 2048 matrix with one encrypted token, by concrete-ml-extensions, on the threads that RAYON_NUM_THREADS says.

Prints one figure a line: `name value`.
"""

import json
import time

import concrete_ml_extensions as extensions
import numpy as np

SIZE = 2048


def main():
    parameters = json.loads(extensions.default_params())
    crypto = extensions.MatmulCryptoParameters.deserialize(json.dumps(parameters))
    start = time.perf_counter()
    private_key, compression_key = extensions.cpu_create_private_key(crypto)
    print(f"keygen_ms {(time.perf_counter() - start) * 1e3:.3f}")
    random = np.random.default_rng(1)
    token = random.integers(0, 2**8, size=(1, SIZE), dtype=np.uint64)
    weights = random.integers(0, 2**7, size=(SIZE, SIZE), dtype=np.uint64)
    start = time.perf_counter()
    encrypted = extensions.encrypt_matrix(private_key, crypto, token)
    client = time.perf_counter() - start
    start = time.perf_counter()
    answer = extensions.cpu_matrix_multiplication(encrypted, weights.T.copy(), compression_key)
    server = time.perf_counter() - start
    start = time.perf_counter()
    degree = parameters["packing_ks_polynomial_size"]
    last = SIZE % degree or degree
    values = extensions.decrypt_matrix(answer, private_key, crypto, num_valid_glwe_values_in_last_ciphertext=last)
    client += time.perf_counter() - start
    exact = (token @ weights.T).astype(np.float64)
    error = np.abs(np.asarray(values).astype(np.float64) - exact).max() / exact.max()
    if error > 1e-3:
        raise SystemExit(f"the product is wrong by {error} of its largest value")
    print(f"server_ms_per_token {server * 1e3:.3f}")
    print(f"client_ms_per_token {client * 1e3:.3f}")
    print(f"upload_bytes {len(encrypted.serialize())}")
    print(f"answer_bytes {len(answer.serialize())}")


main()
