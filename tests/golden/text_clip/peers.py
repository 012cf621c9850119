"""Writes data/: what CLIP's tokenizers and transformers' CLIPTextModel give.

    pip install torch==2.11.0 transformers==5.24.0 tokenizers==0.23.3 open_clip_torch==3.3.0 ftfy==6.3.1 safetensors numpy
    python peers.py

tokens.json   texts and their tokens by the vocabulary of 49,408 entries, which is in open_clip_torch (MIT, as OpenAI's
              CLIP). "peer" says whose they are: transformers' CLIPTokenizer ("transformers"), CLIP's own SimpleTokenizer
              as open_clip has it ("clip"), or both agree ("both"). Of the vocabulary it has the bytes and those merges
              that these texts ask for; the others cannot change their tokens.
*.safetensors CLIPTextModelWithProjection of small size with random weights, rounded to half precision, the texts' tokens
              and outputs. vocab.json and merges.txt are of the same models.
"""
import gzip
import html
import json
import pathlib
import random
import unicodedata

import open_clip.tokenizer
import torch
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

DATA = pathlib.Path(__file__).parent / "data"

TEXTS = [
    "a photo of a cat", "  A Photo\tof\n\na   CAT  ", "", " ", "red", "a large red circle at the top left",
    # Contractions, of which there are seven, and what only looks like one.
    "it's I'm you're we've they'll he'd isn't", "IT'S I'M", "'s't're've'm'll'd", "rock'n'roll o'clock '' ' s'", "d'd''d",
    # The text of transformers' tests/models/clip/test_tokenization_clip.py.
    "A\n'll 11p223RF☆ho!!to?'d'd''d of a cat to-$''d.", "xa\u0303y x\u00e3y",
    *"\u0009 \u000b \u000c \u0020 \u200e \u200f \u000a \u000d \u2028 \u2029 \u0085 \u00a0 \u3000 \u2003 \u1680".split(" "),
    "\r\n", "a\u00a0b\u2003c\u3000d\u0085e", "zero\u200bwidth joiner\u200d non\u200cjoiner \ufeffbom",
    # Accents, composed and not; letters of other scripts.
    "café naïve Ångström ÉCOLE façade jalapeño", "cafe\u0301 A\u030angstro\u0308m", "ÄÖÜ äöü ß ẞ Straße", "Ελλάδα ΑΘΗΝΑ",
    "Привет МИР", "東京タワー 写真", "서울 \u1109\u1165\u110b\u116e\u11af", "שלום עולם", "مرحبا بالعالم ١٢٣", "नमस्ते दुनिया", "ไทย", "İstanbul Iı",
    "ﬀ ﬁ", "Ⅷ ½ ² ³ ① ٣ 一二三", "x² + y₂ = ½",
    # Emoji: one point, skin tones, families, flags, keycaps.
    "😀", "i ❤️ you 👍🏽", "👨‍👩‍👧‍👦 family", "🇫🇷🇩🇪 flags 1️⃣", "party🎉time🎊!!", "🧵👗👟",
    # Numbers, one token a digit; punctuation in runs.
    "3.14159 1,000,000 2024-11-25 h264 4k 8K", "!!! ??? ... --- *** (((", "e=mc^2; f(x)=x^2", "C++ & C# <b>bold</b>", "@user #tag $9.99 50% off~",
    "snake_case camelCase kebab-case", "http://example.org/a?b=c&d=e#f", "\\n \\t \"quoted\" `code`", "a/b|c{d}[e]<f>",
    # Special tokens in a text.
    "before <|endoftext|> after", "<|startoftext|>x<|endoftext|>", "<|ENDOFTEXT|> <|endoftex|>",
    # Long: 200 words, a word of 300 letters, repeats.
    " ".join(["a photo of a very small red circle beside a blue square on white"] * 16), "pneumono" * 37, "ha" * 60, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "antidisestablishmentarianism supercalifragilisticexpialidocious", "stable diffusion trending on artstation, 8k, by greg rutkowski",
]
ENTITIES = [
    "fish &amp; chips", "&lt;b&gt;", "&quot;hi&quot; &#39;there&#39; &#x27;x&#X27;", "caf&eacute; &Eacute;COLE", "&amp;amp; &amp;lt;",
    "&hearts; &euro;5 &nbsp; x", "&copy 2024 &notit; &notin; &NotEqualTilde;", "&unknown; &; & &# &#x; &#xzz;", "&#128512; &#x1F600;", "&#0; &#xD800; &#1114112; &#99999999999;",
    "&#150; &#x80; &#129;", "AT&T R&D a&b;c", "&ampamp; &ltx", "&CounterClockwiseContourIntegral; &acE;",
]
# What CLIP's ftfy changes and transformers leaves alone, as Perrin does.
FTFY = ["it’s “curly”", "ﬁsh ﬂag", "ｆｕｌｌ ｗｉｄｔｈ", "schÃ¶n"]
# The final sigma: Python lowers it by its neighbours, tokenizers does not.
SIGMA = ["ΟΔΥΣΣΕΥΣ"]


