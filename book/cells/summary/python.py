# %% imports
from matplotlib import pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats

set_matplotlib_formats("svg")

# %% networks
# name: year, parameters, multiply-adds for an image, images that are named right (%)
networks = {
    "AlexNet": (2012, 61_100_840, 0.714e9, 56.522),
    "VGG-16": (2014, 138_357_544, 15.470e9, 71.592),
    "GoogLeNet": (2014, 6_624_904, 1.498e9, 69.778),
    "ResNet-152": (2015, 60_192_808, 11.514e9, 78.312),
    "SqueezeNet": (2016, 1_248_424, 0.819e9, 58.092),
    "MobileNetV2": (2018, 3_504_872, 0.301e9, 71.878),
    "EfficientNet-B0": (2019, 5_288_548, 0.386e9, 77.692),
    "EfficientNet-B7": (2019, 66_347_960, 37.746e9, 84.122),
    "ViT-B/16": (2020, 86_567_656, 17.564e9, 81.072),
    "ResNet-152 again": (2021, 60_192_808, 11.514e9, 82.284),
}

# %% compare tags=["nbval-check-output"]
_, parameters, macs, _ = networks["AlexNet"]
print("AlexNet = 1       year  parameters  multiply-adds  error")
for name, (year, size, work, right) in networks.items():
    print(f"{name:<16}  {year}{size / parameters:>12.2f}{work / macs:>15.2f}{100 - right:>6.1f}%")

# %% picture
left = ("ResNet-152 again", "EfficientNet-B7")  # whose names have no room at the right
plt.figure(figsize=(4.6, 4.8))
for name, (year, size, work, right) in networks.items():
    x, y, radius = work / 1e9, 100 - right, (size / 1e6) ** 0.5
    plt.plot(x, y, "o", markersize=2 * radius, alpha=0.5)
    side, offset = ("right", -radius - 3) if name in left else ("left", radius + 3)
    plt.annotate(f"{name}, {year}", (x, y), (offset, 0), textcoords="offset points", ha=side, va="center")
plt.xscale("log")
plt.xlim(0.15, 300)
plt.ylim(0)
plt.xlabel("multiply-adds for an image (10⁹)")
_ = plt.ylabel("error (%)")
