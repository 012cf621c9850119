"""Images per second of torchvision's datasets through torch's DataLoader: batches of 64, flipped, shuffled.

    peer.py prepare FOLDER COUNT SIZE              writes COUNT PNG files of SIZE pixels in ten classes, and CIFAR-10 files
    peer.py png|raw FOLDER WORKERS REPEATS         prints one JSON line
"""
import json
import pathlib
import pickle
import sys
import time

import numpy
import torch
import torchvision
from PIL import Image
from torchvision.transforms import v2

BATCH = 64


def prepare(folder, count, size):
    random = numpy.random.default_rng(0)
    smooth = random.integers(0, 256, (count, 8, 8, 3), numpy.uint8)
    for i in range(count):
        image = Image.fromarray(smooth[i]).resize((size, size), Image.Resampling.BICUBIC)
        file = folder / "png" / str(i % 10) / f"{i:05}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        image.save(file)
    records = random.integers(0, 256, (5, 10000, 3072), numpy.uint8)
    labels = random.integers(0, 10, (5, 10000), numpy.uint8)
    for directory in "binary", "cifar-10-batches-py":
        (folder / directory).mkdir()
    for b in range(5):
        numpy.concatenate([labels[b][:, None], records[b]], 1).tofile(folder / "binary" / f"data_batch_{b + 1}.bin")
        with open(folder / "cifar-10-batches-py" / f"data_batch_{b + 1}", "wb") as file:
            pickle.dump({"data": records[b], "labels": labels[b].tolist()}, file)


class Cifar10(torchvision.datasets.CIFAR10):
    """torchvision's own reading and transforming; only the check of the real files' md5 is left out."""

    def _check_integrity(self):
        return True

    def _load_meta(self):
        self.classes = [str(i) for i in range(10)]


def dataset(kind, folder):
    augment = v2.Compose([v2.RandomHorizontalFlip(), v2.ToImage()])
    if kind == "png":
        return torchvision.datasets.ImageFolder(folder / "png", augment), torchvision.datasets.ImageFolder(folder / "png")
    return Cifar10(folder, transform=augment), Cifar10(folder)


def main():
    what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if what == "prepare":
        return prepare(folder, int(sys.argv[3]), int(sys.argv[4]))
    torch.set_num_threads(1)
    data, plain = dataset(what, folder)
    result = {"sum": int(sum(numpy.asarray(plain[i][0]).astype(numpy.int64).sum() for i in range(BATCH))), "images_per_second": []}
    for _ in range(int(sys.argv[4])):
        loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True, num_workers=int(sys.argv[3]), drop_last=True)
        batches = iter(loader)
        next(batches)
        begin, n = time.perf_counter(), 0
        for images, _ in batches:
            n += len(images)
        result["images_per_second"].append(n / (time.perf_counter() - begin))
    print(json.dumps(result))


main()
