"""Writes data/: small tokenizers and networks of the peers with random weights, their tokens and what they give.

    pip install torch==2.11.0 transformers==5.24.0 tokenizers==0.23.3 sentencepiece==0.2.3 \\
        protobuf==7.36.2 safetensors==0.8.0 pillow==13.0.0 numpy
    python peers.py

captions.txt          what the tokenizers are trained on: captions of shapes drawn with seed 0, and the nasty texts
learnt_merges.txt     of tokenizers' BpeTrainer for 512 tokens, pairs that occur twice or more
vocab.json, merges.txt  of the same trainer with <|endoftext|>, GPT-2's layout
vocab.txt             of tokenizers' WordPieceTrainer, BERT's layout
tokenizer.json        of tokenizers' UnigramTrainer with a charsmap that SentencePiece compiled: T5's layout
texts.json            nasty texts and the tokens of each, without the marks that a model puts around them
t5_relu, t5_gated, bert, gpt  the networks' weights, rounded to half precision, and for the texts of "batch" in texts.json
                      their last hidden states ("out.states") and, of BERT, its pooler's output ("out.pooled")
image.safetensors     means of squares by Pillow's reducing filter and enlargements by torch's interpolate

The peers' trainers of WordPiece and Unigram break ties differently on each run: the files of one run belong together.
"""
import json
import os
import pathlib
import random
import tempfile
import unicodedata
import base64

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import sentencepiece
import torch
from safetensors.torch import save_file
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model, T5Config, T5EncoderModel

DATA = pathlib.Path(__file__).parent / "data"
LENGTH = 12  # tokens of a text in the networks' batches

NASTY = [
    "", " ", "a", "two  spaces   and\ttabs\n\nlines\r\n", "  leading", "trailing  ", "I'm we'll they've it's 'quoted' don't",
    "caf\u00e9 cafe\u0301 na\u00efve \u00c5ngstr\u00f6m \u00dcBER Stra\u00dfe \u0130stanbul \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
    "\U0001f600 \U0001f469\u200d\U0001f469\u200d\U0001f467 flags \U0001f1e9\U0001f1ea \u2764\ufe0f", "\u7ea2\u8272\u7684\u5706 red\u5706circle \u3072\u3089\u304c\u306a \ud55c\uad6d\uc5b4",
    "\u0645\u0631\u062d\u0628\u0627 \u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\uff21\uff22\uff23 \uff11\uff12\uff13 \ufb01n \u2122 \u00bd \u2460 \u3000wide\u3000space\u00a0hard",
    "zero\u200bwidth soft\u00adhyphen bell\x07 nul\x01 del\x7f next\u0085line", "$3.50 + 20% = ? #tag @you a_b c/d ~x~ `y` ^z^ |w| \u2014 \u201ccurly\u201d \u00abguill\u00bb\u2026",
    "1234567890 3.14159 \u0664\u0665 \u2167 \u00b2", "aaaaaaaaaaaaaaaa hmmmm!!!!!! ------", "supercalifragilistic" * 6, "&amp; &lt;b&gt; <pad> </s> [MASK] <|endoftext|>",
    "\u2581underscore \u2581\u2581", "end with space ", "x" * 99 + " " + "y" * 101, "\ufeffbom \ufffd replaced \ue000private", "A RED Circle, left of the small blue square.",
]
NASTY.append(" ".join(random.Random(1).choice(["red", "circle", "a", "the", "caf\u00e9", "\u7ea2", "\U0001f600", "don't"]) for _ in range(200)))
BATCH = ["a red circle", "", "three small blue squares, \u7ea2 caf\u00e9! \U0001f600", NASTY[-1]]  # the last is cut


