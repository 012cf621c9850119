"""Tokens per second of the `tokenizers` package, as transformers' CLIPTokenizer sets it up.

    peer.py prepare FOLDER COUNT            writes merges.txt (CLIP's 49,408 entries, from open_clip_torch) and COUNT captions
    peer.py run MERGES TEXTS PASSES         prints one JSON line: one call a text, and one call for all on every core
"""
import gzip
import json
import pathlib
import random
import sys
import time

ADJECTIVES = "small large tiny huge red blue green old new beautiful dark bright vintage modern wooden metallic soft striped".split()
NOUNS = ("circle square cat dog house tree river mountain sneaker trouser pullover handbag boot city street car bicycle "
         "astronaut horse lighthouse teapot umbrella café 写真 piñata").split()
ENDS = ["in the snow", "on a white background", "at night", "by the sea", "trending on artstation", "8k, highly detailed",
        "it's raining", "for $9.99!", "painted by rembrandt", "isometric view", "👍🏽", "— a study in blue", "shot on 35mm film"]


def prepare(folder, count):
    import open_clip.tokenizer
    lines = gzip.open(open_clip.tokenizer.default_bpe()).read().decode().split("\n")[1:48895]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]) + "\n")
    draw = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    with open(folder / "texts.txt", "w") as file:
        for _ in range(count):
            words = ["a photo of a", draw.choice(ADJECTIVES), draw.choice(ADJECTIVES), draw.choice(NOUNS), draw.choice(ENDS)]
            if draw.random() < 0.3:  # a name that nobody has met before
                words.insert(3, "".join(draw.choice(letters) for _ in range(draw.randrange(4, 12))).capitalize())
            file.write(" ".join(words) + "\n")


def tokenizer(merges_file):
    from transformers import CLIPTokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode
    merges = [tuple(line.split()) for line in pathlib.Path(merges_file).read_text().splitlines()[1:]]
    alphabet = list(bytes_to_unicode().values())
    vocabulary = alphabet + [c + "</w>" for c in alphabet] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={t: i for i, t in enumerate(vocabulary)}, merges=merges).backend_tokenizer


def checksum(encoded):
    value = 14695981039346656037
    for ids in encoded:
        for token in (*ids, 2**32 - 1):
            value = (value ^ token) * 1099511628211 % 2**64
    return value


def run(merges, texts_file, passes):
    backend = tokenizer(merges)
    texts = pathlib.Path(texts_file).read_text().split("\n")[:-1]
    one_by_one = lambda: [backend.encode(text, add_special_tokens=False) for text in texts]
    batch = lambda: backend.encode_batch_fast(texts, add_special_tokens=False)
    encoded = [e.ids for e in batch()]
    result = {"tokens": sum(map(len, encoded)), "sum": checksum(encoded)}
    times = {one_by_one: [], batch: []}
    for _ in range(passes):
        for f, seconds in times.items():
            begin = time.perf_counter()
            f()
            seconds.append(time.perf_counter() - begin)
    result |= {"one_by_one_seconds": times[one_by_one], "batch_seconds": times[batch]}
    print(json.dumps(result))


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(pathlib.Path(sys.argv[2]), int(sys.argv[3]))
    else:
        run(sys.argv[2], sys.argv[3], int(sys.argv[4]))
