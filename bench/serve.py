"""What a server costs against its own engine, what bad clients do to it, and how it stops.

Three parts. Throughput: the same engine asked in this process about the same encoded pictures,
decoding included, and the server asked by 32 clients in a process of their own on one core, in
turns. `--hostile`: 10,000 requests of which 5 % are bad, every kind equally often; what they were
answered, and the memory of the server before and after. `--stop`: SIGTERM under load; what the
server accepted and answered, and what clients were left without.

The run is an untrained ResNet-50 at 224x224, unless --run names another: weights change no time.
"""

import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from harness import HERE, parser, report, table, verdict
from residua import events, runs, runtime
from residua.config import to_yaml
from residua.data.folder import FilesConfig
from residua.data.normalize import Normalize
from residua.deploy import predictor
from residua.experiment import Experiment
from residua.nets.imagenet import ImagenetConfig
from residua.train.schedule import CosineConfig

LEAST_SHARE = 0.8
MOST_GROWTH = 5.0
# The heap of a process settles in its first requests: so many times fewer than are counted then.
WARM_UP = 5
CLASSES = 1000


def untrained(root, depth, size):
    """Write the run of a net that was not trained."""
    experiment = Experiment(
        name="bench.serve",
        net=ImagenetConfig(depth=depth, num_classes=CLASSES),
        data=FilesConfig(path="pictures", size=size),
        schedule=CosineConfig(lr=0.1, until=1),
        batch_size=32,
        precision="float32",
        select="last",
    )
    folder = runs.create(root, experiment.name, "untrained")
    (folder / "config.yaml").write_text(to_yaml(experiment))
    names = [f"class {index}" for index in range(CLASSES)]
    start = {"kind": "start", "time": 0.0, "classes": names, "shape": [3, size, size]}
    (folder / events.FILE).write_text(json.dumps(start) + "\n")
    torch.manual_seed(0)
    net = experiment.build_net()
    (folder / "weights").mkdir()
    runs.save_net(
        net,
        folder / "weights" / "last.safetensors",
        experiment=experiment,
        classes=names,
        shape=(3, size, size),
        normalize=Normalize.of((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    )
    return folder


def photographs(folder, count, *, size=(500, 375), most=102_400):
    """Write JPEGs as large as cameras and the web have them: smooth, with grain, about 100 KB."""
    folder.mkdir()
    for seed in range(count):
        random = np.random.default_rng(seed)
        coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)).astype(float)
        grain = random.normal(0, 12, smooth.shape)
        image = Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))
        for quality in range(97, 40, -1):
            file = io.BytesIO()
            image.save(file, "JPEG", quality=quality)
            if file.tell() <= most:
                break
        (folder / f"{seed:03d}.jpg").write_bytes(file.getvalue())


class InProcess:
    """The engine called directly: batches are read by a thread for each core, then computed.

    Args:
        asked: the predictor.
        contents: encoded pictures.
        batch: pictures at a time.
        ahead: read the next batch while one is computed.
    """

    def __init__(self, asked, contents, batch, ahead):
        self.asked, self.contents, self.batch, self.ahead = asked, contents, batch, ahead
        self.pool = ThreadPoolExecutor(runtime.own_cores())

    def reading(self, number):
        return [
            self.pool.submit(self.asked.read, self.contents[(number + i) % len(self.contents)])
            for i in range(self.batch)
        ]

    def speed(self, seconds):
        """Return pictures a second, and seconds of processor time for each."""
        done, began, used = 0, time.perf_counter(), time.process_time()
        ahead = self.reading(0)
        while time.perf_counter() - began < seconds:
            pixels = torch.stack([each.result() for each in ahead])
            if self.ahead:
                ahead = self.reading(done)
            self.asked.probabilities(pixels).topk(5).indices.tolist()
            done += self.batch
            if not self.ahead:
                ahead = self.reading(done)
        for each in ahead:
            each.result()
        return done / (time.perf_counter() - began), (time.process_time() - used) / done

    @property
    def name(self):
        return f"batches of {self.batch}, {'read ahead' if self.ahead else 'in turns'}"