def fuzz(count):
    """Random texts of code points that Unicode 14 has, of which half are ASCII; no references."""
    draw = random.Random(0)
    points = [c for c in map(chr, range(1, 0x20000)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
    ascii_ = [chr(c) for c in range(32, 127) if chr(c) not in "&<"]
    pick = [lambda: draw.choice(ascii_), lambda: draw.choice("etaoinshr '.-"), lambda: draw.choice(points),
            lambda: chr(draw.randrange(0xc0, 0x250)), lambda: draw.choice("\u0301\u0308\u0327\u200d '")]
    return ["".join(draw.choice(pick)() for _ in range(draw.randrange(1, 40))) for _ in range(count)]


class Recorded(dict):
    """Remembers what was asked for and is there."""
    asked = set()

    def get(self, key, default=None):
        if key in self:
            Recorded.asked.add(key)
        return super().get(key, default)


def tokens():
    clip = open_clip.tokenizer.SimpleTokenizer()
    clip.bpe_ranks = Recorded(clip.bpe_ranks)
    clip.cache = {t: t for t in clip.all_special_ids} | {"<start_of_text>": "<start_of_text>", "<end_of_text>": "<end_of_text>"}
    merges = [tuple(line.split()) for line in gzip.open(open_clip.tokenizer.default_bpe()).read().decode().split("\n")[1:48895]]
    alphabet = list(open_clip.tokenizer.bytes_to_unicode().values())
    vocabulary = alphabet + [c + "</w>" for c in alphabet] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(vocabulary)}
    assert len(vocabulary) == 49408
    hugging = CLIPTokenizer(vocab=vocabulary, merges=merges)
    # open_clip writes the special tokens otherwise than OpenAI does.
    by_clip = lambda text: clip.encode(text.replace("<|startoftext|>", "<start_of_text>").replace("<|endoftext|>", "<end_of_text>"))
    by_transformers = lambda text: hugging(text, add_special_tokens=False)["input_ids"]
    cases = []
    for text in TEXTS + fuzz(300):
        a, b = by_transformers(text), by_clip(text)
        cases.append({"text": text, "tokens": a, "peer": "both" if a == b else "transformers"})
    for text in ENTITIES:
        cases.append({"text": text, "tokens": by_clip(text), "peer": "clip"})
    for text in FTFY + SIGMA:
        assert by_clip(text) != by_transformers(text), text
        cases.append({"text": text, "tokens": by_transformers(text), "peer": "transformers"})
    backend = hugging.backend_tokenizer
    for case in cases:  # the merges that transformers' words ask for
        for word, _ in backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(case["text"])):
            clip.bpe(word)
    asked = sorted(Recorded.asked, key=clip.bpe_ranks.__getitem__)
    needed = set(alphabet) | {c + "</w>" for c in alphabet} | {"<|startoftext|>", "<|endoftext|>"}
    for a, b in asked:
        needed |= {a, b, a + b}
    subset = {t: vocabulary[t] for t in sorted(needed, key=vocabulary.__getitem__)}
    small = CLIPTokenizer(vocab=subset, merges=asked)
    for case in cases:
        if case["peer"] != "clip":
            assert small(case["text"], add_special_tokens=False)["input_ids"] == case["tokens"], case
    result = {"vocabulary": subset, "merges": [list(m) for m in asked], "cases": cases}
    (DATA / "tokens.json").write_text(json.dumps(result, ensure_ascii=True, separators=(",", ":")))
    count = {p: sum(c["peer"] == p for c in cases) for p in ("both", "transformers", "clip")}
    print(f"tokens.json: {len(cases)} texts, {count}, {len(subset)} entries, {len(asked)} merges, {(DATA / 'tokens.json').stat().st_size} bytes")
    for c in cases[:len(TEXTS)]:
        if c["peer"] == "transformers":
            print("  only transformers:", ascii(c["text"]), c["tokens"], by_clip(c["text"]))


