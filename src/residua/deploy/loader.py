"""What `residua optimize` wrote, in use: `python load.py PICTURE`, or `from load import Model`.

Needs NumPy, Pillow and the package of the engine (PyTorch, onnxruntime or OpenVINO). Residua is not
needed: in a written folder the text of `residua.data.upright` stands in this file.

Dimension key:
    N pictures   C channels   H, W height and width   K classes
"""

import argparse
import functools
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from residua.data.upright import FORMATS, Box, part

FACTS = "optimized.json"
HERE = Path(__file__).resolve().parent

# N, C, H, W pixels to N, K logits.
Session = Callable[[np.ndarray], np.ndarray]


class Model:
    """A classifier with its preprocessing.

    Args:
        folder: with optimized.json and what it tells of.
        threads: of the processor; by default the engine decides.
    """

    def __init__(self, folder: Path = HERE, threads: int | None = None) -> None:
        self.facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
        self.classes: list[str] = self.facts["classes"]
        self.shape: tuple[int, int, int] = tuple(self.facts["shape"])
        self.dtype = np.dtype(self.facts["pixels"])
        self._session = session(folder, self.facts, threads)

    def read(self, path: str | Path) -> np.ndarray:
        """Read a picture by the rule that it was trained with: C, H, W of uint8."""
        channels, *size = self.shape
        out = (size[1], size[0])
        fit = self.facts["fit"] or {"kind": "whole"}
        whole = fit["kind"] == "whole"

        def choose(given: tuple[int, int]) -> tuple[Box, tuple[int, int]]:
            if whole:
                return Box(0, 0, *given), out
            pixel = min(given[0] / out[0], given[1] / out[1]) * fit["share"]
            width, height = out[0] * pixel, out[1] * pixel
            left, top = (given[0] - width) / 2, (given[1] - height) / 2
            return Box(left, top, left + width, top + height), out

        resample = Image.Resampling.BOX if whole else Image.Resampling.BILINEAR
        with Image.open(path, formats=FORMATS) as picture:
            return part(picture, choose, channels, resample=resample)

    def logits(self, pixels_nchw: np.ndarray) -> np.ndarray:
        """Compute N, K from N, C, H, W pixels in [0, 255]."""
        return self._session(np.ascontiguousarray(pixels_nchw, self.dtype))

    def probabilities(self, pixels_nchw: np.ndarray) -> np.ndarray:
        """Compute N, K in [0, 1] from N, C, H, W pixels in [0, 255]."""
        logits = self.logits(pixels_nchw)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def name(self, path: str | Path, top: int = 3) -> list[tuple[str, float]]:
        """Name the most probable classes of a picture, with their probabilities."""
        found = self.probabilities(self.read(path)[None])[0]
        return [(self.classes[i], float(found[i])) for i in np.argsort(-found)[:top]]


def session(folder: Path, facts: dict[str, Any], threads: int | None = None) -> Session:
    """Open what was written; calls from several threads take turns."""
    makers = {
        "eager": _pytorch,
        "compiled": _compiled,
        "onnxruntime": _onnxruntime,
        "openvino": _openvino,
    }
    made = makers[facts["kind"]](folder, facts, threads)
    turn = threading.Lock()

    def one_at_a_time(pixels: np.ndarray) -> np.ndarray:
        with turn:
            return made(np.ascontiguousarray(pixels))

    return one_at_a_time


