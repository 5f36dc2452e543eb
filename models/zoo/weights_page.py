"""Write docs/pretrained.md, the page of weights files, from their table. Needs no torch.

`python -m models.zoo.weights_page`.
"""

from pathlib import Path

from models.zoo.weights import WEIGHTS, Statistics, Weight

PAGE = Path(__file__).parents[2] / "docs" / "pretrained.md"

_HEAD = """# Weights of others

Cloudbrush comes without the weights of other people and fetches none. You can download a file
yourself and start from it: **Train → Add a weights file**. This page is written from the table in
`models/zoo/weights.py` by `python -m models.zoo.weights_page`, and a test holds the two together.

## What happens to a file

- It must lie in a folder that may be read (setting `data_roots`).
- Read are safetensors and what `torch.save` writes since version 1.6. Nothing in a file is run:
  torch's reader for tensors only opens it, compressed parts and older forms are refused, and so are
  tensors that claim to be larger than their file.
- Every tensor of the encoder must be there, under its name and with its shape, and hold numbers.
  What a file holds beyond that, a decoder or a classifier, is left alone. The page says how many
  tensors fitted.
- An encoder is worth something only on what it was trained on. So the names of your bands, their
  order and their unit must be those of the table; a file that does not fit is refused with what was
  found and what is expected. Bands are never dropped or reordered for you. Names are compared
  without regard to case, and B2 is B02.
- Published mean and spread replace those of your tiles. Networks here see reflectance as a share,
  so they are divided by 10,000 for Sentinel-2.
- The result is a model of the project, marked as untrained: its encoder is the file's, its decoder
  and last layer know nothing. Choose it as the start of a run. The card keeps the file's name and
  how it fitted.

The size of an image is free: it is padded to a multiple of the patch, and learnt positions are
resized where the image is not as large as in the training. Attention takes at most 4,096 patches at
once, which is 512 px a side for CROMA, 896 for SoftCon's ViT and 1,024 for TerraMind, DOFA and
Prithvi; TerraMind attends to two inputs together and takes 720. Larger crops are refused. Maps, and
scores of watched tiles while training, take larger tiles by windows of that size or less that share
128 px; with 24 views the largest view of a window fits too. CROMA scales each window by itself.

## Encoders of satellite images

These are trained on Sentinel images of 10 m (Prithvi: 30 m). They do not fit the 8-bit single
polarisation SAR of OpenEarthMap-SAR and BRIGHT, nor aerial RGB: use ImageNet there.
"""

_TAIL = """
Names and shapes of the tensors are tested against torchgeo's networks (SoftCon, CROMA, DOFA) and,
for TerraMind and Prithvi, against the layout in the code of their authors; the features of SoftCon,
CROMA and DOFA are equal to those of torchgeo or timm with the same weights. The published files
themselves were not at hand: please report one that is refused.

## ImageNet

For U-Net, SegFormer, UPerNet, DeepLabV3+, FPN and FarSeg, and for the damage networks on ResNet,
Swin and PVT v2: DeepLabV3+ of BRIGHT, SiamCRNN, DamageFormer, ChangeOS, UFPN, UABCD and UABCD v2.
Where a damage network has an encoder for each date, both get the same file; a building branch gets
it too where its encoder is of the same kind. Encoders whose names start with *small* are ours and
have no such file; nor have the other networks, whose encoders were never trained on ImageNet.

ResNet takes the files of timm and torchvision, ConvNeXt V2 and Swin V2 those of timm, Swin and
PVT v2 those of timm and of their authors, MobileNet V2 those of torchvision; EfficientNet and the
encoder of SegFormer take the files of segmentation-models-pytorch, which name their tensors
otherwise. Inputs are free: the first layer, which knows red, green and blue, is repeated over your
bands in order and scaled by 3 / bands; for one band the three are added up. Mean and spread stay
those of your tiles.

## The baseline of OpenEarthMap-SAR

The file that the baseline's `train.py` saves: the state dict of a U-Net with EfficientNet-B4 and
scSE, 1 band in, 9 channels out, with or without `module.` before the names. It becomes a model that
predicts at once, in projects with the classes of OpenEarthMap-SAR. Its input is SAR of 8 bits over
255. Channel 0 is background and becomes void; channels 1 to 8 are the classes in their order.

## Left out

Panopticon, Satlas, SatMAE++, SkySense and SatCLIP; the larger sizes of TerraMind, CROMA, DOFA,
Prithvi and SoftCon; TerraMind's height, L1C and RTC inputs; DOFA on other inputs than Sentinel-1,
for which our sources give no mean and spread.
"""


def page() -> str:
    """Return the page in Markdown."""
    rows = "".join(_row(name, weight) for name, weight in WEIGHTS.items())
    columns = ("name", "weights", "file", "bands, in order", "network", "licence")
    head = f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"
    parts = "".join(_part(name, weight) for name, weight in WEIGHTS.items())
    return _HEAD + head + rows + parts + _TAIL


def _row(name: str, weight: Weight) -> str:
    bands = "; ".join(f"{m} {' '.join(names)}" for m, names in weight.bands.items())
    return (
        f"| `{name}` | {weight.title} ({weight.source}) | `{weight.file}` | {bands} "
        f"| `{weight.network}` | {weight.licence} |\n"
    )


def _part(name: str, weight: Weight) -> str:
    lines = [f"\n`{name}`", f"- Unit: {weight.unit}", f"- Size: {weight.size}"]
    lines += [f"- {m}: {_numbers(found)}" for m, found in weight.statistics.items()]
    return "\n".join([lines[0], "", *lines[1:]]) + "\n"


def _numbers(found: Statistics) -> str:
    mean, std = (", ".join(f"{v:g}" for v in values) for values in (found.mean, found.std))
    return f"mean {mean}; spread {std}"


if __name__ == "__main__":
    PAGE.write_text(page())
