"""Networks that the field uses for land cover, on encoders of segmentation-models-pytorch and timm.

Weights are never fetched: a network starts at random, or takes its encoder from a local file
(`models.encoder_files`).
"""
