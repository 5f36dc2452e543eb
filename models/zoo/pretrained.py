"""Networks on encoders that others trained on satellite images.

Without a file they start at random, like any other. Which files fit is the table in
`models.zoo.weights`.
"""

from models.zoo.entry import Entry, Option, Task

_CODE = "models.networks.pretrained.segmenter"
_TASKS: tuple[Task, ...] = ("land cover",)
_OURS = (
    "The decoder: four maps of tokens are joined at an eighth with features of the raw image, "
    "because tokens know no edges. Other image sizes than that of the training resize positions "
    "(bicubic) or need none."
)
_SMALL = {"width": 48, "depth": 2, "heads": 3, "decoder": 32}


def _options(width: int, depth: int, heads: int) -> dict[str, Option]:
    return {
        "width": Option(width, 16, 1280, help="Channels of a token"),
        "depth": Option(depth, 1, 32, help="Blocks of the encoder"),
        "heads": Option(heads, 1, 16, help="Heads of attention"),
        "decoder": Option(128, 8, 512, help="Channels where the encoder joins the decoder"),
    }


NETWORKS = {
    "softcon_vit": Entry(
        title="SoftCon ViT-S/14",
        code=f"{_CODE}:SoftConNetwork",
        tasks=_TASKS,
        source="Wang et al. 2024, arXiv 2405.20462",
        published="The encoder: DINOv2's small ViT, patch 14, at 224 px; weights for Sentinel-1 "
        "and for Sentinel-2.",
        ours=_OURS,
        licence="repository Apache-2.0, weights CC-BY-4.0; none copied",
        options=_options(384, 12, 6),
        smallest=_SMALL,
        good_for="Sentinel-1 or Sentinel-2 alone, with its weights file",
    ),
    "terramind": Entry(
        title="TerraMind tiny",
        code=f"{_CODE}:TerraMindNetwork",
        tasks=_TASKS,
        source="Jakubik et al. 2025, arXiv 2504.11171",
        published="The encoder: patch 16, one first layer per kind of input, tokens of all inputs "
        "in one transformer; blocks 2, 5, 8 and 11 of 12 feed the decoder, inputs averaged.",
        ours=_OURS,
        licence="Apache-2.0; none copied",
        options=_options(192, 12, 3),
        smallest=_SMALL,
        good_for="Sentinel-1 and Sentinel-2 together on a CPU, with its weights file",
    ),
    "croma": Entry(
        title="CROMA base",
        code=f"{_CODE}:CromaNetwork",
        tasks=_TASKS,
        source="Fuller et al. 2023, arXiv 2311.00566",
        published="The encoders: patch 8, attention biased by distance, SAR with half the blocks, "
        "a joint encoder of both; images clipped to two deviations and scaled to 0 to 1 each.",
        ours=_OURS,
        licence="code MIT, weights CC-BY-4.0; none copied",
        options={
            "width": Option(768, 16, 1024, help="Channels of a token"),
            "depth": Option(12, 2, 24, help="Blocks of the optical encoder"),
            "decoder": Option(128, 8, 512, help="Channels where the encoder joins the decoder"),
        },
        smallest={"width": 48, "depth": 2, "decoder": 32},
        good_for="SAR and optical together on a GPU, with its weights file",
    ),
    "dofa": Entry(
        title="DOFA base",
        code=f"{_CODE}:DofaNetwork",
        tasks=_TASKS,
        source="Xiong et al. 2024, arXiv 2403.15356",
        published="The encoder: patch 16 at 224 px; its first layer is computed from the "
        "wavelengths of the bands, SAR counting as 3.75 micrometres.",
        ours=_OURS + " Three optical bands without wavelengths count as red, green and blue.",
        licence="weights CC-BY-4.0; none copied",
        options={
            **_options(768, 12, 12),
            "wavelengths_nm": Option(
                (), 100, 20_000, lengths=(0, 64), help="One per band, in the order of the inputs"
            ),
        },
        smallest=_SMALL,
        good_for="bands that no other encoder knows, with its weights file",
    ),
    "prithvi": Entry(
        title="Prithvi-EO-2.0 tiny",
        code=f"{_CODE}:PrithviNetwork",
        tasks=_TASKS,
        source="Szwarcman et al. 2024, arXiv 2412.02732",
        published="The encoder: patch 16 at 224 px, fixed positions in space and time; trained on "
        "30 m optical images.",
        ours=_OURS + " One date; its time and place are not given, as the authors do at random.",
        licence="weights Apache-2.0, repository MIT; none copied",
        options=_options(192, 12, 3),
        smallest=_SMALL,
        good_for="six optical bands at 10 to 30 m, with its weights file",
    ),
}
