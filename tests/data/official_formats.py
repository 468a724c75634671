"""Writes small files in the formats in which the authors of data sets distribute them."""

import gzip
import pickle
import struct
from typing import ClassVar

import numpy as np


class Python2(pickle._Pickler):
    """Writes bytes and text as Python 2 wrote its strings."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_string(self, obj):
        content = obj if isinstance(obj, bytes) else obj.encode("latin1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(content)) + content)
        self.memoize(obj)

    dispatch[bytes] = dispatch[str] = save_string


def write_as_python2(path, content):
    with path.open("wb") as file:
        Python2(file, 2).dump(content)
    # The files of 2009 name the modules of the NumPy of then.
    path.write_bytes(path.read_bytes().replace(b"numpy._core", b"numpy.core"))


def write_as_python3(path, content):
    as_bytes = {name.encode(): value for name, value in content.items()}
    path.write_bytes(pickle.dumps(as_bytes, protocol=2))


def cifar_pictures(count, seed=0):
    """Pictures as CIFAR has them: count, 3072."""
    return np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)


def write_cifar10(folder, count, write=write_as_python2):
    folder.mkdir(parents=True)
    for index, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        labels = [(i + index) % 10 for i in range(count)]
        write(folder / name, {"data": cifar_pictures(count, index), "labels": labels})


def write_cifar100(folder, train, test, write=write_as_python2):
    folder.mkdir(parents=True)
    for index, (name, count) in enumerate([("train", train), ("test", test)]):
        fine = [i % 100 for i in range(count)]
        content = {
            "data": cifar_pictures(count, index),
            "fine_labels": fine,
            "coarse_labels": [label // 5 for label in fine],
        }
        write(folder / name, content)
    names = {
        "fine_label_names": [f"fine {i}" for i in range(100)],
        "coarse_label_names": [f"coarse {i}" for i in range(20)],
    }
    write(folder / "meta", names)


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def write_mnist(folder, train, test, packed=False, seed=0):
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for part, count in (("train", train), ("t10k", test)):
        contents = {
            f"{part}-images-idx3-ubyte": random.integers(0, 256, (count, 28, 28), dtype=np.uint8),
            f"{part}-labels-idx1-ubyte": (np.arange(count) % 10).astype(np.uint8),
        }
        for name, array in contents.items():
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))


def write_svhn(path, count, seed=0, **changed):
    from scipy.io import savemat

    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = np.random.default_rng(seed).integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
    labels = (np.arange(count) % 10 + 1).astype(np.uint8)[:, None]
    savemat(path, {"X": pictures, "y": labels, **changed}, do_compression=True)
    return pictures, labels
