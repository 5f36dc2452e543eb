"""U-Net, SegFormer, UPerNet, DeepLabV3+ and FPN, as segmentation-models-pytorch builds them.

All inputs are joined into one image. The decoders are those of the library; encoders are its own
or timm's, at random.
"""

from typing import Any

import torch
from torch import Tensor, nn

from models.networks.base import NetworkSpec, Outputs, SegmentationNetwork
from models.networks.land_cover.single_values import tolerate_single_values
from models.torchvision_shim import import_torchvision

STRIDE = 32
"""The coarsest features of every encoder here."""


class SmpNetwork(SegmentationNetwork):
    """Base: one network of the library, `model`, on all inputs joined."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec, stride=STRIDE)
        import_torchvision()
        self.model: nn.Module = self._model(spec.options, sum(spec.bands.values()), spec.classes)
        tolerate_single_values(self.model)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from the joined inputs."""
        logits: Tensor = self.model(torch.cat(inputs, 1))
        return logits

    def head_parameters(self) -> list[nn.Parameter]:
        """Return weight and bias of the last convolution."""
        return list(self.get_submodule("model.segmentation_head").parameters())

    def _model(self, options: dict[str, Any], bands: int, classes: int) -> Any:  # noqa: ANN401
        raise NotImplementedError


class UNetScSE(SmpNetwork):
    """U-Net with spatial and channel squeeze and excitation in the decoder (OEM-SAR baseline)."""

    def _model(self, options: dict[str, Any], bands: int, classes: int) -> Any:  # noqa: ANN401
        import segmentation_models_pytorch as smp

        return smp.Unet(
            options["encoder"],
            encoder_weights=None,
            decoder_channels=options["widths"],
            decoder_attention_type="scse" if options["scse"] else None,
            in_channels=bands,
            classes=classes,
        )


class SegFormer(SmpNetwork):
    """Mix transformer encoder and a decoder of 1x1 convolutions."""

    def _model(self, options: dict[str, Any], bands: int, classes: int) -> Any:  # noqa: ANN401
        import segmentation_models_pytorch as smp

        return smp.Segformer(
            f"mit_{options['encoder']}",
            encoder_weights=None,
            decoder_segmentation_channels=options["width"],
            in_channels=bands,
            classes=classes,
        )


class UPerNet(SmpNetwork):
    """Pyramid pooling over a feature pyramid, on ConvNeXt V2 or Swin V2.

    With `auxiliary` a second head, 3x3 convolution and classifier on the features at stride 16,
    learns the same classes while training.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        self.auxiliary: nn.Module | None = None
        if spec.options["auxiliary"]:
            channels: int = self.model.get_submodule("encoder").out_channels[-2]  # type: ignore[index,assignment]
            width = spec.options["width"]
            self.auxiliary = nn.Sequential(
                nn.Conv2d(channels, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
                nn.Conv2d(width, spec.classes, 1),
            )

    def learn(self, inputs: Any, target: Tensor) -> Outputs:  # noqa: ANN401  # as in the base
        """Return logits, and those of the second head under "classes", stride 16."""
        if self.auxiliary is None:
            return super().learn(inputs, target)
        height, width = target.shape[-2:]
        features = self.model.get_submodule("encoder")(torch.cat(self._prepared(inputs), 1))
        second = self.auxiliary(features[-2])
        decoded = self.model.get_submodule("decoder")(list(features))
        logits = self.model.get_submodule("segmentation_head")(decoded)
        cut = (..., slice(-(-height // 16)), slice(-(-width // 16)))
        return Outputs(logits[..., :height, :width], {"classes": second[cut]})

    def _model(self, options: dict[str, Any], bands: int, classes: int) -> Any:  # noqa: ANN401
        import segmentation_models_pytorch as smp

        # Windows of Swin are padded at run time, so that any size goes through.
        more = {"strict_img_size": False} if options["encoder"].startswith("swinv2") else {}
        return smp.UPerNet(
            f"tu-{options['encoder']}",
            encoder_weights=None,
            decoder_channels=options["width"],
            in_channels=bands,
            classes=classes,
            **more,
        )


class DeepLabV3Plus(SmpNetwork):
    """Atrous spatial pyramid pooling at stride 16, joined with features at stride 4."""

    def _model(self, options: dict[str, Any], bands: int, classes: int) -> Any:  # noqa: ANN401
        import segmentation_models_pytorch as smp

        return smp.DeepLabV3Plus(
            options["encoder"],
            encoder_weights=None,
            decoder_channels=options["width"],
            decoder_atrous_rates=options["rates"],
            decoder_aspp_dropout=options["dropout"],
            in_channels=bands,
            classes=classes,
        )


class FPN(SmpNetwork):
    """Feature pyramid: every level is brought to stride 4 and added."""

    def _model(self, options: dict[str, Any], bands: int, classes: int) -> Any:  # noqa: ANN401
        import segmentation_models_pytorch as smp

        return smp.FPN(
            options["encoder"],
            encoder_weights=None,
            decoder_pyramid_channels=options["pyramid"],
            decoder_segmentation_channels=options["width"],
            decoder_dropout=options["dropout"],
            in_channels=bands,
            classes=classes,
        )
