#!/usr/bin/python3
"""PyTorch beside us on one training step of a small Llama, in turns: tokens a second.

The model is the one that `oellm bench train` makes: RMSNorm, rotary positions in halves, SwiGLU, tied head, no biases; AdamW with the global norm
clipped; single precision. Written for the version that Debian 12 has (python3-torch 1.13.1) with the fastest forms found there: queries, keys and
values in one product, gate and up in one product, plain attention by batched products with the mask added in place (the fused attention is of a
later version), AdamW over lists of tensors ("foreach"), gradients dropped instead of cleared.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def refuse(message):
    print(f"pytorch.py: {message}", file=sys.stderr)
    sys.exit(2)


def settings():
    parser = argparse.ArgumentParser(description="PyTorch beside 'oellm bench train', in turns.", epilog="Example: bench/peers/pytorch.py --width 256 --layers 6 --heads 4 --hidden 704 --turns 5")
    for name, default in (("width", 256), ("layers", 6), ("heads", 4), ("hidden", 704), ("vocabulary-size", 16384), ("batch", 8), ("context", 256), ("threads", 2), ("turns", 5), ("steps", 5)):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N")
    parser.add_argument("--theirs", action="store_true", help="one turn of PyTorch alone")
    return parser.parse_args()


def measure_peer(s):
    try:
        import torch
    except ImportError:
        refuse("the peer is missing; on Debian install python3-torch and run this with /usr/bin/python3.")
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(s.threads)
    torch.manual_seed(1)
    size = s.width // s.heads

    class Norm(nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.ones(s.width))

        def forward(self, x):
            return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5) * self.gain

    frequencies = 10_000.0 ** (-torch.arange(0, size, 2) / size)
    angles = torch.outer(torch.arange(s.context), frequencies)
    cosines, sines = torch.cat([angles.cos()] * 2, -1), torch.cat([-angles.sin(), angles.sin()], -1)
    hidden_keys = torch.full((s.context, s.context), float("-inf")).triu(1)

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_norm, self.norm = Norm(), Norm()
            self.queries_keys_values = nn.Linear(s.width, 3 * s.width, bias=False)
            self.output = nn.Linear(s.width, s.width, bias=False)
            self.gate_up = nn.Linear(s.width, 2 * s.hidden, bias=False)
            self.down = nn.Linear(s.hidden, s.width, bias=False)

        def forward(self, x):
            rows = self.queries_keys_values(self.attention_norm(x)).view(s.batch, s.context, 3, s.heads, size).permute(2, 0, 3, 1, 4)
            turned = rows[:2] * cosines + rows[:2].roll(size // 2, -1) * sines
            queries, keys, values = (part.reshape(s.batch * s.heads, s.context, size) for part in (turned[0], turned[1], rows[2]))
            scores = torch.baddbmm(hidden_keys, queries, keys.transpose(1, 2), alpha=size ** -0.5)
            mixed = torch.bmm(scores.softmax(-1), values).view(s.batch, s.heads, s.context, size).transpose(1, 2).reshape(s.batch, s.context, s.width)
            x = x + self.output(mixed)
            gate, up = self.gate_up(self.norm(x)).chunk(2, -1)
            return x + self.down(F.silu(gate) * up)

    class Llama(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(s.vocabulary_size, s.width)
            nn.init.normal_(self.embedding.weight, std=0.02)
            self.layers = nn.ModuleList(Layer() for _ in range(s.layers))
            self.norm = Norm()

        def forward(self, tokens, targets):
            x = self.embedding(tokens)
            for layer in self.layers:
                x = layer(x)
            logits = F.linear(self.norm(x), self.embedding.weight)
            return F.cross_entropy(logits.view(-1, s.vocabulary_size), targets.view(-1))

    model = Llama()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, foreach=True)
    tokens = torch.randint(s.vocabulary_size, (s.batch, s.context))
    targets = torch.randint(s.vocabulary_size, (s.batch, s.context))
    seconds = []
    for _ in range(2 + s.steps):
        began = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = model(tokens, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"tokensPerSecond": s.batch * s.context / statistics.median(seconds[2:]), "version": torch.__version__, "loss": loss.item()}))


def run(words, what, **more):
    try:
        ran = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False, **more)
    except OSError as error:
        refuse(f"{what} did not start: {error}")
    if ran.returncode != 0:
        refuse(f"{what} ended with exit code {ran.returncode}.")
    return json.loads(ran.stdout)


def compare(s):
    program = os.environ.get("OELLM", os.path.join(HERE, "../../artifacts/bin/Cli/release/oellm"))
    if not os.path.exists(program):
        refuse(f"{program}: our program is missing; build it with 'dotnet build -c Release src/Cli', or name it in OELLM.")
    shape = [word for name in ("width", "layers", "heads", "hidden", "vocabulary_size", "batch", "context", "threads", "steps")
             for word in (f"--{name.replace('_', '-')}", str(getattr(s, name)))]
    # As it comes, two teams of threads (OpenMP's and OpenBLAS's) spin against each other, and freed memory is faulted in anew each step. At its
    # best the one team parks, and memory is kept.
    plain = dict(os.environ, OPENBLAS_NUM_THREADS=str(s.threads), OMP_NUM_THREADS=str(s.threads))
    best = dict(plain, OMP_WAIT_POLICY="passive", MALLOC_MMAP_THRESHOLD_="8589934592", MALLOC_TRIM_THRESHOLD_="8589934592")
    ours, theirs, tuned = [], [], []
    for _ in range(s.turns):
        ours.append(run([program, "bench", "train", *shape, "--json"], "oellm bench train"))
        theirs.append(run([sys.executable, os.path.abspath(__file__), "--theirs", *shape], "PyTorch", env=plain))
        tuned.append(run([sys.executable, os.path.abspath(__file__), "--theirs", *shape], "PyTorch", env=best))
    print(f"PyTorch {theirs[0]['version']}, {s.turns} turns in alternation; one training step of {s.batch} x {s.context} tokens, width {s.width}, {s.layers} layers, "
          f"{s.threads} threads; our share of the limit {statistics.median(turn['shareOfLimit'] for turn in ours):.2f}")
    print("| PyTorch | ours, tokens/s | PyTorch, tokens/s | ratio of the medians | median of the ratios |\n|---|---|---|---|---|")
    own = [turn["tokensPerSecond"] for turn in ours]
    for name, turns in (("as it comes", theirs), ("threads that park, memory kept", tuned)):
        other = [turn["tokensPerSecond"] for turn in turns]
        print(f"| {name} | {statistics.median(own):.0f} | {statistics.median(other):.0f} | {statistics.median(own) / statistics.median(other):.2f} "
              f"| {statistics.median(a / b for a, b in zip(own, other)):.2f} |")


if __name__ == "__main__":
    chosen = settings()
    for setting, value in vars(chosen).items():
        if setting != "theirs" and value < 1:
            refuse(f"--{setting.replace('_', '-')} is {value}; expected 1 or more.")
    if chosen.width % chosen.heads or chosen.width // chosen.heads % 2:
        refuse(f"--width is {chosen.width}; expected an even number times --heads {chosen.heads}.")
    measure_peer(chosen) if chosen.theirs else compare(chosen)
