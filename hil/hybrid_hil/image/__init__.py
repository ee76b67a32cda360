"""What a board boots: built once from its sources, kept by their hash, found again in no time."""

from hybrid_hil.image.assembly import ImageRequest, ensure_image
from hybrid_hil.image.folder import Image, open_image

__all__ = ["Image", "ImageRequest", "ensure_image", "open_image"]