def captions():
    draw = random.Random(0)
    lines = []
    for _ in range(400):
        count, size = draw.choice(["a", "two", "three"]), draw.choice(["small", "large", "tiny"])
        colour, shape = draw.choice(["red", "green", "blue", "yellow"]), draw.choice(["circle", "square", "triangle", "star"])
        place = draw.choice(["on the left", "on the right", "at the top", "in the middle of a black background"])
        lines.append(f"{count} {size} {colour} {shape}{'' if count == 'a' else 's'} {place}")
    return lines + [t for t in NASTY if "\n" not in t and "\r" not in t and t]


def byte_bpe(lines, size, specials):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, special_tokens=specials, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def word_piece(lines, lower):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(lines, trainers.WordPieceTrainer(
        vocab_size=400, show_progress=False, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    return tokenizer


def charsmap(lines):
    """SentencePiece's normalisation of some hundred characters, compiled by itself."""
    rules = {}
    for c in [*range(0xA0, 0x250), *range(0x2000, 0x2190), *range(0x2460, 0x2480), *range(0xFB00, 0xFB07), *range(0xFF01, 0xFF5F), 0x3000]:
        to = unicodedata.normalize("NFKC", chr(c))
        if to != chr(c):
            rules[chr(c)] = to
        apart = unicodedata.normalize("NFD", chr(c))
        if apart != chr(c) and unicodedata.normalize("NFC", apart) == chr(c):
            rules[apart] = chr(c)
    rules |= {c: " " for c in "\t\n\r\u0085\u200b\u3000\u00a0"} | {c: "" for c in "\x01\x07\x7f\u00ad\ufeff"}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        hexed = lambda s: " ".join(f"{ord(c):X}" for c in s)
        (folder / "rules.tsv").write_text("".join(f"{hexed(a)}\t{hexed(b)}\n" for a, b in sorted(rules.items())))
        (folder / "lines.txt").write_text("\n".join(lines))
        sentencepiece.SentencePieceTrainer.train(input=folder / "lines.txt", model_prefix=str(folder / "m"), vocab_size=300,
                                                 normalization_rule_tsv=folder / "rules.tsv", minloglevel=2, hard_vocab_limit=False,
                                                 num_threads=1)
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString((folder / "m.model").read_bytes())
    return proto.normalizer_spec.precompiled_charsmap


def unigram(lines, charsmap):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Precompiled(charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(lines, trainers.UnigramTrainer(
        vocab_size=400, show_progress=False, unk_token="<unk>", special_tokens=["<pad>", "</s>", "<unk>"]))
    return tokenizer


def tokens(tokenizer, text, special=False):
    """Of the text as text: the names of control tokens in it have no meaning, unless `special`."""
    tokenizer.encode_special_tokens = not special
    return tokenizer.encode(text, add_special_tokens=False).ids


def randomised(net):
    with torch.no_grad():
        for name, p in net.named_parameters():
            norm = p.dim() == 1 and "weight" in name
            deviation = (1 / p.shape[-1]) ** 0.5 if p.dim() > 1 else 0.1
            p.copy_((float(norm) + deviation * torch.randn(p.shape)).half().float())
    return net.eval()


def save(name, net, out):
    held = {k: v.half() for k, v in net.state_dict().items() if v.is_floating_point() and "embed_tokens" not in k}
    file = DATA / (name + ".safetensors")
    save_file({k: v.detach().clone().contiguous() for k, v in (held | out).items()}, file)
    print(f"{name}: {sum(p.numel() for p in net.parameters())} parameters, max|states| {out['out.states'].abs().max():.4f}, "
          f"{file.stat().st_size} bytes")


def framed(rows, last, padding, first=None):
    ids, real = [], []
    for row in rows:
        row = ([] if first is None else [first]) + row
        row = row[:LENGTH - 1] + [last]
        real.append([1] * len(row) + [0] * (LENGTH - len(row)))
        ids.append(row + [padding] * (LENGTH - len(row)))
    return torch.tensor(ids), torch.tensor(real)


def t5(name, tokenizer, feed_forward):
    net = randomised(T5EncoderModel(T5Config(
        vocab_size=512, d_model=24, d_kv=8, d_ff=40, num_layers=3, num_heads=2, relative_attention_num_buckets=8,
        relative_attention_max_distance=6, feed_forward_proj=feed_forward, dropout_rate=0)))
    ids, real = framed([tokens(tokenizer, t) for t in BATCH], tokenizer.token_to_id("</s>"), tokenizer.token_to_id("<pad>"))
    save(name, net, {"out.states": net(ids, attention_mask=real).last_hidden_state})


def bert(tokenizer):
    net = randomised(BertModel(BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=16, attn_implementation="eager")))
    at = tokenizer.token_to_id
    ids, real = framed([tokens(tokenizer, t) for t in BATCH], at("[SEP]"), at("[PAD]"), at("[CLS]"))
    out = net(ids, attention_mask=real)
    save("bert", net, {"out.states": out.last_hidden_state, "out.pooled": out.pooler_output})


def gpt(tokenizer):
    net = randomised(GPT2Model(GPT2Config(vocab_size=tokenizer.get_vocab_size(), n_positions=16, n_embd=24, n_layer=2, n_head=3)))
    end = tokenizer.token_to_id("<|endoftext|>")
    ids, _ = framed([tokens(tokenizer, t) for t in BATCH], end, end)
    save("gpt", net, {"out.states": net(ids).last_hidden_state})


def image():
    import numpy
    from PIL import Image
    pixels = torch.randint(0, 256, (2, 3, 12, 8), dtype=torch.uint8)
    reduced = torch.stack([torch.stack([torch.from_numpy(numpy.asarray(Image.fromarray(c.float().numpy(), "F").reduce(4)).copy())
                                        for c in one]) for one in pixels])
    small = reduced * (2 / 255) - 1
    enlarge = lambda mode: torch.nn.functional.interpolate(small, size=(12, 8), mode=mode)
    save_file({"pixels": pixels, "small": small.contiguous()} | {m: enlarge(m).contiguous() for m in ("bicubic", "bilinear", "nearest")},
              DATA / "image.safetensors")


def main():
    torch.manual_seed(0)
    lines = captions()
    (DATA / "captions.txt").write_text("\n".join(lines) + "\n")
    learnt = byte_bpe(lines, 512, [])
    gpt2 = byte_bpe(lines, 400, ["<|endoftext|>"])
    cased, uncased = word_piece(lines, False), word_piece(lines, True)
    piece = unigram(lines, charsmap(lines))
    learnt.model.save(str(DATA), "learnt")
    (DATA / "learnt-vocab.json").unlink()
    (DATA / "learnt-merges.txt").rename(DATA / "learnt_merges.txt")
    gpt2.model.save(str(DATA))
    # One vocabulary for both cases: pieces of the cased one behind those of the uncased.
    vocabulary = sorted(uncased.get_vocab(), key=uncased.get_vocab().get)
    vocabulary += sorted(set(cased.get_vocab()) - set(vocabulary))
    (DATA / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    for tokenizer in (cased, uncased):
        tokenizer.model = models.WordPiece({t: i for i, t in enumerate(vocabulary)}, unk_token="[UNK]", max_input_chars_per_word=100)
    piece.save(str(DATA / "tokenizer.json"), pretty=False)
    rows = [{"text": t, "learnt": tokens(learnt, t), "gpt": tokens(gpt2, t), "bert": tokens(uncased, t),
             "bert_cased": tokens(cased, t), "t5": tokens(piece, t, special=True)} for t in NASTY + BATCH]
    (DATA / "texts.json").write_text(json.dumps({"texts": rows, "batch": BATCH, "length": LENGTH}, separators=(",", ":")))
    t5("t5_relu", piece, "relu")
    t5("t5_gated", piece, "gated-gelu")
    bert(uncased)
    gpt(gpt2)
    image()
    for file in sorted(DATA.iterdir()):
        print(f"{file.stat().st_size:8d} {file.name}")


main()
