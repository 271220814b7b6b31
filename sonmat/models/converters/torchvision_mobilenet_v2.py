"""A torchvision checkpoint of MobileNetV2 → `MobileNetV2ForImageClassification` and its image processor.

The 314 tensors of the two implementations come in the same order with the same shapes; only their names differ.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

_IMAGE_PROCESSOR = {
    "image_processor_type": "MobileNetV2ImageProcessor",
    "do_resize": True,
    "size": {"shortest_edge": 256},
    "resample": 2,
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def convert(files: Sequence[Path], folder: Path) -> None:
    """Write the model of the checkpoint `files[0]` into `folder`."""
    import torch
    from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

    # The original pads and normalises as TensorFlow does; the torchvision weights were trained otherwise.
    config = MobileNetV2Config(tf_padding=False, layer_norm_eps=1e-5, num_labels=1000)
    model = MobileNetV2ForImageClassification(config)
    ours = model.state_dict()
    theirs = torch.load(files[0], map_location="cpu", weights_only=True)
    model.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(_IMAGE_PROCESSOR, indent=1) + "\n")
