"""Images through VGG16 and Inception v3 against torchvision's, with the same random weights, without gradients.

peer.py PROGRAM THREADS REPEATS [--compile] writes each network with images and its output, lets PROGRAM (extractor_bench)
compare its own, then lets the two take turns, the peer as shipped and channels-last (--compile: and compiled). Prints one
JSON object: {"vgg, 8 images": {"perrin": {"median", "quartiles", ..}, "eager": .., "ratio_shipped", "ratio_tuned"}, ..}
"""
import json
import pathlib
import sys
import tempfile
import time

import torch
import torchvision
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from turns import PERRIN, Worker, alternate, arguments

BATCH = 8


def vgg():
    """Up to relu5_3, what `perceptual` looks at; images in [-1, 1]."""
    net = torchvision.models.vgg16(init_weights=False).features[:30]
    normalise = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    weights = {"features." + k: v for k, v in net.state_dict().items()}
    return net, lambda x: net(normalise((x + 1) / 2)), weights, {"classes": 0}, 224, "relu5_3"


def inception():
    """Up to the 2048 features of FID."""
    net = torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False)
    weights = {k: v for k, v in net.state_dict().items() if "num_batches" not in k}
    net.fc = torch.nn.Identity()
    return net, net, weights, {"variant": "torchvision", "classes": 1000, "size": 0}, 299, "features"


class Peer:
    def __init__(self, net, call, x, variant):
        self.x, self.call = x, call
        if variant != "eager":
            net.to(memory_format=torch.channels_last)
            self.x = x.to(memory_format=torch.channels_last)
        if variant == "compile":
            self.call = torch.compile(call)

    def timed(self):
        begin = time.perf_counter()
        with torch.no_grad():
            self.call(self.x)
        return 1e3 * (time.perf_counter() - begin)


def build(make, variant):
    torch.manual_seed(0)
    net, call, weights, config, size, layer = make()
    return net.eval(), Peer(net, call, torch.rand(BATCH, 3, size, size) * 2 - 1, variant), weights, config, layer


def bench(extractor, make, program, threads, repeats, variants):
    _, peer, weights, config, layer = build(make, "eager")
    with torch.no_grad():
        tensors = weights | {"in.x": peer.x, "out." + layer: peer.call(peer.x)}
    with tempfile.TemporaryDirectory() as folder:
        metadata = {"perrin.extractor": extractor, "perrin.extractor.config": json.dumps(config)}
        save_file({k: v.contiguous() for k, v in tensors.items()}, folder + "/weights.safetensors", metadata)
        ours = Worker(PERRIN, program, folder + "/weights.safetensors", layer, threads)
        apart = ours.ask(do="check")["apart"]
    if not apart < 1e-4:
        raise SystemExit(f"the two {extractor} differ ({apart}): no timing would mean anything")
    result = alternate({"perrin": ours} | {v: build(make, v)[1] for v in variants}, repeats)
    ours.close()
    return result | {"apart": apart, "images_per_second": 1e3 * BATCH / result["perrin"]["median"]}


def main():
    program, threads, repeats, variants = arguments()
    print(json.dumps({f"{name}, {BATCH} images": bench(name, make, program, threads, repeats, variants)
                      for name, make in (("vgg", vgg), ("inception-v3", inception))}))


if __name__ == "__main__":
    main()
