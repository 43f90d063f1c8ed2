"""The numbers of others that the summary quotes are those that their publisher gives."""

from pathlib import Path

from torchvision import models

from bookweave.book import PLAIN, load
from bookweave.sources import read_chapter

ROOT = Path(__file__).parents[1]
WEIGHTS = {
    "AlexNet": models.AlexNet_Weights.IMAGENET1K_V1,
    "VGG-16": models.VGG16_Weights.IMAGENET1K_V1,
    "GoogLeNet": models.GoogLeNet_Weights.IMAGENET1K_V1,
    "ResNet-152": models.ResNet152_Weights.IMAGENET1K_V1,
    "SqueezeNet": models.SqueezeNet1_0_Weights.IMAGENET1K_V1,
    "MobileNetV2": models.MobileNet_V2_Weights.IMAGENET1K_V1,
    "EfficientNet-B0": models.EfficientNet_B0_Weights.IMAGENET1K_V1,
    "EfficientNet-B7": models.EfficientNet_B7_Weights.IMAGENET1K_V1,
    "ViT-B/16": models.ViT_B_16_Weights.IMAGENET1K_V1,
    "ResNet-152 again": models.ResNet152_Weights.IMAGENET1K_V2,
}


def test_the_table_is_that_of_torchvision():
    found = {}
    exec(read_chapter(load(ROOT), "summary")[PLAIN]["networks"].source, found)
    published = {
        name: (meta["num_params"], round(meta["_ops"] * 1e9), meta["_metrics"]["ImageNet-1K"]["acc@1"])
        for name, meta in ((name, weights.meta) for name, weights in WEIGHTS.items())
    }
    assert {name: (size, round(work), right) for name, (_, size, work, right) in found["networks"].items()} == published
