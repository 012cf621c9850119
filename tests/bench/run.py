"""./perrin bench: Perrin against its peers, side by side. Prints a table and writes build/bench/results.json.

Options: --quick (fewer repeats; the tuned peer without torch.compile, whose warm-up takes minutes), --only ROW...
Rows: start, unet, first-stage, stages, extractor, samplers, loader, text, plugin, logging. Each alternates between the programs,
so that a busy machine hurts both; figures are medians with the spread of the repeats. Outputs are compared before anything is timed. Timings are
never tests: the exit code says only whether everything ran and agreed.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from turns import PERRIN, Worker, summary

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PERRIN_BUILD", ROOT / "build/release"))
OUT = ROOT / "build/bench"
THREADS = len(os.sched_getaffinity(0))
SAMPLING_STEPS = 10
BATCH = {"small": 8, "large": 32}
# Freed memory is kept for the next step, as Perrin does itself: without these the peer pays a tenth more in page faults.
PEER = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1)}


class Limit:
    """GFLOP/s of a 1024^3 product in fp32 and bf16: the machine's practical limit. A busy moment lowers it, so it is measured
    between the repeats, and the best counts."""

    def __init__(self):
        self.gflops = {"fp32": 0.0, "bf16": 0.0}

    def measure(self):
        import torch
        torch.set_num_threads(THREADS)
        for name, dtype in ("fp32", torch.float32), ("bf16", torch.bfloat16):
            a = torch.randn(1024, 1024).to(dtype)
            for _ in range(12):
                begin = time.perf_counter()
                torch.mm(a, a)
                self.gflops[name] = max(self.gflops[name], 2 * 1024**3 / (time.perf_counter() - begin) / 1e9)


def unet_flops(model):
    """Multiplications and additions of one forward pass, counted by torch; a training step is three of them."""
    sys.path.insert(0, str(ROOT / "tests/bench/unet"))
    import peer
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    x, t, _ = peer.inputs(model)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        peer.build(model)(x, t)
    return counter.get_total_flops()


def check_unet(ours, peer, folder):
    for model in "small", "large":
        file = str(pathlib.Path(folder, model + ".safetensors"))
        theirs = peer.ask(do="export", model=model, file=file)
        found = ours.ask(do="check", model=model, file=file)
        print(f"same weights, {model}: outputs {found['output']:.1e} apart, gradients {found['gradient']:.1e}", flush=True)
        if found["output"] > 1e-4 or found["gradient"] > 1e-3 or found["parameters"] != theirs["parameters"]:
            raise SystemExit(f"the two {model} networks differ ({found}): no timing would mean anything")
        samples = ours.ask(do="check-samples", model=model, file=file, samples=str(pathlib.Path(folder, "samples")))
        found = peer.ask(do="check-samples", model=model, **samples)
        print(f"same noise, {model}: samples {found['difference']:.1e} apart of {found['largest']:.1f}", flush=True)
        if found["difference"] > 1e-3 * found["largest"]:
            raise SystemExit(f"the two {model} samplers differ: no timing would mean anything")


def bench_unet(options):
    ours = Worker(PERRIN, BUILD / "tests/bench/unet/unet_bench", THREADS)
    peer = Worker(PEER, sys.executable, ROOT / "tests/bench/unet/peer.py", THREADS)
    with tempfile.TemporaryDirectory() as folder:
        check_unet(ours, peer, folder)
    tuned = ["channels-last", "bf16"] + ([] if options.quick else ["compile", "compile-bf16"])
    sides = [("perrin", ours, v) for v in ("fp32", "bf16")] + [("diffusers", peer, v) for v in ["eager"] + tuned]
    limit, measured = Limit(), []
    for model in "small", "large":
        flops = unet_flops(model)
        for do, passes, steps in ("train", 3, 2), ("sample", SAMPLING_STEPS, 1):
            times = {}
            for who, worker, variant in sides:  # the first calls, compilation with them, are not timed
                worker.ask(do=do, model=model, variant=variant, steps=3)
            for _ in range(options.repeats):
                limit.measure()
                for who, worker, variant in sides:
                    ms = worker.ask(do=do, model=model, variant=variant, steps=steps)["ms"]
                    times.setdefault((who, variant), []).append(statistics.median(ms))
            measured.append((model, do, times, passes * flops))
    ours.close()
    peer.close()
    return {"limit_gflops": limit.gflops, "rows": [unet_row(*row, limit.gflops) for row in measured]}


def unet_row(model, do, times, flops, limit):
    row = {"model": model, "do": do, "batch": BATCH[model], "gflop": flops / 1e9, "sides": []}
    for (who, variant), ms in times.items():
        figures = summary(ms)
        kind = "bf16" if variant.endswith("bf16") else "fp32"
        figures |= {"who": who, "variant": variant, "unit": "ms",
                    "percent_of_limit": 100 * flops / 1e6 / figures["median"] / limit[kind]}
        row["sides"].append(figures)
    best = {who: min(s["median"] for s in row["sides"] if s["who"] == who) for who in ("perrin", "diffusers")}
    shipped = next(s["median"] for s in row["sides"] if s["variant"] == "eager")
    row |= {"ratio_shipped": shipped / best["perrin"], "ratio_tuned": best["diffusers"] / best["perrin"]}
    return row


def bench_start(options):
    """From nothing to the first image: `perrin sample` on a run, and a saved pipeline of diffusers with the same network."""
    program = BUILD / "bin/perrin"
    with tempfile.TemporaryDirectory() as folder:
        trained = subprocess.run([program, "run", ROOT / "experiments/quickstart.toml", "--out", folder + "/run",
                                  "--set", "stage.steps=1", "--set", "stage.warmup=0", "--set", "samples.count=1"],
                                 stdout=subprocess.PIPE, text=True, check=True)
        run = trained.stdout.strip().splitlines()[-1]
        commands = {"perrin": [program, "sample", run, "--count", "1", "--steps", "10", "--sampler", "ddim"],
                    "diffusers": [sys.executable, ROOT / "tests/bench/first_image.py", folder]}
        subprocess.run([*commands["diffusers"], "prepare"], check=True)
        times = {who: [] for who in commands}
        for _ in range(options.repeats):
            for who, command in commands.items():
                begin = time.perf_counter()
                subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
                times[who].append(time.perf_counter() - begin)
    result = {who: summary(seconds) | {"unit": "s"} for who, seconds in times.items()}
    return result | {"ratio": result["diffusers"]["median"] / result["perrin"]["median"]}


def printed_json(*command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def bench_plugin(_):
    return printed_json(BUILD / "tests/bench/plugin_call/bench_plugin_call", BUILD / "lib/perrin/plugins/perrin-schedules.so")


def bench_samplers(options):
    return printed_json(BUILD / "tests/bench/samplers/sampler_bench", 5 if options.quick else 9)


def bench_loader(options):
    """Files to augmented batches: PNG images of 64 pixels, and CIFAR-10's records; torchvision with the same threads."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        peer = [sys.executable, ROOT / "tests/bench/loader/peer.py"]
        subprocess.run([*peer, "prepare", folder, "2048", "64"], check=True)
        ours = BUILD / "tests/bench/loader/loader_bench"
        for kind, dataset, where in ("png", "image-folder", "png"), ("raw", "cifar10", "binary"):
            rates = {"perrin": [], "torchvision": []}
            for _ in range(options.repeats):
                a = printed_json(ours, dataset, f"{folder}/{where}", "64", THREADS, 1)
                b = printed_json(*peer, kind, folder, THREADS, 1)
                if a["sum"] != b["sum"]:
                    raise SystemExit(f"{kind}: the two loaders read different pixels: no timing would mean anything")
                rates["perrin"] += a["images_per_second"]
                rates["torchvision"] += b["images_per_second"]
            results[kind] = {who: summary(r) | {"unit": "images/s"} for who, r in rates.items()}
            results[kind]["ratio"] = results[kind]["perrin"]["median"] / results[kind]["torchvision"]["median"]
    return results


