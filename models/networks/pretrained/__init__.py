"""Networks whose encoder was trained by others on many satellite images.

The encoders are written from the published shapes, so that tensors of the published files fit by
name. A network can be trained from scratch too; `models.encoder_files` fills it from a local file.
"""
