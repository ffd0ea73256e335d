#!/usr/bin/env python3
"""PyTorch, channels last, on the nets of nets.py: training by Adam and prediction. Run by compare.py."""
import torch
from torch import nn

import peer
import torch_nets


def main():
    given = peer.arguments(("fp32", "bf16"))
    torch.set_num_threads(given.threads)
    model, size = torch_nets.build(given.net)
    model = model.to(memory_format=torch.channels_last)
    x = torch.randn(given.batch, 3, size, size).to(memory_format=torch.channels_last)
    y = torch.rand(given.batch, 1).round()
    optimizer, loss = torch.optim.Adam(model.parameters(), 1e-4, fused=True), nn.BCEWithLogitsLoss()
    cast = torch.autocast("cpu", torch.bfloat16, enabled=given.precision == "bf16")

    def step():
        optimizer.zero_grad(set_to_none=True)
        with cast:
            logits = model(x)
        loss(logits.float(), y).backward()
        optimizer.step()

    def train():
        model.train()
        return given.batch / peer.median_seconds(step, 9, 2)

    def predict(images, repeats, warmup):
        model.eval()
        with torch.inference_mode(), cast:
            return peer.median_seconds(lambda: model(images), repeats, warmup)

    peer.serve({
        "train_images_per_second": train,
        "predict_latency_ms": lambda: 1e3 * predict(x[:1], 50, 5),
        "predict_images_per_second": lambda: given.batch / predict(x, 9, 2),
    })


if __name__ == "__main__":
    main()