def printed_turns(options, folder, program):
    """What folder/peer.py prints, which starts its program and takes turns with it."""
    return printed_json(sys.executable, ROOT / "tests/bench" / folder / "peer.py", BUILD / "tests/bench" / folder / program,
                        THREADS, options.repeats, *([] if options.quick else ["--compile"]))


def bench_first_stage(options):
    """A training step of `autoencoder-kl` against diffusers' AutoencoderKL with the same weights."""
    return {"autoencoder-kl, a training step": printed_turns(options, "first_stage", "first_stage_bench")}


def bench_stages(options):
    """A training step of latent diffusion's second and third stage against the same modules of diffusers and transformers."""
    found = printed_turns(options, "stages", "stage_bench")
    return {f"stage {name}, a training step": found[name] for name in found}


def bench_extractor(options):
    """Images through VGG16 and Inception v3 against torchvision's with the same weights."""
    return printed_turns(options, "extractor", "extractor_bench")


def bench_text(options):
    """CLIP's tokens of 20,000 captions by its 49,408 entries; the peer is `tokenizers` as transformers sets it up."""
    rates = {"perrin": [], "perrin, words met first": [], "tokenizers": [], "tokenizers, in batches": []}
    with tempfile.TemporaryDirectory() as folder:
        peer = [sys.executable, ROOT / "tests/bench/text/peer.py"]
        subprocess.run([*peer, "prepare", folder, "20000"], check=True)
        files = folder + "/merges.txt", folder + "/texts.txt"
        for _ in range(options.repeats):
            a = printed_json(BUILD / "tests/bench/text/text_bench", *files, 1)
            b = printed_json(*peer, "run", *files, 1)
            if (a["tokens"], a["sum"]) != (b["tokens"], b["sum"]):
                raise SystemExit("the two tokenizers give different tokens: no timing would mean anything")
            for who, seconds in zip(rates, (a["seconds"], [a["first_seconds"]], b["one_by_one_seconds"], b["batch_seconds"])):
                rates[who] += [a["tokens"] / s for s in seconds]
    result = {who: summary(r) | {"unit": "tokens/s"} for who, r in rates.items()}
    best = max(result["tokenizers"]["median"], result["tokenizers, in batches"]["median"])
    return result | {"ratio": result["perrin"]["median"] / best,
                     "ratio_first": result["perrin, words met first"]["median"] / best}


