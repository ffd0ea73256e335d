#!/usr/bin/env python3
"""Writes fixtures.h: what PyTorch's optimizers make of two parameters in some steps. Needs torch.

python3 make_fixtures.py > fixtures.h
"""
import torch

STEPS, WEIGHTS, BIASES = 5, 37, 3
CASES = [  # name, C options, torch optimizer, its options, clip
    ("adam", ".kind = CNN_ADAM", torch.optim.Adam, {}, 0),
    ("adam_decay", ".kind = CNN_ADAM, .weight_decay = 0.1f", torch.optim.Adam, {"weight_decay": 0.1}, 0),
    ("adam_betas", ".kind = CNN_ADAM, .beta1 = 0.8f, .beta2 = 0.95f, .epsilon = 1e-3f", torch.optim.Adam,
     {"betas": (0.8, 0.95), "eps": 1e-3}, 0),
    ("adam_clipped", ".kind = CNN_ADAM, .clip_norm = 0.5f", torch.optim.Adam, {}, 0.5),
    ("adamw", ".kind = CNN_ADAMW, .weight_decay = 0.1f", torch.optim.AdamW, {"weight_decay": 0.1}, 0),
    ("sgd", ".kind = CNN_SGD", torch.optim.SGD, {}, 0),
    ("sgd_momentum", ".kind = CNN_SGD, .momentum = 0.9f, .weight_decay = 0.1f", torch.optim.SGD,
     {"momentum": 0.9, "weight_decay": 0.1}, 0),
    ("sgd_nesterov", ".kind = CNN_SGD, .momentum = 0.9f, .nesterov = 1, .weight_decay = 0.1f", torch.optim.SGD,
     {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, 0),
    ("sgd_clipped", ".kind = CNN_SGD, .momentum = 0.9f, .clip_norm = 8", torch.optim.SGD, {"momentum": 0.9}, 8),
    ("rmsprop", ".kind = CNN_RMSPROP", torch.optim.RMSprop, {}, 0),
    ("rmsprop_momentum", ".kind = CNN_RMSPROP, .alpha = 0.9f, .momentum = 0.8f, .weight_decay = 0.1f",
     torch.optim.RMSprop, {"alpha": 0.9, "momentum": 0.8, "weight_decay": 0.1}, 0),
]
RATES = [0.01, 0.02, 0.05, 0.02, 0.01]


def numbers(tensor):
    return "{ " + ", ".join(f"{x:.9g}f" if any(c in f"{x:.9g}" for c in ".e") else f"{x:.9g}.0f"
                            for x in tensor.tolist()) + " }"


def train(optimizer_class, options, clip, start, gradients):
    weight = start[:WEIGHTS].clone().requires_grad_()
    bias = start[WEIGHTS:].clone().requires_grad_()
    decay = options.get("weight_decay", 0)
    groups = [{"params": [weight], "weight_decay": decay}, {"params": [bias], "weight_decay": 0}]
    optimizer = optimizer_class(groups, lr=0.01, **options)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATES[step]
        weight.grad, bias.grad = gradients[step, :WEIGHTS].clone(), gradients[step, WEIGHTS:].clone()
        if clip:
            torch.nn.utils.clip_grad_norm_([weight, bias], clip)
        optimizer.step()
    return torch.cat([weight, bias]).detach()


def main():
    torch.manual_seed(1)
    count = WEIGHTS + BIASES
    start, gradients = torch.randn(count), torch.randn(STEPS, count) * 1.2
    print(f"/* Written by make_fixtures.py with torch {torch.__version__.split('+')[0]}. */")
    print("/* clang-format off */")
    print(f"enum {{ STEPS = {STEPS}, WEIGHTS = {WEIGHTS}, BIASES = {BIASES} }};\n")
    print(f"static const float rates[STEPS] = {numbers(torch.tensor(RATES))};")
    print(f"static const float start[WEIGHTS + BIASES] = {numbers(start)};")
    print("static const float gradients[STEPS][WEIGHTS + BIASES] = {")
    for row in gradients:
        print(f"    {numbers(row)},")
    print("};\n\nstatic const struct fixture {\n    const char *name;\n    cnn_optimizer_options options;")
    print("    float end[WEIGHTS + BIASES];\n} fixtures[] = {")
    for name, c_options, optimizer_class, options, clip in CASES:
        print(f'    {{ "{name}", {{ .struct_size = sizeof(cnn_optimizer_options), {c_options} }},')
        print(f"      {numbers(train(optimizer_class, options, clip, start, gradients))} }},")
    print("};")


main()
