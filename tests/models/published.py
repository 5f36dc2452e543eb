"""Files with the names and shapes of the published ones, and random values."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.encoder_files import UNITS, Seen
from models.networks import SegmentationNetwork, build
from models.torchvision_shim import import_torchvision
from models.zoo.weights import Weight

import_torchvision()

VALUES = 0.02


def random_tensors(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return {name: VALUES * torch.randn(shape) for name, shape in shapes.items()}


def shapes_of(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def block_shapes(prefix: str, width: int, *, norm_bias: bool = True) -> dict[str, tuple[int, ...]]:
    shapes = {
        "norm1.weight": (width,),
        "attn.qkv.weight": (3 * width, width),
        "attn.qkv.bias": (3 * width,),
        "attn.proj.weight": (width, width),
        "attn.proj.bias": (width,),
        "norm2.weight": (width,),
        "mlp.fc1.weight": (4 * width, width),
        "mlp.fc1.bias": (4 * width,),
        "mlp.fc2.weight": (width, 4 * width),
        "mlp.fc2.bias": (width,),
    }
    if norm_bias:
        shapes |= {"norm1.bias": (width,), "norm2.bias": (width,)}
    return {prefix + name: shape for name, shape in shapes.items()}


def prithvi_tiny() -> dict[str, Tensor]:
    """The masked autoencoder of Prithvi-EO-2.0-tiny-TL: encoder of 192, four dates, decoder."""
    shapes: dict[str, tuple[int, ...]] = {
        "encoder.cls_token": (1, 1, 192),
        "encoder.pos_embed": (1, 4 * 196 + 1, 192),
        "encoder.patch_embed.proj.weight": (192, 6, 1, 16, 16),
        "encoder.patch_embed.proj.bias": (192,),
        "encoder.temporal_embed_enc.scale": (1,),
        "encoder.location_embed_enc.scale": (1,),
        "encoder.norm.weight": (192,),
        "encoder.norm.bias": (192,),
        "decoder.mask_token": (1, 1, 512),
        "decoder.decoder_embed.weight": (512, 192),
        "decoder.decoder_pred.weight": (1536, 512),
    }
    for number in range(12):
        shapes |= block_shapes(f"encoder.blocks.{number}.", 192)
    return random_tensors(shapes)


def terramind_tiny() -> dict[str, Tensor]:
    """TerraMind 1.0 tiny with first layers of four kinds of input, and some of its decoder."""
    shapes: dict[str, tuple[int, ...]] = {"encoder_norm.weight": (192,), "mask_token": (1, 1, 192)}
    bands = {"sen2l2a": 12, "sen2l1c": 13, "sen1grd": 2, "sen1rtc": 2, "dem": 1}
    for kind, count in bands.items():
        key = f"encoder_embeddings.untok_{kind}@224."
        shapes |= {
            f"{key}proj.weight": (192, count * 256),
            f"{key}mod_emb": (1, 1, 192),
            f"{key}pos_emb": (1, 196, 192),
        }
    for number in range(12):
        shapes |= block_shapes(f"encoder.{number}.", 192, norm_bias=False)
        shapes |= block_shapes(f"decoder.{number}.", 192, norm_bias=False)
    return random_tensors(shapes)


def softcon_vit(bands: int) -> dict[str, Tensor]:
    from torchgeo.models import vit_small_patch14_dinov2

    network = vit_small_patch14_dinov2(in_chans=bands, img_size=224, num_classes=0)
    return {name: VALUES * torch.randn(shape) for name, shape in shapes_of(network).items()}


def softcon_resnet(bands: int) -> dict[str, Tensor]:
    from torchgeo.models import resnet50

    tensors = resnet50(in_chans=bands).state_dict()
    return {
        name: tensor.abs() + 0.1 if "running_var" in name else tensor
        for name, tensor in tensors.items()
    }


def croma_base() -> dict[str, dict[str, Tensor]]:
    """The published file is a table of tables, one per encoder."""
    from torchgeo.models import croma_base as theirs

    nested: dict[str, dict[str, Tensor]] = {}
    for name, tensor in theirs(image_size=8).state_dict().items():
        part, _, rest = name.partition(".")
        if rest:
            nested.setdefault(part, {})[rest] = tensor
    return nested


def dofa_base() -> dict[str, Tensor]:
    from torchgeo.models import dofa_base_patch16_224

    held: dict[str, Tensor] = dofa_base_patch16_224(num_classes=0).state_dict()
    return {name: tensor for name, tensor in held.items() if not name.startswith("fc_norm")}


FILES = {
    "softcon_rn50_s1": lambda: softcon_resnet(2),
    "softcon_vits14_s2": lambda: softcon_vit(13),
    "terramind_tiny_s1": terramind_tiny,
    "terramind_tiny_s1s2": terramind_tiny,
    "prithvi_tiny": prithvi_tiny,
    "croma_base_s1s2": croma_base,
    "dofa_base_s1": dofa_base,
}
HEAVY = ("croma_base_s1s2", "dofa_base_s1")
QUICK = ("terramind_tiny_s1s2", "prithvi_tiny")


def network_for(weight: Weight, classes: int = 3, **options: object) -> SegmentationNetwork:
    bands = {modality: len(names) for modality, names in weight.bands.items()}
    return build(weight.network, bands, classes, {**weight.options, **options})


def seen_as(bands: Mapping[str, tuple[str, ...]]) -> dict[str, Seen]:
    return {modality: Seen(names, UNITS[modality]) for modality, names in bands.items()}