def _pytorch(folder: Path, facts: dict[str, Any], threads: int | None) -> Session:
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    net = torch.export.load(folder / "model.pt2").module()
    net.to(facts["device"]).to(memory_format=torch.channels_last)

    def run(pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return net(torch.from_numpy(pixels).to(facts["device"])).cpu().numpy()

    return run


def _compiled(folder: Path, facts: dict[str, Any], threads: int | None) -> Session:
    """Open a program for each number of pictures; other numbers are put together from these."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    programs = {
        size: torch._inductor.aoti_load_package(str(folder / f"model_{size}.pt2"))
        for size in facts["batch_sizes"]
    }

    def of_size(size: int, pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return programs[size](torch.from_numpy(pixels).to(facts["device"])).cpu().numpy()

    return lambda pixels: in_sizes(of_size, pixels, facts["batch_sizes"])


def _onnxruntime(folder: Path, facts: dict[str, Any], threads: int | None) -> Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    cuda = facts["device"].startswith("cuda")
    provider = "CUDAExecutionProvider" if cuda else "CPUExecutionProvider"
    made = onnxruntime.InferenceSession(
        folder / "model.onnx", sess_options=options, providers=[provider]
    )
    return lambda pixels: np.asarray(made.run(["logits"], {"pixels": pixels})[0])


@functools.cache
def openvino_core() -> Any:
    """Return what reads and compiles for OpenVINO: one for the process, that stays.

    It gives the thread that makes it another stack for signals, and that stack goes with it: if it
    were not kept, the next signal, such as Ctrl-C, could end the process without a word.
    """
    # OpenVINO reports over the network that it is imported, where it finds this package.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino.Core()


def _openvino(folder: Path, facts: dict[str, Any], threads: int | None) -> Session:
    """Open a program for each number of pictures it was made for, and one for all others.

    With a known number of pictures OpenVINO is some percent faster than without.
    """
    core = openvino_core()
    has_bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    reduced = has_bfloat16 and facts["precision"] != "float32"
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if reduced else "f32",
    }
    if threads is not None:
        options["INFERENCE_NUM_THREADS"] = threads
    model = core.read_model(folder / "model.xml")

    def program(size: int | None) -> Any:
        sized = model.clone()
        if size is not None:
            sized.reshape([size, *facts["shape"]])
        return core.compile_model(sized, "CPU", options).create_infer_request()

    programs = {size: program(size) for size in facts["batch_sizes"]}

    def run(pixels: np.ndarray) -> np.ndarray:
        size = len(pixels) if len(pixels) in programs else None
        if size not in programs:
            programs[size] = program(size)
        programs[size].infer([pixels], share_inputs=True)
        return programs[size].get_output_tensor(0).data.copy()

    return run


def in_sizes(
    run: Callable[[int, np.ndarray], np.ndarray], pixels: np.ndarray, sizes: Sequence[int]
) -> np.ndarray:
    """Compute any number of pictures with programs that take fixed numbers of them.

    The largest size is used as long as there are enough pictures. What is left is filled up to a
    size that it fills at least by half, or else is given to smaller ones.
    """
    answers = []
    begin = 0
    while begin < len(pixels):
        left = len(pixels) - begin
        size = next((each for each in sorted(sizes, reverse=True) if 2 * left >= each), min(sizes))
        taken = pixels[begin : begin + size]
        filling = np.zeros((size - len(taken), *pixels.shape[1:]), pixels.dtype)
        answers.append(run(size, np.concatenate([taken, filling]))[: len(taken)])
        begin += len(taken)
    return np.concatenate(answers)


def peak_memory() -> int:
    """Return the most bytes of main memory that this process has held; 0 where nobody tells."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0


def main(words: Sequence[str]) -> None:
    """Name pictures, or say how fast and how large this is here."""
    parser = argparse.ArgumentParser(prog="load.py", description="Name what is on pictures.")
    parser.add_argument("pictures", nargs="*", help="picture files")
    parser.add_argument("--top", type=int, default=3, help="classes to name")
    parser.add_argument("--threads", type=int, help="of the processor")
    parser.add_argument(
        "--check", type=int, metavar="N", help="compute N black pictures three times; time, memory"
    )
    asked = parser.parse_args(words)
    began = time.perf_counter()
    model = Model(threads=asked.threads)
    opened = time.perf_counter()
    if asked.check is not None:
        black = np.zeros((asked.check, *model.shape), model.dtype)
        for _ in range(2):
            model.logits(black)
        last = time.perf_counter()
        model.logits(black)
        told = {
            "seconds_to_open": round(opened - began, 3),
            "milliseconds": round(1000 * (time.perf_counter() - last), 3),
            "peak_bytes": peak_memory(),
        }
        sys.stdout.write(f"{json.dumps(told)}\n")
    for path in asked.pictures:
        names = ", ".join(
            f"{name} {100 * share:.1f} %" for name, share in model.name(path, asked.top)
        )
        sys.stdout.write(f"{path}: {names}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
