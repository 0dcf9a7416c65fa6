"""Times one iteration of Concrete ML's encrypted training on breast cancer: SGDClassifier(fit_encrypted=True).

    RAYON_NUM_THREADS=2 OMP_NUM_THREADS=2 python train.py

Prints `name value unit` lines. One iteration is one batch of 8 rows. Compilation, key generation and encryption of the
batch are not part of it. Accuracy after 200 iterations comes from the library's quantised training in clear.
"""

import time
import warnings

warnings.filterwarnings("ignore")

import numpy as np
from concrete.ml.sklearn import SGDClassifier
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

STEPS = 200


def load():
    """(training rows, test rows, training labels, test labels), on [-1, 1] as the encrypted training wants them."""
    rows, labels = load_breast_cancer(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(rows, labels, test_size=0.25, random_state=42)
    scaler = MinMaxScaler((-1, 1)).fit(train)
    return scaler.transform(train), np.clip(scaler.transform(test), -1, 1), train_labels, test_labels


def classifier(steps):
    return SGDClassifier(random_state=42, max_iter=steps, fit_encrypted=True, parameters_range=(-1.0, 1.0))


def report(name, value, unit):
    print(f"{name} {value:.10g} {unit}", flush=True)


def timed(call):
    """What a call returns, and how long it took in milliseconds."""
    start = time.perf_counter()
    value = call()
    return value, (time.perf_counter() - start) * 1e3


def quality(train, test, labels, test_labels):
    """Accuracies without encryption: of the quantised training, and of scikit-learn's in floating point."""
    quantised = classifier(STEPS).fit(train, labels, fhe="disable")
    report("accuracy", np.mean(quantised.predict(test) == test_labels), "share")
    _, reference = SGDClassifier(random_state=42, max_iter=1000, n_bits=8).fit_benchmark(train, labels)
    report("float_accuracy", np.mean(reference.predict(test) == test_labels), "share")


def iteration(train, labels):
    """One iteration on encrypted rows, the circuit compiled and its keys made before."""
    model = classifier(1)
    _, compile_ms = timed(lambda: model.partial_fit(train, labels, fhe="disable", classes=[0, 1]))
    circuit = model.training_quantized_module.fhe_circuit
    _, keygen_ms = timed(lambda: circuit.keygen(force=True))
    report("compile_ms", compile_ms, "ms")
    report("keygen_ms", keygen_ms, "ms")
    report("key_bytes", len(circuit.client.evaluation_keys.serialize()), "bytes")
    run = circuit.run

    def timed_run(*arguments):
        value, run_ms = timed(lambda: run(*arguments))
        report("iteration_ms", run_ms, "ms")
        return value

    circuit.run = timed_run
    model.partial_fit(train, labels, fhe="execute")


def main():
    train, test, labels, test_labels = load()
    quality(train, test, labels, test_labels)
    iteration(train, labels)


main()