MODEL_TEXTS = ["red circle", "a blue square on white", "", "the red the red the red the red", "Tiny CROSS!"]


def models():
    torch.manual_seed(0)
    alphabet = list(open_clip.tokenizer.bytes_to_unicode().values())
    merges = [("r", "e"), ("re", "d</w>"), ("c", "i"), ("ci", "r"), ("t", "h"), ("th", "e</w>")]
    vocabulary = alphabet + [c + "</w>" for c in alphabet] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(vocabulary)}
    (DATA / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=True))
    (DATA / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges)
    end = vocabulary["<|endoftext|>"]
    ids = tokenizer(MODEL_TEXTS, padding="max_length", max_length=16, truncation=True, return_tensors="pt")["input_ids"]
    for name, activation, prefix in ("quick_gelu", "quick_gelu", ""), ("gelu", "gelu", "cond_stage_model.transformer."):
        config = CLIPTextConfig(vocab_size=len(vocabulary), hidden_size=32, intermediate_size=128, projection_dim=24,
                                num_hidden_layers=3, num_attention_heads=2, max_position_embeddings=16, hidden_act=activation,
                                bos_token_id=end - 1, eos_token_id=end, pad_token_id=end)
        net = CLIPTextModelWithProjection(config).eval()
        with torch.no_grad():
            for n, p in net.named_parameters():
                centre = 1 if "norm" in n and n.endswith("weight") else 0
                deviation = (1 / p.shape[-1]) ** 0.5 if p.dim() > 1 and "embedding" not in n else 0.3
                p.copy_((centre + deviation * torch.randn(p.shape)).half().float())
            out = net(input_ids=ids, output_hidden_states=True)
            norm = next(m for n, m in net.named_modules() if n.endswith("final_layer_norm"))
            pooled = next(m for n, m in net.named_modules() if n == "text_model")(input_ids=ids).pooler_output
            assert tokenizer.convert_ids_to_tokens(ids[0, 2:6]) == ["cir", "c", "l", "e</w>"]
            emphasis = torch.tensor([1, 1] + [1.5] * 4 + [1] * 10)  # (circle:1.5)
            # stable-diffusion-webui, modules/sd_emphasis.py, EmphasisOriginal, a batch of one
            z = out.last_hidden_state[:1]
            weighted = z * emphasis[None, :, None]
            weighted = weighted * (z.mean() / weighted.mean())
        tensors = {prefix + (k if k.startswith("text_") else "text_model." + k): v.half() for k, v in net.named_parameters()}
        tensors |= {prefix + "text_model.embeddings.position_ids": torch.arange(16)[None],
                    "ids": ids, "last": out.last_hidden_state, "penultimate": norm(out.hidden_states[-2]), "pooled": pooled,
                    "projected": out.text_embeds, "weighted": weighted}
        file = DATA / (name + ".safetensors")
        save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, file)
        print(f"{name}: {sum(p.numel() for p in net.parameters())} parameters, max|last| {out.last_hidden_state.abs().max():.4f}, "
              f"{file.stat().st_size} bytes; {[k for k in tensors][:3]}")
    with torch.device("meta"):
        net = CLIPTextModel(CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_attention_heads=12))
        print("the text model of ViT-L/14:", sum(p.numel() for p in net.parameters()), "parameters")


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    tokens()
    models()