class Server:
    """A server in a process of its own."""

    def __init__(self, folder, chosen):
        words = ["serve", str(folder), "--port", "0", "--precision", chosen.precision]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "residua", *words], stdout=subprocess.PIPE, text=True
        )
        said = self.process.stdout.readline()
        if " at http://" not in said:
            raise SystemExit(f"the server did not start: {said}")
        self.port = int(said.split(" at http://")[1].split("/")[0].rpartition(":")[2])

    def memory(self):
        """Return the bytes that it holds."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def processor(self):
        """Return the seconds of processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=120)[0].strip()


def load(server, pictures, chosen, **more):
    """Start the clients of one stretch."""
    words = [sys.executable, str(HERE / "serve_load.py"), "--port", str(server.port)]
    words += ["--pictures", str(pictures), "--core", str(chosen.core)]
    words += ["--clients", str(chosen.clients)]
    for name, value in more.items():
        words += [f"--{name}", str(value)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def result(process):
    return json.loads(process.communicate()[0])


def best_way(asked, contents, seconds):
    """Choose how the engine is fastest without a server."""
    ways = [
        InProcess(asked, contents, batch, ahead) for batch in (8, 16, 32) for ahead in (False, True)
    ]
    ways[0].speed(seconds)
    return max(ways, key=lambda way: max(way.speed(seconds)[0] for _ in range(2)))


def throughput(folder, pictures, chosen):
    """Ask the engine and the server in turns."""
    # As the server does.
    runtime.hold_freed_memory()
    asked = predictor.load(folder, precision=chosen.precision)
    contents = [path.read_bytes() for path in sorted(pictures.iterdir())]
    way = best_way(asked, contents, chosen.seconds / 4)
    server = Server(folder, chosen)
    result(load(server, pictures, chosen, seconds=chosen.seconds / 4))
    rows, shares, lasts = [], [], []
    for number in range(chosen.rounds):
        alone, spent = way.speed(chosen.seconds)
        used = server.processor()
        told = result(load(server, pictures, chosen, seconds=chosen.seconds))
        used = server.processor() - used
        count = sum(told["statuses"].values())
        if set(told["statuses"]) != {"200"}:
            raise SystemExit(f"the server refused: {told}")
        speed = count / told["wall"]
        shares.append(speed / alone)
        lasts.append(told)
        rows.append(
            [
                str(number + 1),
                f"{alone:.1f}",
                f"{speed:.1f}",
                f"{shares[-1]:.3f}",
                f"{1000 * told['p50']:.0f}",
                f"{1000 * told['p99']:.0f}",
                f"{1000 * told['processor'] / count:.2f}",
                f"{1000 * spent:.1f}",
                f"{1000 * used / count:.1f}",
            ]
        )
    server.stop()
    columns = ["round", "in-process, pictures/s", "server, pictures/s", "share", "p50, ms"]
    columns += ["p99, ms", "processor, ms/picture: clients", "in-process", "server"]
    size = statistics.mean(map(len, contents)) / 1000
    share = statistics.median(shares)
    p50, p99 = (statistics.median(1000 * told[name] for told in lasts) for name in ("p50", "p99"))
    return [
        "## Throughput",
        "",
        f"{len(contents)} JPEGs of {size:.0f} KB on average; {chosen.clients} clients in one "
        f"process on core {chosen.core}, which the server may use too; in-process: {way.name}, "
        f"the fastest of six ways; precision {chosen.precision}.",
        "",
        table(columns, rows),
        "",
        verdict(f"server / in-process, median of {len(rows)}", share, LEAST_SHARE, at_most=False),
        f"- p50 {p50:.0f} ms, p99 {p99:.0f} ms (medians of the rounds)",
        "",
    ]


def hostile(folder, pictures, chosen):
    """Send good and bad requests, and watch the memory of the server."""
    server = Server(folder, chosen)
    share = {"hostile": 0.05}
    result(load(server, pictures, chosen, requests=max(200, chosen.requests // WARM_UP), **share))
    before, used, done = server.memory(), [], threading.Event()

    def watch():
        while not done.wait(1.0):
            used.append(server.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    told = result(load(server, pictures, chosen, requests=chosen.requests, **share))
    time.sleep(3)
    done.set()
    watcher.join()
    after = server.memory()
    said = server.stop()
    answers = {**told["statuses"], **told["bad"]}
    wrong = sum(count for kind, count in answers.items() if kind.split(": ")[-1][0] == "5")
    # Who is left without an answer is told apart from who did not wait for one.
    silent = [kind for kind in told["bad"] if kind.endswith("no answer")]
    growth = 100 * (after - before) / before
    course = ", ".join(f"{each / 1e6:.0f}" for each in used[:: max(1, len(used) // 9)])
    bad = sum(told["bad"].values())
    return [
        "## Bad clients",
        "",
        f"{sum(told['statuses'].values()):,} good requests and {bad:,} bad ones of "
        f"{len({kind.rpartition(': ')[0] for kind in told['bad']})} kinds in {told['wall']:.0f} s. "
        f"Memory of the server in MB: {before / 1e6:.0f} after a fifth as many to "
        f"warm up; then, in equal steps of time, {course}; {after / 1e6:.0f} at the end. "
        f"It said: {said}.",
        "",
        table(["bad request: answer", "times"], [[k, str(v)] for k, v in told["bad"].items()]),
        "",
        f"- good requests by status: {told['statuses']}, without an answer: {told['lost']}; kinds "
        f"of bad ones without an answer: {', '.join(silent) or 'none'}",
        verdict("answers with a status of 5xx", wrong, 0, at_most=True),
        verdict("good requests without an answer", told["lost"], 0, at_most=True),
        verdict("growth of memory, percent", growth, MOST_GROWTH, at_most=True),
        "",
    ]


def stop(folder, pictures, chosen):
    """Stop the server under load, several times."""
    rows, lost = [], 0
    for number in range(chosen.stops):
        server = Server(folder, chosen)
        clients = load(server, pictures, chosen, seconds=600)
        time.sleep(2 + 0.37 * number)
        began = time.perf_counter()
        said = server.stop()
        seconds = time.perf_counter() - began
        told = result(clients)
        answered = sum(told["statuses"].values())
        lost += told["lost"]
        rows.append([str(number + 1), str(answered), str(told["lost"]), said, f"{seconds:.1f}"])
    columns = ["stop", "answers that clients got", "left without", "the server said", "seconds"]
    return [
        "## Stop under load",
        "",
        f"SIGTERM while {chosen.clients} clients ask without a pause; each asks on until it is "
        "refused a connection.",
        "",
        table(columns, rows),
        "",
        verdict("requests without an answer", lost, 0, at_most=True),
        "",
    ]


def main():
    options = parser(__doc__)
    options.add_argument("--run", type=Path, help="a run, or what `residua optimize` made of one")
    options.add_argument("--depth", type=int, default=50)
    options.add_argument("--size", type=int, default=224)
    options.add_argument("--precision", default="auto")
    options.add_argument("--clients", type=int, default=32)
    options.add_argument("--core", type=int, default=runtime.cores() - 1, help="of the clients")
    options.add_argument("--seconds", type=float, default=20, help="of one stretch")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--hostile", action="store_true")
    options.add_argument("--requests", type=int, default=10_000, help="with --hostile")
    options.add_argument("--stop", action="store_true")
    options.add_argument("--stops", type=int, default=5, help="with --stop")
    options.add_argument("--no-throughput", action="store_true")
    options.add_argument("--smoke", action="store_true", help="a small net, for seconds")
    chosen = options.parse_args()
    if chosen.smoke:
        chosen.depth, chosen.size, chosen.seconds, chosen.rounds = 18, 64, 3, 2
        chosen.requests, chosen.stops = 1000, 2
    with tempfile.TemporaryDirectory() as place:
        folder = chosen.run or untrained(Path(place), chosen.depth, chosen.size)
        pictures = Path(place) / "pictures"
        photographs(pictures, 32)
        parts = [
            (throughput, not chosen.no_throughput),
            (hostile, chosen.hostile),
            (stop, chosen.stop),
        ]
        lines = [line for part, on in parts if on for line in part(folder, pictures, chosen)]
        name = "-".join(["serve", *(part.__name__ for part, on in parts if on)])
    report(name, "\n".join(lines), write=chosen.write)


if __name__ == "__main__":
    main()