def bench_logging(_):
    return printed_json(BUILD / "tests/bench/store/store_bench")


def impossible(percent):
    return ": wrong, since nothing is faster than the limit; measure again on a quieter machine" if percent > 100 else ""


def show(results):
    for row in results.get("unet", {}).get("rows", []):
        print(f"\n{row['model']} {row['do']}: {row['ratio_shipped']:.2f} x the peer as shipped, "
              f"{row['ratio_tuned']:.2f} x the peer tuned")
        for s in row["sides"]:
            print(f"  {s['who']:<10}{s['variant']:<14}{s['median']:8.1f} ms  ({s['quartiles'][0]:.1f} to "
                  f"{s['quartiles'][1]:.1f}){1e3 * row['batch'] / s['median']:8.1f} images/s"
                  f"{s['percent_of_limit']:5.0f} % of the limit{impossible(s['percent_of_limit'])}")
    if "start" in results:
        s = results["start"]
        print(f"\ncold start to first image: {s['perrin']['median']:.2f} s, diffusers {s['diffusers']['median']:.2f} s, "
              f"{s['ratio']:.1f} x")
    for id, s in results.get("samplers", {}).items():
        print(f"{id:<20}{s['calls']:5} calls {s['ms']:9.1f} ms{s['one_thread_percent']:7.2f} % beside the network, one "
              f"thread ({s['one_thread_interval'][0]:.2f} to {s['one_thread_interval'][1]:.2f})")
    for kind, r in results.get("loader", {}).items():
        print(f"loader, {kind}: {r['perrin']['median']:.0f} images/s, torchvision {r['torchvision']['median']:.0f}, "
              f"{r['ratio']:.1f} x")
    for name in "first-stage", "stages", "extractor":
        for what, r in results.get(name, {}).items():
            print(f"{what}: {r['perrin']['median']:.1f} ms, the peer as shipped {r['eager']['median']:.1f} ms, "
                  f"{r['ratio_shipped']:.2f} x as shipped, {r['ratio_tuned']:.2f} x tuned")
    if "text" in results:
        r = results["text"]
        print(f"\nCLIP's tokens: {r['perrin']['median'] / 1e6:.2f} million a second on one thread, words met first "
              f"{r['perrin, words met first']['median'] / 1e6:.2f}; tokenizers {r['tokenizers']['median'] / 1e6:.2f}, in batches "
              f"{r['tokenizers, in batches']['median'] / 1e6:.2f}: {r['ratio']:.1f} x, {r['ratio_first']:.1f} x")
    for name in "plugin", "logging":
        if name in results:
            print(f"\n{name}: {json.dumps(results[name])}")


def main():
    rows = {"start": bench_start, "unet": bench_unet, "first-stage": bench_first_stage, "stages": bench_stages,
            "extractor": bench_extractor, "samplers": bench_samplers, "loader": bench_loader, "text": bench_text,
            "plugin": bench_plugin, "logging": bench_logging}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=rows, default=list(rows))
    options = parser.parse_args()
    options.repeats = 5 if options.quick else 9
    results = {"threads": THREADS}
    OUT.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        print(f"-- {name}", flush=True)
        results[name] = rows[name](options)
        (OUT / "results.json").write_text(json.dumps(results, indent=1))
    show(results)
    print(f"\n{OUT / 'results.json'}")


if __name__ == "__main__":
    main()
