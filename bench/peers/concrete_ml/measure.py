"""Measures one model of Concrete ML on breast cancer or digits: every row encrypted, run and decrypted (fhe execute).

    RAYON_NUM_THREADS=1 OMP_NUM_THREADS=1 taskset -c 1 python measure.py xgb50x3 --rows 3

Prints `name value unit` lines. The first row also expands the seeded evaluation keys, so it is run but not counted.
"""

import argparse
import statistics
import time
import warnings

warnings.filterwarnings("ignore")

import numpy as np
import torch
from concrete.ml.sklearn import (
    DecisionTreeClassifier,
    LogisticRegression,
    NeuralNetClassifier,
    RandomForestClassifier,
    XGBClassifier,
)
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def network(features, bits):
    """A perceptron with one hidden layer of 32, weights and activations of `bits` bits, trained for 60 epochs."""
    torch.manual_seed(0)
    np.random.seed(0)
    return NeuralNetClassifier(
        module__n_layers=2,
        module__activation_function=torch.nn.ReLU,
        module__n_hidden_neurons_multiplier=32.1 / features,
        module__n_w_bits=bits,
        module__n_a_bits=bits,
        max_epochs=60,
        lr=0.01,
        verbose=0,
    )


MODELS = {
    "dt5": lambda: DecisionTreeClassifier(n_bits=6, max_depth=5, random_state=0),
    "rf50x4": lambda: RandomForestClassifier(n_bits=6, n_estimators=50, max_depth=4, random_state=0),
    "xgb50x3": lambda: XGBClassifier(n_bits=6, n_estimators=50, max_depth=3, random_state=0),
    "logistic": lambda: LogisticRegression(n_bits=8),
    "nn-wdbc-3bit": lambda: network(30, 3),
    "nn-wdbc-4bit": lambda: network(30, 4),
    "nn-digits-3bit": lambda: network(64, 3),
}


def load(name):
    """(training rows, training labels, test rows, test labels); networks hold out the same share of every label."""
    digits = name.startswith("nn-digits")
    rows, labels = (load_digits if digits else load_breast_cancer)(return_X_y=True)
    stratify = labels if name.startswith("nn-") else None
    train, test, train_labels, test_labels = train_test_split(
        rows, labels, test_size=0.25, random_state=0, stratify=stratify
    )
    if digits:
        train, test = train / 16, test / 16
    elif name == "logistic" or name.startswith("nn-"):
        scaler = StandardScaler().fit(train)
        train, test = scaler.transform(train), scaler.transform(test)
    return train.astype(np.float32), train_labels.astype(np.int64), test.astype(np.float32), test_labels


def accuracy(predictions, labels):
    return float(np.mean(np.asarray(predictions) == labels))


def fit(name, model, train, labels, test, test_labels):
    """Trains; of a network also reports the accuracy of the float network and of the quantised one, in clear."""
    if not name.startswith("nn-"):
        model.fit(train, labels)
        return
    _, float_model = model.fit_benchmark(train, labels)
    report("float_accuracy", accuracy(float_model.predict(test), test_labels), "share")
    report("accuracy", accuracy(model.predict(test), test_labels), "share")


def milliseconds(call):
    """What a call returns, and how long it took."""
    start = time.perf_counter()
    value = call()
    return value, (time.perf_counter() - start) * 1e3


def wire_bytes(values):
    """Serialised size of one value or of a tuple of them."""
    parts = values if isinstance(values, (tuple, list)) else (values,)
    return sum(len(part.serialize()) for part in parts)


def label_of(model, raw):
    """The class that decrypted values stand for."""
    scores = np.asarray(model.post_processing(np.asarray(model.dequantize_output(np.asarray(raw)))))
    return model.classes_[int(np.argmax(scores, axis=-1).ravel()[0])]


class Row:
    """One row from quantised values to a class; times in milliseconds, sizes in bytes."""

    def __init__(self, model, row):
        circuit = model.fhe_circuit
        quantised = model.quantize_input(row)
        quantised = quantised[0] if isinstance(quantised, tuple) else quantised
        encrypted, self.encrypt_ms = milliseconds(lambda: circuit.encrypt(quantised))
        answer, self.run_ms = milliseconds(lambda: circuit.run(encrypted))
        raw, self.decrypt_ms = milliseconds(lambda: circuit.decrypt(answer))
        self.upload_bytes, self.answer_bytes = wire_bytes(encrypted), wire_bytes(answer)
        self.label = label_of(model, raw)


def report(name, value, unit):
    print(f"{name} {value:.10g} {unit}", flush=True)


def measure(name, row_count):
    train, labels, test, test_labels = load(name)
    model = MODELS[name]()
    fit(name, model, train, labels, test, test_labels)
    _, compile_ms = milliseconds(lambda: model.compile(train))
    circuit = model.fhe_circuit
    _, keygen_ms = milliseconds(lambda: circuit.keygen(force=True))
    rows = [Row(model, test[index : index + 1]) for index in range(row_count + 1)]
    clear = model.predict(test[: row_count + 1])
    counted = rows[1:]
    times = [row.run_ms for row in counted]
    report("compile_ms", compile_ms, "ms")
    report("keygen_ms", keygen_ms, "ms")
    report("key_bytes", len(circuit.client.evaluation_keys.serialize()), "bytes")
    report("rows", row_count, "count")
    report("run_ms", statistics.median(times), "ms")
    report("run_best_ms", min(times), "ms")
    report("encrypt_ms", statistics.median(row.encrypt_ms for row in counted), "ms")
    report("decrypt_ms", statistics.median(row.decrypt_ms for row in counted), "ms")
    report("upload_bytes", rows[0].upload_bytes, "bytes")
    report("answer_bytes", rows[0].answer_bytes, "bytes")
    report("agreement", float(np.mean([row.label == label for row, label in zip(rows, clear)])), "share")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--rows", type=int, default=3, help="rows that are counted (default: 3)")
    arguments = parser.parse_args()
    measure(arguments.model, arguments.rows)


main()
